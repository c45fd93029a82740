"""The control process is killed with -9 at every named point, and the next one finishes what it began."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from pavedroad.clouds.memory_fleet import Fault
from pavedroad.clouds.model import ImageSpec
from pavedroad.delivery.model import DeploymentView
from pavedroad.delivery.rollout import STEPS
from tests.delivery.control import Task, live_and_die
from tests.delivery.far_cloud import FarCloudServer
from tests.delivery.road import WatchedClouds, manifest_of

_POINTS = ("before", "after", "recorded")


@dataclass(frozen=True, slots=True)
class Crashing:
    """A cloud that stays, and control processes that come and go."""

    home: Path
    socket: str
    server: FarCloudServer

    def image(self, version: str, fault: Fault | None = None) -> str:
        async def register(clouds: WatchedClouds) -> str:
            cloud = clouds.region("us-east-1")
            spec = ImageSpec(f"hello-{version}", "b/k", "", {"pavedroad:version": version})
            image = await cloud.register_image(spec)
            if fault is not None:
                cloud.faults[image.id] = fault
            return image.id

        return self.server.run(register)

    def control(
        self,
        point: str = "",
        version: str = "",
        *,
        fault: Fault | None = None,
        groups: int = 0,
        **strategy: Any,
    ) -> list[DeploymentView]:
        """Run a control process to its end: by -9 at `point`, else by itself, with what it answered."""
        kept = {"kind": "red-black", "shrink_after": "1h", "delete_after": "2h", **strategy}
        image = self.image(version, fault) if version else ""
        task = Task(self.home, self.socket, point, image, manifest_of(strategy=kept), groups)
        exit_code, deployments = live_and_die(task)
        assert exit_code == (-signal.SIGKILL if point else 0)
        return deployments

    def weights(self) -> dict[str, int]:
        """By target group's name, of the groups that are to stay."""

        async def read(clouds: WatchedClouds) -> dict[str, int]:
            cloud = clouds.region("us-east-1")
            (balancer,) = await cloud.balancers()
            groups = {group.name for group in await cloud.server_groups() if not group.deleting}
            held = {arn.split("/")[1]: weight for arn, weight in balancer.listeners[0].weights.items()}
            assert set(held) == groups, "groups and target groups differ"
            return held

        return self.server.run(read)


@pytest.fixture
def crashing(tmp_path: Path) -> Iterator[Crashing]:
    with TemporaryDirectory(prefix="paved-", dir="/tmp") as folder:
        socket = f"{folder}/cloud"
        with closing(FarCloudServer(socket)) as server:
            yield Crashing(tmp_path, socket, server)


@pytest.mark.parametrize("step", STEPS)
def test_killed_around_a_step_a_deployment_is_finished_by_the_next_process(
    crashing: Crashing, step: str
) -> None:
    crashing.control(version="1")
    for number, when in enumerate(_POINTS, start=2):
        crashing.control(f"{when} {step}", str(number))
    ended = crashing.control()
    assert [view.phase for view in ended] == ["succeeded"] * 4
    assert [view.server_group for view in ended] == [f"hello-v00{n}" for n in (3, 2, 1, 0)]
    assert crashing.weights() == {"hello-v000": 0, "hello-v001": 0, "hello-v002": 0, "hello-v003": 100}


@pytest.mark.parametrize("step", ["withdraw", "record-failure"])
def test_killed_while_a_bad_version_is_taken_away_it_is_taken_away_by_the_next(
    crashing: Crashing, step: str
) -> None:
    crashing.control(version="1")
    for number, when in enumerate(_POINTS, start=2):
        crashing.control(f"{when} {step}", str(number), fault=Fault("crashes", "exited with status 1"))
    ended = crashing.control()
    assert [view.phase for view in ended] == ["failed"] * 3 + ["succeeded"]
    assert all("exited with status 1" in view.error for view in ended[:3])
    assert crashing.weights() == {"hello-v000": 100}


@pytest.mark.parametrize("step", ["shrink", "delete", "sweep"])
def test_killed_in_the_clean_up_the_next_process_cleans_up(crashing: Crashing, step: str) -> None:
    crashing.control(version="1")
    for number, when in enumerate(_POINTS, start=2):
        crashing.control(f"{when} {step}", str(number), shrink_after="0.1s", delete_after="0.2s")
    crashing.control(version="5", shrink_after="0.1s", delete_after="0.2s", groups=1)
    assert crashing.weights() == {"hello-v004": 100}
