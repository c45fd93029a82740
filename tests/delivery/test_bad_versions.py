"""A bad version never hurts: it is stopped, explained, removed, and the old group never loses a request."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pavedroad.clouds.memory_fleet import Fault
from pavedroad.core.errors import CapacityRefused, CloudFailed, NotFound, Unavailable
from pavedroad.delivery.model import DeploymentView
from tests.delivery.road import Road
from tests.waiting import eventually_async

_QUICK = {"kind": "red-black", "boot_timeout": "1s"}


async def _deploy_bad(road: Road, fault: Fault, **manifest: Any) -> DeploymentView:
    image = await road.image("2.0")
    road.cloud.faults[image] = fault
    return await road.deploy("2.0", **manifest)


async def _assert_unharmed(road: Road) -> None:
    """Version 1 has all of the traffic, and nothing is left of version 2."""

    assert await road.weights() == {"hello-v000": 100}
    await eventually_async(lambda: road.is_swept("hello-v001"))
    assert all(flip["hello-v000"] == 100 for flip in road.cloud.flips[1:])
    assert (await road.delivery.cluster("hello")).deployment is None


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("crashes", "exited with status 1"), "end while they boot .*exited with status 1"),
        (
            Fault("unhealthy", "Health checks failed with these codes: [500]"),
            "within 1 s: .*status 500",
        ),
        (
            Fault("unhealthy", "Request timed out"),
            "not healthy within 1 s: 0 of 2 healthy.*Request timed out",
        ),
        (
            Fault("refused", "We currently do not have sufficient t3.micro capacity"),
            "refused capacity .*t3.micro",
        ),
        (Fault("refused", "The image id '[ami-1]' does not exist"), "cannot launch instances: The image id"),
    ],
    ids=["crashes at boot", "answers 500", "never listens", "no capacity", "image gone"],
)
async def test_the_old_group_keeps_all_traffic_and_the_reason_is_one_sentence(
    road: Road, fault: Fault, said: str
) -> None:
    await road.shipped("1.0")
    view = await _deploy_bad(road, fault, strategy=_QUICK)
    assert view.phase == "failed"
    assert re.search(said, view.error), view.error
    assert "\n" not in view.error
    await _assert_unharmed(road)


async def test_crashes_are_noticed_long_before_the_time_is_up(road: Road) -> None:
    await road.shipped("1.0")
    view = await _deploy_bad(road, Fault("crashes", "exited with status 3"))
    assert view.finished_at is not None
    assert (view.finished_at - view.started_at).total_seconds() < 60  # of 300


async def test_a_version_that_boots_too_slowly_is_taken_away(road: Road) -> None:
    await road.shipped("1.0")
    view = await _deploy_bad(road, Fault("unhealthy", "Initial health checks in progress"), strategy=_QUICK)
    assert "was not healthy within 1 s" in view.error
    await _assert_unharmed(road)


async def test_the_last_lines_of_the_console_come_along(road: Road) -> None:
    await road.shipped("1.0")
    image = await road.image("2.0")
    road.cloud.faults[image] = Fault("unhealthy", "Connection refused")
    begun = await road.begin("2.0", strategy=_QUICK)

    async def booted() -> bool:
        group = await road.cloud.server_group("hello-v001")
        for member in group.members:
            road.cloud.consoles[member.instance_id] = "line\n" * 100 + "ModuleNotFoundError: flask\n"
        return bool(group.members)

    async def there() -> bool:
        try:
            return await booted()
        except NotFound:
            return False

    await eventually_async(there)
    view = await road.end(begun.id)
    assert view.console.endswith("ModuleNotFoundError: flask")
    assert len(view.console.splitlines()) == 20


async def test_a_first_deployment_that_fails_leaves_no_cluster_behind(road: Road) -> None:
    view = await _deploy_bad(road, Fault("crashes", "exited with status 1"))
    assert view.phase == "failed"
    assert await road.cloud.balancers() == []

    await eventually_async(lambda: road.is_swept("hello-v000"))
    with pytest.raises(NotFound):
        await road.delivery.cluster("hello")


@pytest.mark.parametrize("call", ["ensure_balancer", "ensure_target_group", "create_server_group"])
async def test_a_cloud_that_refuses_is_quoted(road: Road, call: str) -> None:
    await road.shipped("1.0")
    road.cloud.refuse(call, CapacityRefused("You have reached your limit of load balancers."))
    view = await road.deploy("2.0")
    assert (view.phase, view.error) == ("failed", "You have reached your limit of load balancers.")
    await _assert_unharmed(road)


async def test_a_flip_that_is_refused_gives_the_traffic_back(road: Road) -> None:
    await road.shipped("1.0")
    begun = await road.begin("2.0")

    async def waiting() -> bool:
        return (await road.delivery.deployment(begun.id)).phase == "waiting"

    await eventually_async(waiting)
    road.cloud.refuse("set_weights", CloudFailed("The listener cannot be changed."))
    view = await road.end(begun.id)
    assert (view.phase, view.error) == ("failed", "The listener cannot be changed.")
    await _assert_unharmed(road)


async def test_a_cloud_that_is_away_for_a_moment_is_waited_for(road: Road) -> None:
    await road.shipped("1.0")
    for call in ("ensure_balancer", "target_health", "activities", "set_weights"):
        road.cloud.refuse(call, Unavailable("The cloud does not answer."), times=2)
    await road.shipped("2.0")
    assert await road.weights() == {"hello-v000": 0, "hello-v001": 100}


async def test_what_could_not_be_removed_is_said(road: Road) -> None:
    await road.shipped("1.0")
    road.cloud.refuse("create_server_group", CloudFailed("No."))
    road.cloud.refuse("delete_server_group", CloudFailed("Not now."))
    view = await road.deploy("2.0")
    assert view.error == "No. What it made could not all be removed: Not now."
    assert await road.weights() == {"hello-v000": 100}


async def test_after_a_failure_the_next_deployment_goes_ahead(road: Road) -> None:
    await road.shipped("1.0")
    await _deploy_bad(road, Fault("crashes", "exited with status 1"))
    await road.shipped("3.0")
    weights = await road.weights()
    assert [name for name, weight in weights.items() if weight] != ["hello-v000"]
    assert sum(weights.values()) == 100
