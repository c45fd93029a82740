"""Whatever is not well says why, in one sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pavedroad.clouds.memory_fleet import Fault
from pavedroad.clouds.model import TargetHealth
from pavedroad.core.errors import Conflict, Guarded
from tests.delivery.road import DEE, Road
from tests.waiting import eventually_async


async def test_what_is_well_has_no_reason(road: Road) -> None:
    await road.shipped("1.0")
    cluster = await road.delivery.cluster("hello")
    (group,) = cluster.server_groups
    assert (cluster.reason, group.reason) == ("", "")
    assert [instance.reason for instance in group.instances] == ["", ""]
    assert {instance.health for instance in group.instances} == {"healthy"}


async def test_a_sick_group_quotes_its_instances(road: Road) -> None:
    await road.shipped("1.0")
    reason = "Health checks failed with these codes: [500]"
    road.cloud.faults[await road.image("1.0")] = Fault("unhealthy", reason)

    async def sick() -> bool:
        return (await road.delivery.server_group("hello-v000")).healthy == 0

    await eventually_async(sick)
    cluster = await road.delivery.cluster("hello")
    (group,) = cluster.server_groups
    assert group.reason == "0 of 2 healthy: status 500 on the health check."
    assert group.instances[0].reason == reason
    assert cluster.reason == "No instance of hello-v000 is healthy."


async def test_a_shrunk_group_says_so(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.delivery.resize(DEE, "hello-v000", 0, 0, 2)
    assert (await road.delivery.server_group("hello-v000")).reason == "It is shrunk to no instances."


async def test_a_cluster_in_mid_deploy_names_its_deployment(road: Road) -> None:
    await road.shipped("1.0")
    road.cloud.faults[await road.image("2.0")] = Fault("unhealthy", "still starting")
    view = await road.begin("2.0")
    assert (await road.delivery.cluster("hello")).deployment == view.id
    await road.delivery.cancel(DEE, view.id)
    await road.end(view.id)
    assert (await road.delivery.cluster("hello")).deployment is None


async def test_health_that_nobody_knows_is_called_unknown_and_moves_no_traffic(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    reading = road.cloud.target_health
    why = "Health checks are not known: the host has not answered since 10:00:00 UTC"

    async def unknown(target_group_id: str) -> list[TargetHealth]:
        return [replace(it, state="unavailable", reason=why) for it in await reading(target_group_id)]

    road.cloud.target_health = unknown  # type: ignore[method-assign]
    cluster = await road.delivery.cluster("hello")
    serving = cluster.server_groups[0]
    assert (serving.healthy, serving.unknown) == (0, 2)
    assert {instance.health for instance in serving.instances} == {"unavailable"}
    assert cluster.reason == f"Whether hello-v001 serves is not known: {why}."
    with pytest.raises(Guarded):
        await road.delivery.disable(DEE, "hello-v001")
    with pytest.raises(Conflict):
        await road.delivery.enable(DEE, "hello-v000")


async def test_a_group_that_the_listener_has_no_room_for_is_not_called_unhealthy(road: Road) -> None:
    for version in range(6):
        await road.shipped(f"{version}.0")
    oldest = (await road.delivery.cluster("hello")).server_groups[-1]
    assert (oldest.name, oldest.desired, oldest.unknown) == ("hello-v000", 2, 2)
    assert "its health is not checked: a listener holds at most 5 groups" in oldest.reason
    assert not any(instance.reason for instance in oldest.instances)
    assert (await road.delivery.rollback(DEE, "hello", "hello-v000")).enabled == "hello-v000"
    back = await road.delivery.server_group("hello-v000")
    assert (back.healthy, back.unknown, back.reason) == (2, 0, "")
