"""A control process for crash tests: takes up what its forerunner left, deploys, and may die by -9."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import boto3

from pavedroad.clouds.aws.cloud import AwsClouds
from pavedroad.core.checkpoints import NoCheckpoints
from pavedroad.delivery.model import FINAL, DeploymentView, DeployRequest
from tests.delivery.far_cloud import FarClouds
from tests.delivery.road import DEE, Road, open_road
from tests.waiting import eventually_async

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.delivery.control"])  # each is a process of its own, begun quickly


@dataclass(frozen=True, slots=True)
class Task:
    """What a control process does: first it waits until all that was under way has ended; with an image it
    deploys that, dying at `point` if there is one; at last it waits until just `groups` are left."""

    home: Path
    cloud: str
    """The socket of a far cloud, or the endpoint of a private one."""
    point: str = ""
    image: str = ""
    manifest: dict[str, Any] = field(default_factory=dict[str, Any])
    groups: int = 0


class DieAt:
    """Kills the process at one point, once it is armed."""

    def __init__(self, point: str) -> None:
        self._point = point
        self.armed = False

    def reach(self, point: str) -> None:
        if self.armed and point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


def live_and_die(task: Task) -> tuple[int | None, list[DeploymentView]]:
    """Run a control process to its end: its exit code, and the deployments, newest first, if it lived."""
    answers, answering = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=_live, args=(task, answering), daemon=True)
    process.start()
    answering.close()
    process.join(90)
    return process.exitcode, answers.recv() if process.exitcode == 0 else []


def _live(task: Task, answers: Connection) -> None:
    answers.send(asyncio.run(_run(task)))


def _private(endpoint: str) -> AwsClouds:
    session = boto3.Session(aws_access_key_id="any", aws_secret_access_key="thing")
    return AwsClouds(endpoint_url=endpoint, session=session)


async def _run(task: Task) -> list[DeploymentView]:
    checkpoints = DieAt(task.point) if task.point else NoCheckpoints()
    clouds = _private(task.cloud) if task.cloud.startswith("http") else FarClouds(task.cloud)
    async with open_road(task.home, clouds=clouds, checkpoints=checkpoints) as road:
        await _settled(road)
        if isinstance(checkpoints, DieAt):
            checkpoints.armed = True
        if task.image:
            begun = await road.delivery.deploy(DEE, DeployRequest(task.manifest, task.image))
            await road.end(begun.id)
        if task.point:
            await asyncio.sleep(60)  # the point may lie in the clean-up that follows
            raise AssertionError(f"never reached {task.point}")
        if task.groups:
            await eventually_async(lambda: _has_groups(road, task.groups), within=60)
        return await road.delivery.deployments()


async def _settled(road: Road) -> None:
    for view in await road.delivery.deployments():
        if view.phase not in FINAL:
            await road.end(view.id)


async def _has_groups(road: Road, count: int) -> bool:
    """Just so many groups, and not a target group more."""
    cluster = await road.delivery.cluster("hello")
    kept = {group.name for group in cluster.server_groups}
    names = {f"hello-v{push:03d}" for push in range(10)} - kept
    swept = [await road.is_swept(name) for name in sorted(names)]
    return len(kept) == count and all(swept)
