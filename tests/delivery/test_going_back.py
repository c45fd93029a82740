"""A rollback goes to what served last, and says in advance where that is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from pavedroad.clouds.memory_fleet import Fault
from pavedroad.core.errors import Conflict, NotFound
from pavedroad.delivery.tables import TermRow
from tests.delivery.road import DEE, Road, WatchedClouds, open_road
from tests.waiting import eventually_async


async def _ship(road: Road, *versions: str) -> None:
    for version in versions:
        await road.shipped(version)


async def _back(road: Road, to: str | None = None) -> str:
    """Roll back; the plan and the page said before where it would go."""
    plan = await road.delivery.rollback_plan("hello", to)
    if to is None:
        shown = await road.delivery.rollback_of(await road.delivery.cluster("hello"))
        assert shown is not None
        assert shown.to.name == plan.to.name
    done = await road.delivery.rollback(DEE, "hello", to)
    assert done.enabled == plan.to.name
    return done.enabled


async def _nothing_earlier(road: Road) -> NotFound:
    assert await road.delivery.rollback_of(await road.delivery.cluster("hello")) is None
    with pytest.raises(NotFound, match="no earlier server group that served") as refusal:
        await road.delivery.rollback(DEE, "hello")
    return refusal.value


async def test_after_a_rollback_and_a_deployment_it_goes_to_the_good_one_not_to_the_bad(road: Road) -> None:
    await _ship(road, "1", "2")
    assert await _back(road) == "hello-v000"
    await _ship(road, "3")
    assert await _back(road) == "hello-v000"
    await _ship(road, "4", "5")
    assert await _back(road) == "hello-v003"
    assert await _back(road) == "hello-v000"


async def test_what_was_taken_back_is_offered_by_name_only(road: Road) -> None:
    await _ship(road, "1", "2")
    await _back(road)
    refusal = await _nothing_earlier(road)
    assert "paved rollback hello --to GROUP; there is hello-v001 (version 2)" in (refusal.next_step or "")


async def test_what_is_named_goes_forward_and_is_gone_back_from(road: Road) -> None:
    await _ship(road, "1", "2", "3")
    assert await _back(road, "hello-v000") == "hello-v000"
    await _nothing_earlier(road)  # both that came later were taken back
    assert await _back(road, "hello-v002") == "hello-v002"
    assert await _back(road) == "hello-v000"


async def test_what_was_disabled_by_hand_beside_an_earlier_one_was_taken_back(road: Road) -> None:
    await _ship(road, "1")
    await road.shipped("2", strategy="none")
    await road.delivery.disable(DEE, "hello-v001")
    await _nothing_earlier(road)
    await _ship(road, "3")
    assert await _back(road) == "hello-v000"


async def test_what_was_disabled_by_hand_beside_a_later_one_is_what_served_last(road: Road) -> None:
    await _ship(road, "1")
    await road.shipped("2", strategy="none")
    await road.delivery.disable(DEE, "hello-v000")
    assert await _back(road) == "hello-v000"


async def test_of_two_that_share_the_traffic_the_later_is_taken_back(road: Road) -> None:
    await _ship(road, "1", "2")
    await road.shipped("3", strategy="none")
    assert await _back(road) == "hello-v001"
    assert await road.weights() == {"hello-v000": 0, "hello-v001": 100, "hello-v002": 0}
    await road.delivery.enable(DEE, "hello-v000")
    assert await _back(road) == "hello-v000"  # which was the first of them to serve
    await _nothing_earlier(road)


async def test_a_rollback_by_hand_counts_as_one(road: Road) -> None:
    await _ship(road, "1", "2", "3")
    await road.delivery.enable(DEE, "hello-v001")
    await road.delivery.disable(DEE, "hello-v002")
    assert await _back(road) == "hello-v000"


async def test_what_others_did_to_the_traffic_is_seen(road: Road) -> None:
    await _ship(road, "1", "2", "3")
    cluster = await road.cloud.balancer("hello")
    weights = dict.fromkeys(cluster.listeners[0].weights, 0)
    first = (await road.cloud.target_group("hello-v000")).id
    await road.cloud.set_weights(cluster.listeners[0], {**weights, first: 7})
    await _ship(road, "4")
    assert await _back(road) == "hello-v000"


async def test_a_version_that_never_served_is_passed_over(road: Road) -> None:
    await _ship(road, "1")
    image = await road.image("2")
    road.cloud.faults[image] = Fault("crashes", "exited with status 1")
    assert (await road.deploy("2")).phase == "failed"
    await eventually_async(lambda: road.is_swept("hello-v001"))
    await _ship(road, "3")
    assert await _back(road) == "hello-v000"


async def test_what_was_destroyed_is_not_gone_back_to_nor_its_name_mistaken(road: Road) -> None:
    await _ship(road, "1", "2", "3")
    await _back(road)
    await _back(road)
    await _back(road, "hello-v002")
    await road.delivery.enable(DEE, "hello-v001")
    await road.delivery.disable(DEE, "hello-v002")
    await road.delivery.destroy(DEE, "hello-v002")
    await eventually_async(lambda: road.is_swept("hello-v002"))
    await _ship(road, "4")  # under the name of what was destroyed
    assert await road.weights() == {"hello-v000": 0, "hello-v001": 0, "hello-v002": 100}
    assert await _back(road) == "hello-v001"
    assert await _back(road) == "hello-v000"


async def test_it_is_known_after_a_restart_and_of_what_was_shipped_before_it_was_kept(tmp_path: Path) -> None:
    clouds = WatchedClouds()
    async with open_road(tmp_path, clouds=clouds) as road:
        await _ship(road, "1", "2")
        await _back(road)
        await _ship(road, "3")
    async with open_road(tmp_path, clouds=clouds) as road:
        assert await _back(road) == "hello-v000"
        await _ship(road, "4")
        await road.database.write(lambda session: session.execute(sa.delete(TermRow)))
        assert await _back(road) == "hello-v002"  # as the deployments tell


async def test_a_cluster_of_another_region_begins_anew(road: Road) -> None:
    await _ship(road, "1", "2")
    await road.delivery.destroy_cluster(DEE, "hello")
    await eventually_async(lambda: road.is_swept("hello-v001"))
    await road.shipped("3", region="eu-west-1")
    with pytest.raises(NotFound, match="no earlier server group"):
        await road.delivery.rollback(DEE, "hello")


async def test_before_and_after_it_names_group_version_commit_and_age(road: Road) -> None:
    await road.image("1.2", commit="3f2a91c0ffee")
    await _ship(road, "1.2", "1.3")
    plan = await road.delivery.rollback_plan("hello")
    said = r"goes back to hello-v000, version 1.2 \(3f2a91c\), \d+ seconds? old; it leaves hello-v001, "
    assert plan.back
    assert plan.ready
    assert [other.name for other in plan.others] == []
    assert re.search(said, plan.sentence), plan.sentence
    done = await road.delivery.rollback(DEE, "hello")
    assert "hello is again served by hello-v000, version 1.2 (3f2a91c), " in done.sentence
    assert "off: hello-v001, version 1.3, " in done.sentence


async def test_during_a_deployment_it_is_refused_with_the_way_out(road: Road) -> None:
    await _ship(road, "1", "2")
    image = await road.image("3")
    road.cloud.faults[image] = Fault("unhealthy", "not yet")
    begun = await road.begin("3")
    with pytest.raises(Conflict, match=begun.id) as refusal:
        await road.delivery.rollback(DEE, "hello")
    assert f"paved cancel {begun.id}" in (refusal.value.next_step or "")
    await road.delivery.cancel(DEE, begun.id)
    await road.end(begun.id)
    assert await _back(road) == "hello-v000"
