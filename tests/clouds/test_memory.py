"""The cloud in memory keeps the contract, and breaks as it is told."""

from __future__ import annotations

import pytest

from pavedroad.clouds.memory import MemoryCloud, MemoryClouds
from pavedroad.clouds.memory_fleet import Fault
from pavedroad.clouds.ports import CloudProvider
from pavedroad.core.errors import CapacityRefused
from tests.clouds.contract import MINE, LivingCloudContract, a_group, a_service_image, a_target_group


@pytest.fixture
def cloud() -> MemoryCloud:
    return MemoryCloud(boot_steps=3)


class TestMemoryCloud(LivingCloudContract):
    pass


async def test_each_region_is_a_cloud_of_its_own() -> None:
    clouds: CloudProvider = MemoryClouds()
    await clouds.region("us-east-1").put_object("key", b"here")
    assert not await clouds.region("eu-west-1").objects("key")
    assert await clouds.region("us-east-1").objects("key")


async def test_refused_capacity_is_told_by_the_activities(cloud: MemoryCloud) -> None:
    image, targets = await a_service_image(cloud), await a_target_group(cloud)
    cloud.faults[image.id] = Fault("refused", "We currently do not have sufficient capacity")
    spec = a_group(image, targets)
    await cloud.create_server_group(spec)
    assert (await cloud.server_group(spec.name)).members == ()
    latest = (await cloud.activities(spec.name))[0]
    assert (latest.status, latest.message) == ("Failed", "We currently do not have sufficient capacity")


async def test_an_unhealthy_image_never_becomes_healthy_and_says_why(cloud: MemoryCloud) -> None:
    image, targets = await a_service_image(cloud), await a_target_group(cloud)
    (listener,) = (await cloud.ensure_balancer("lb", port=80, tags=MINE, known_by=MINE)).listeners
    await cloud.set_weights(listener, {targets.id: 0})
    cloud.faults[image.id] = Fault("unhealthy", "Health checks failed with these codes: [500]")
    await cloud.create_server_group(a_group(image, targets, size=1))
    states = [await cloud.target_health(targets.id) for _ in range(6)]
    assert [health[0].state for health in states[1:]] == [
        "initial",
        "initial",
        "unhealthy",
        "unhealthy",
        "unhealthy",
    ]
    assert "500" in states[-1][0].reason


async def test_a_crashing_image_is_replaced_again_and_again(cloud: MemoryCloud) -> None:
    image, targets = await a_service_image(cloud), await a_target_group(cloud)
    cloud.faults[image.id] = Fault("crashes", "exited with status 3")
    spec = a_group(image, targets, size=1)
    await cloud.create_server_group(spec)
    seen = {member.instance_id for _ in range(12) for member in (await cloud.server_group(spec.name)).members}
    assert len(seen) >= 3
    ended = await cloud.instances(sorted(seen))
    assert "exited with status 3" in {instance.state_reason for instance in ended}


async def test_the_next_call_can_be_made_to_fail(cloud: MemoryCloud) -> None:
    cloud.refuse("zones", CapacityRefused("no room"))
    with pytest.raises(CapacityRefused):
        await cloud.zones()
    assert await cloud.zones()
