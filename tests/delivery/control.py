"""A control process for crash tests: takes up what its forerunner left, deploys, and may die by -9."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pavedroad.core.checkpoints import NoCheckpoints
from pavedroad.delivery.model import FINAL, DeploymentView, DeployRequest
from tests.delivery.far_cloud import FarClouds
from tests.delivery.road import DEE, Road, manifest_of, open_road
from tests.waiting import eventually_async


@dataclass(frozen=True, slots=True)
class Task:
    """What a control process does: first it waits until all that was under way has ended; with an image it
    deploys that, dying at `point` if there is one; at last it waits until just `groups` are left."""

    home: Path
    socket: str
    point: str = ""
    image: str = ""
    strategy: dict[str, Any] = field(default_factory=dict[str, Any])
    groups: int = 0


class DieAt:
    """Kills the process at one point, once it is armed."""

    def __init__(self, point: str) -> None:
        self._point = point
        self.armed = False

    def reach(self, point: str) -> None:
        if self.armed and point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


def run(task: Task, answers: Connection) -> None:
    """The process's whole life; it answers with the deployments, newest first."""
    answers.send(asyncio.run(_run(task)))


async def _run(task: Task) -> list[DeploymentView]:
    checkpoints = DieAt(task.point) if task.point else NoCheckpoints()
    clouds = FarClouds(task.socket)
    async with open_road(task.home, clouds=clouds, checkpoints=checkpoints) as road:
        await _settled(road)
        if isinstance(checkpoints, DieAt):
            checkpoints.armed = True
        if task.image:
            manifest = manifest_of(strategy=task.strategy)
            begun = await road.delivery.deploy(DEE, DeployRequest(manifest, task.image))
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
