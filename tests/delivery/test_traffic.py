"""Roll back, enable, disable, resize, destroy - and what guards them."""

from __future__ import annotations

import asyncio

import pytest

from pavedroad.clouds.memory_fleet import Fault
from pavedroad.core.errors import Cold, Conflict, DeployFailed, Forbidden, Guarded, InvalidInput, NotFound
from tests.delivery.road import DEE, VIC, Road
from tests.waiting import eventually_async


async def _healthy(road: Road, group: str, count: int) -> None:
    async def is_healthy() -> bool:
        return (await road.delivery.server_group(group)).healthy == count

    await eventually_async(is_healthy)


async def test_a_rollback_to_a_warm_group_is_one_flip_in_under_a_second(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    road.cloud.flips.clear()
    done = await road.delivery.rollback(DEE, "hello")
    assert (done.disabled, done.enabled) == ("hello-v001", "hello-v000")
    assert done.seconds < 1
    assert road.cloud.flips == [{"hello-v000": 100, "hello-v001": 0}]
    (entry,) = await road.audited(action="rollback")
    assert (entry.outcome, entry.detail["to"]) == ("done", "hello-v000")


async def test_a_second_rollback_goes_further_back_never_to_what_was_rolled_back(road: Road) -> None:
    for version in ("1.0", "2.0", "3.0"):
        await road.shipped(version)
    assert (await road.delivery.rollback(DEE, "hello")).enabled == "hello-v001"
    assert (await road.delivery.rollback(DEE, "hello")).enabled == "hello-v000"
    with pytest.raises(NotFound, match="no earlier server group"):
        await road.delivery.rollback(DEE, "hello")


async def test_a_rollback_to_a_named_group_may_also_go_forward(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.delivery.rollback(DEE, "hello")
    done = await road.delivery.rollback(DEE, "hello", "hello-v001")
    assert (done.enabled, await road.weights()) == ("hello-v001", {"hello-v000": 0, "hello-v001": 100})
    with pytest.raises(Conflict, match="all of the traffic already"):
        await road.delivery.rollback(DEE, "hello", "hello-v001")


async def test_a_rollback_to_a_shrunk_group_brings_it_up_first(road: Road) -> None:
    await road.shipped("1.0", capacity={"minimum": 2, "desired": 2, "maximum": 5})
    await road.shipped("2.0", strategy={"kind": "red-black", "shrink_after": "0s", "delete_after": "1h"})
    await _healthy(road, "hello-v000", 0)
    await road.delivery.rollback(DEE, "hello")
    back = await road.delivery.server_group("hello-v000")
    assert (back.weight, back.healthy, back.minimum, back.desired, back.maximum) == (100, 2, 2, 2, 5)


async def test_a_rollback_to_a_shrunk_group_can_be_refused_with_what_it_would_take(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.delivery.resize(DEE, "hello-v000", 0, 0, 2)
    with pytest.raises(Cold, match=r"v000 is shrunk: it is brought up first.* hello-v001 keeps the tr"):
        await road.delivery.rollback(DEE, "hello", when_cold="refuse")
    assert (await road.cloud.server_group("hello-v000")).desired == 0


async def test_a_rollback_that_is_given_up_leaves_a_shrunk_group_shrunk(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.delivery.resize(DEE, "hello-v000", 0, 0, 2)
    road.cloud.faults[await road.image("1.0")] = Fault("unhealthy", "still starting")
    looks = iter(range(3))

    async def hang_up() -> None:
        if next(looks) == 2:
            raise Conflict("hung up")

    with pytest.raises(Conflict, match="hung up"):
        await road.delivery.rollback(DEE, "hello", stop=hang_up)
    assert (await road.cloud.server_group("hello-v000")).desired == 0
    assert await road.weights() == {"hello-v000": 0, "hello-v001": 100}


async def test_a_listener_holds_five_groups_and_older_ones_come_back_all_the_same(road: Road) -> None:
    for version in range(8):
        await road.shipped(f"{version}.0")
    listener = (await road.cloud.balancer("hello")).listeners[0]
    assert len(listener.weights) == 5
    assert await road.weights() == {f"hello-v00{push}": 100 if push == 7 else 0 for push in range(8)}
    back = await road.delivery.rollback(DEE, "hello", "hello-v000")
    assert back.enabled == "hello-v000"
    await road.delivery.enable(DEE, "hello-v001")
    assert {name for name, share in (await road.weights()).items() if share} == {"hello-v000", "hello-v001"}


async def test_a_rollback_passes_over_a_sick_group_for_a_warm_one(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.shipped("3.0")
    road.cloud.faults[(await road.cloud.server_group("hello-v001")).image_id] = Fault("unhealthy", "sick")
    await _healthy(road, "hello-v001", 0)
    assert (await road.delivery.rollback(DEE, "hello")).enabled == "hello-v000"


async def test_a_rollback_to_a_group_that_does_not_come_up_leaves_the_traffic(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    road.cloud.faults[await road.image("1.0")] = Fault("crashes", "exited with status 1")
    await _healthy(road, "hello-v000", 0)
    with pytest.raises(DeployFailed, match="the traffic stays where it is"):
        await road.delivery.rollback(DEE, "hello")
    assert (await road.weights())["hello-v001"] == 100


async def test_nothing_changes_while_a_deployment_runs_but_sizes_may(road: Road) -> None:
    await road.shipped("1.0")
    image = await road.image("2.0")
    road.cloud.faults[image] = Fault("unhealthy", "not yet")
    begun = await road.begin("2.0")
    for change in (
        road.delivery.rollback(DEE, "hello"),
        road.delivery.disable(DEE, "hello-v000"),
        road.delivery.destroy(DEE, "hello-v000"),
        road.delivery.destroy_cluster(DEE, "hello"),
    ):
        with pytest.raises(Conflict, match=begun.id):
            await change
    resized = await road.delivery.resize(DEE, "hello-v000", 3, 3, 3)
    assert resized.desired == 3
    await road.delivery.cancel(DEE, begun.id)
    await road.end(begun.id)


async def test_two_rollbacks_at_once_do_not_fight(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    both = await asyncio.gather(
        road.delivery.rollback(DEE, "hello"), road.delivery.rollback(DEE, "hello"), return_exceptions=True
    )
    assert sum(not isinstance(done, BaseException) for done in both) == 1
    assert await road.weights() == {"hello-v000": 100, "hello-v001": 0}


async def test_the_last_group_that_serves_is_never_disabled_shrunk_or_destroyed(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    for change in (
        road.delivery.disable(DEE, "hello-v001"),
        road.delivery.destroy(DEE, "hello-v001"),
        road.delivery.resize(DEE, "hello-v001", 0, 0, 2),
    ):
        with pytest.raises(Guarded, match="hello-v001 is the last server group of hello that serves"):
            await change
    assert await road.weights() == {"hello-v000": 0, "hello-v001": 100}
    told = [(entry.action, entry.outcome) for entry in await road.audited(subject="hello-v001")]
    assert told == [
        *(("resize", "refused"), ("resize", "begun"), ("destroy", "refused"), ("destroy", "begun")),
        ("disable", "refused"),
    ]


async def test_a_group_beside_a_sick_one_counts_as_the_last(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0", strategy="none")
    road.cloud.faults[await road.image("2.0")] = Fault("unhealthy", "sick")
    await _healthy(road, "hello-v001", 0)
    with pytest.raises(Guarded):
        await road.delivery.disable(DEE, "hello-v000")


async def test_enabled_groups_share_and_a_disabled_one_gives_its_share_back(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    assert (await road.delivery.enable(DEE, "hello-v000")).weight == 50
    assert (await road.delivery.disable(DEE, "hello-v001")).weight == 0
    assert await road.weights() == {"hello-v000": 100, "hello-v001": 0}
    await road.delivery.disable(DEE, "hello-v001")


async def test_a_group_without_a_healthy_instance_is_not_enabled(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.delivery.resize(DEE, "hello-v000", 0, 0, 2)
    await _healthy(road, "hello-v000", 0)
    with pytest.raises(Conflict, match="no healthy instance"):
        await road.delivery.enable(DEE, "hello-v000")


async def test_destroying_a_group_removes_all_that_was_made_for_it(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.delivery.destroy(DEE, "hello-v000")
    assert await road.weights() == {"hello-v001": 100}
    await eventually_async(lambda: road.is_swept("hello-v000"))


async def test_destroying_a_cluster_removes_its_address_too(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.delivery.destroy_cluster(DEE, "hello")
    assert await road.cloud.balancers() == []
    for group in ("hello-v000", "hello-v001"):
        await eventually_async(lambda group=group: road.is_swept(group))
    with pytest.raises(NotFound):
        await road.delivery.cluster("hello")


@pytest.mark.parametrize("sizes", [(3, 2, 4), (1, 5, 4), (-1, 0, 1)])
async def test_sizes_that_contradict_each_other_are_refused(road: Road, sizes: tuple[int, int, int]) -> None:
    await road.shipped("1.0")
    with pytest.raises(InvalidInput):
        await road.delivery.resize(DEE, "hello-v000", *sizes)


async def test_what_is_not_there_is_named_with_what_is(road: Road) -> None:
    await road.shipped("1.0")
    with pytest.raises(NotFound, match="hello-v009") as refusal:
        await road.delivery.enable(DEE, "hello-v009")
    assert "hello-v000" in (refusal.value.next_step or "")
    with pytest.raises(NotFound, match="There is no cluster 'nobody'"):
        await road.delivery.rollback(DEE, "nobody")
    with pytest.raises(NotFound, match="There is no server group 'nobody-v001'"):
        await road.delivery.destroy(DEE, "nobody-v001")
    with pytest.raises(NotFound, match="i-0123"):
        await road.delivery.console("i-0123")


async def test_a_viewer_changes_nothing(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    for change in (
        road.delivery.rollback(VIC, "hello"),
        road.delivery.enable(VIC, "hello-v000"),
        road.delivery.disable(VIC, "hello-v001"),
        road.delivery.resize(VIC, "hello-v001", 1, 1, 1),
        road.delivery.destroy(VIC, "hello-v000"),
        road.delivery.destroy_cluster(VIC, "hello"),
        road.delivery.cancel(VIC, "dep-1"),
    ):
        with pytest.raises(Forbidden):
            await change
    assert await road.weights() == {"hello-v000": 0, "hello-v001": 100}
