"""The control process is killed with -9 at every named point, and the next one finishes what it began."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from pavedroad.clouds.memory_fleet import Fault
from pavedroad.clouds.model import ImageSpec
from pavedroad.delivery.model import DeploymentView
from pavedroad.delivery.rollout import STEPS
from tests.delivery.control import Act, Sight, Task, has_groups, live_and_die, slow
from tests.delivery.far_cloud import FarCloudServer
from tests.delivery.road import DEE, Road, WatchedClouds, manifest_of
from tests.waiting import eventually_async

_EVERY = pytest.mark.parametrize("when", ["before", slow("after"), slow("recorded")])
_NO_GROUP, _ONE_GROUP = partial(has_groups, 0), partial(has_groups, 1)


@dataclass(frozen=True, slots=True)
class Crashing:
    """A cloud that stays, and control processes that come and go."""

    home: Path
    socket: str
    server: FarCloudServer

    def image(self, version: str, fault: Fault | None = None) -> str:
        async def register(clouds: WatchedClouds) -> str:
            cloud = clouds.region("us-east-1")
            tags = {"pavedroad:version": version, "pavedroad:application": "hello"}
            spec = ImageSpec(f"hello-{version}", "b/k", "", tags)
            image = await cloud.register_image(spec)
            if fault is not None:
                cloud.faults[image.id] = fault
            return image.id

        return self.server.run(register)

    def control(
        self,
        point: str = "",
        *versions: str,
        fault: Fault | None = None,
        acts: tuple[Act, ...] = (),
        sees: Sight | None = None,
        **strategy: Any,
    ) -> list[DeploymentView]:
        """Run a control process to its end: by -9 at `point` of the last thing it does, else by itself, with
        what it answered. The fault is the last version's."""
        kept = {"kind": "red-black", "shrink_after": "1h", "delete_after": "2h", **strategy}
        images = tuple(
            self.image(version, fault if version == versions[-1] else None) for version in versions
        )
        task = Task(self.home, self.socket, point, images, manifest_of(strategy=kept), acts, sees)
        exit_code, deployments = live_and_die(task)
        assert exit_code == (-signal.SIGKILL if point else 0)
        return deployments

    def desired(self, group: str) -> int:
        async def read(clouds: WatchedClouds) -> int:
            return (await clouds.region("us-east-1").server_group(group)).desired

        return self.server.run(read)

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


@_EVERY
@pytest.mark.parametrize("step", STEPS)
def test_killed_around_a_step_a_deployment_is_finished_by_the_next_process(
    crashing: Crashing, step: str, when: str
) -> None:
    crashing.control(f"{when} {step}", "1", "2")
    ended = crashing.control()
    assert [view.phase for view in ended] == ["succeeded"] * 2
    assert [view.server_group for view in ended] == ["hello-v001", "hello-v000"]
    assert crashing.weights() == {"hello-v000": 0, "hello-v001": 100}


@_EVERY
@pytest.mark.parametrize("step", ["withdraw", "record-failure"])
def test_killed_while_a_bad_version_is_taken_away_it_is_taken_away_by_the_next(
    crashing: Crashing, step: str, when: str
) -> None:
    crashing.control(f"{when} {step}", "1", "2", fault=Fault("crashes", "exited with status 1"))
    ended = crashing.control()
    assert [view.phase for view in ended] == ["failed", "succeeded"]
    assert "exited with status 1" in ended[0].error
    assert crashing.weights() == {"hello-v000": 100}


@_EVERY
@pytest.mark.parametrize("step", ["shrink", "delete", "sweep"])
def test_killed_in_the_clean_up_the_next_process_cleans_up(crashing: Crashing, step: str, when: str) -> None:
    crashing.control(f"{when} {step}", "1", "2", shrink_after="0.1s", delete_after="0.2s")
    crashing.control(sees=_ONE_GROUP)
    assert crashing.weights() == {"hello-v001": 100}


@pytest.mark.slow
def test_killed_three_times_in_a_row_three_versions_are_deployed(crashing: Crashing) -> None:
    crashing.control("before flip", "1", "2")
    crashing.control("after flip", "3")
    crashing.control("recorded flip", "4")
    assert [view.phase for view in crashing.control()] == ["succeeded"] * 4
    assert crashing.weights() == {"hello-v000": 0, "hello-v001": 0, "hello-v002": 0, "hello-v003": 100}


@pytest.mark.parametrize(
    "point", ["called delete_server_group", slow("before finish-removal"), slow("before sweep")]
)
def test_killed_while_a_group_is_destroyed_nothing_of_it_is_left(crashing: Crashing, point: str) -> None:
    crashing.control(point, "1", "2", acts=(_destroy_the_old,))
    crashing.control(sees=_ONE_GROUP)
    assert crashing.weights() == {"hello-v001": 100}


@pytest.mark.parametrize("point", ["called delete_balancer", slow("called delete_server_group")])
def test_killed_while_a_cluster_is_destroyed_nothing_of_it_is_left(crashing: Crashing, point: str) -> None:
    crashing.control(point, "1", "2", acts=(_destroy_all,))
    crashing.control(sees=_NO_GROUP)


@pytest.mark.slow
def test_killed_right_after_a_rollback_moved_the_traffic_the_losing_group_still_retires(
    crashing: Crashing,
) -> None:
    crashing.control("called set_weights", "1", "2", acts=(_roll_back,), shrink_after="6s", delete_after="6s")
    assert crashing.weights() == {"hello-v000": 100, "hello-v001": 0}
    crashing.control(sees=_ONE_GROUP)
    assert crashing.weights() == {"hello-v000": 100}


def test_killed_while_a_shrunk_group_is_brought_up_it_is_shrunk_again(crashing: Crashing) -> None:
    crashing.control(
        "called resize_server_group", "1", "2", acts=(_see_it_shrunk, _roll_back), shrink_after="0.1s"
    )
    assert crashing.desired("hello-v000") == 2
    crashing.control(sees=_is_shrunk)
    assert crashing.weights() == {"hello-v000": 0, "hello-v001": 100}


async def _destroy_the_old(road: Road) -> None:
    await road.delivery.destroy(DEE, "hello-v000")


async def _destroy_all(road: Road) -> None:
    await road.delivery.destroy_cluster(DEE, "hello")


async def _roll_back(road: Road) -> None:
    await road.delivery.rollback(DEE, "hello")


async def _see_it_shrunk(road: Road) -> None:
    await eventually_async(lambda: _is_shrunk(road))


async def _is_shrunk(road: Road) -> bool:
    return (await road.delivery.server_group("hello-v000")).desired == 0
