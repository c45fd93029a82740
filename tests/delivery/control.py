"""A control process for crash tests: takes up what its forerunner left, deploys, and may die by -9."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import boto3
import pytest
from dbos import DBOS

from pavedroad.clouds.aws.cloud import AwsClouds
from pavedroad.core.checkpoints import NoCheckpoints
from pavedroad.core.cloud_key import CloudKey
from pavedroad.delivery.model import FINAL, DeploymentView, DeployRequest
from tests.delivery.far_cloud import FarClouds
from tests.delivery.road import DEE, Road, open_road
from tests.waiting import eventually_async

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.delivery.control"])  # each is a process of its own, begun quickly


Act = Callable[[Road], Awaitable[object]]
Sight = Callable[[Road], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Task:
    """What a control process does: first it waits until all that was under way has ended; it deploys its
    images and acts, all in their order; in the last of these it dies at `point`, if there is one. At last
    it waits until it sees what it is to see."""

    home: Path
    cloud: str
    """The socket of a far cloud, or the endpoint of a private one."""
    point: str = ""
    images: tuple[str, ...] = ()
    manifest: dict[str, Any] = field(default_factory=dict[str, Any])
    acts: tuple[Act, ...] = ()
    sees: Sight | None = None
    key: CloudKey | None = None
    """A private cloud's."""
    url: str | None = None
    """The database, if it is not the home's own."""
    pauses: bool = False
    """At `point` it is stopped, as by a machine that hangs, and not killed."""
    lease: float = 20.0


def slow(point: str) -> Any:
    """A parameter that is the same kind of crash again, a little earlier or later."""
    return pytest.param(point, marks=pytest.mark.slow)


class DieAt:
    """Kills the process at one point, once it is armed."""

    def __init__(self, point: str, number: signal.Signals = signal.SIGKILL) -> None:
        self._point = point
        self._signal = number
        self.armed = False

    def reach(self, point: str) -> None:
        if self.armed and point == self._point:
            self.armed = False
            os.kill(os.getpid(), self._signal)


def live_and_die(task: Task) -> tuple[int | None, list[DeploymentView]]:
    """Run a control process to its end: its exit code, and the deployments, newest first, if it lived."""
    return begin(task).end()


@dataclass(frozen=True, slots=True)
class Living:
    """A control process under way."""

    process: BaseProcess
    answers: Connection

    def end(self) -> tuple[int | None, list[DeploymentView]]:
        self.process.join(90)
        return self.process.exitcode, self.answers.recv() if self.process.exitcode == 0 else []


def begin(task: Task) -> Living:
    """Start a control process."""
    answers, answering = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=_live, args=(task, answering), daemon=True)
    process.start()
    answering.close()
    return Living(process, answers)


def _live(task: Task, answers: Connection) -> None:
    answers.send(asyncio.run(_run(task)))


def _private(endpoint: str, key: CloudKey) -> AwsClouds:
    session = boto3.Session(key.access_key_id, key.secret_access_key)
    return AwsClouds(endpoint_url=endpoint, session=session)


async def _run(task: Task) -> list[DeploymentView]:
    number = signal.SIGSTOP if task.pauses else signal.SIGKILL
    checkpoints = DieAt(task.point, number) if task.point else NoCheckpoints()
    clouds = _private(task.cloud, task.key) if task.key else FarClouds(task.cloud, checkpoints)
    async with open_road(
        task.home, clouds=clouds, checkpoints=checkpoints, url=task.url, lease=task.lease
    ) as road:
        await _settled(road)
        works: list[Act] = [*(partial(_deploy, task.manifest, image) for image in task.images), *task.acts]
        for work in works:
            if isinstance(checkpoints, DieAt):
                checkpoints.armed = work is works[-1]
            await work(road)
        if task.point and not task.pauses:
            await asyncio.sleep(60)  # the point may lie in the clean-up that follows
            raise AssertionError(f"never reached {task.point}")
        if (sees := task.sees) is not None:
            await eventually_async(lambda: sees(road), within=60)
        return await road.delivery.deployments()


async def _deploy(manifest: dict[str, Any], image: str, road: Road) -> None:
    begun = await road.delivery.deploy(DEE, DeployRequest(manifest, image))
    await road.end(begun.id)
    await eventually_async(lambda: _is_over(begun.id))  # its last points lie after its story's end


async def _is_over(workflow: str) -> bool:
    found = await DBOS.get_workflow_status_async(workflow)
    return found is not None and found.status == "SUCCESS"


async def _settled(road: Road) -> None:
    for view in await road.delivery.deployments():
        if view.phase not in FINAL:
            await road.end(view.id)


async def has_groups(count: int, road: Road) -> bool:
    """Just so many groups, and not a target group more; of none, not an address either."""
    clusters = await road.delivery.clusters()
    kept = {group.name for cluster in clusters for group in cluster.server_groups}
    names = {f"hello-v{push:03d}" for push in range(10)} - kept
    swept = [await road.is_swept(name) for name in sorted(names)]
    return len(kept) == count and all(swept) and bool(clusters) == bool(count)
