"""Who takes the traffic has at least as many instances as who loses it, unless it was told."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from pavedroad.core.errors import Cold
from pavedroad.delivery.model import DeployRequest
from pavedroad.delivery.sizes import Sizes, of_new_group, standing_in
from tests.delivery.road import DEE, Road, manifest_of


async def _sizes(road: Road, group: str) -> Sizes:
    found = await road.cloud.server_group(group)
    return Sizes(found.minimum, found.desired, found.maximum)


async def _deploy(road: Road, version: str, told: int | Literal["manifest"], **manifest: Any) -> None:
    request = DeployRequest(manifest_of(**manifest), await road.image(version), capacity=told)
    ended = await road.end((await road.delivery.deploy(DEE, request)).id)
    assert ended.phase == "succeeded", ended.error


async def test_what_was_resized_by_hand_is_deployed_as_large(road: Road) -> None:
    await road.shipped("1")
    await road.delivery.resize(DEE, "hello-v000", 7, 7, 7)
    view = await road.shipped("2")
    assert await _sizes(road, "hello-v001") == Sizes(7, 7, 7)
    assert "Creating hello-v001 with 7 instances (paved.yaml says 2)" in view.progress[0].sentence
    assert (await road.delivery.server_group("hello-v001")).healthy == 7
    await road.delivery.resize(DEE, "hello-v001", 1, 1, 2)
    await road.shipped("3")
    assert await _sizes(road, "hello-v002") == Sizes(1, 1, 2)


async def test_a_larger_size_in_the_manifest_counts_and_a_smaller_one_when_told(road: Road) -> None:
    await road.shipped("1", capacity=2)
    await road.shipped("2", capacity=3)
    assert await _sizes(road, "hello-v001") == Sizes(3, 3, 3)
    await road.shipped("3", capacity=1)
    assert await _sizes(road, "hello-v002") == Sizes(3, 3, 3)
    await _deploy(road, "4", "manifest", capacity=1)
    assert await _sizes(road, "hello-v003") == Sizes(1, 1, 1)
    await _deploy(road, "5", 4, capacity=1)
    assert await _sizes(road, "hello-v004") == Sizes(4, 4, 4)


async def test_the_portal_s_way_to_deploy_keeps_it_too(road: Road) -> None:
    await road.shipped("1")
    await road.delivery.resize(DEE, "hello-v000", 2, 3, 5)
    begun = await road.delivery.redeploy(DEE, "hello", await road.image("2"))
    assert (await road.end(begun.id)).phase == "succeeded"
    assert await _sizes(road, "hello-v001") == Sizes(2, 3, 5)


async def test_who_shares_the_traffic_is_replaced_together(road: Road) -> None:
    await road.shipped("1", capacity=2)
    await road.shipped("2", capacity=1, strategy="none")
    await road.shipped("3", capacity=1)
    assert await _sizes(road, "hello-v002") == Sizes(3, 3, 3)


async def test_a_rollback_brings_a_smaller_group_up_before_the_traffic_moves(road: Road) -> None:
    await road.shipped("1")
    await road.shipped("2")
    await road.delivery.resize(DEE, "hello-v001", 2, 4, 6)
    await road.delivery.server_group("hello-v001")
    with pytest.raises(Cold, match="has 2 of the 4 instances"):
        await road.delivery.rollback(DEE, "hello", when_cold="refuse")
    assert (await road.delivery.rollback_plan("hello")).capacity == 4
    await road.delivery.rollback(DEE, "hello")
    assert await _sizes(road, "hello-v000") == Sizes(2, 4, 6)
    assert (await road.delivery.server_group("hello-v000")).healthy == 4


async def test_a_rollback_that_is_told_is_as_small_as_it_is_told(road: Road) -> None:
    await road.shipped("1")
    await road.shipped("2")
    await road.delivery.resize(DEE, "hello-v001", 4, 4, 4)
    await road.delivery.server_group("hello-v001")
    done = await road.delivery.rollback(DEE, "hello", capacity=2, when_cold="refuse")
    assert (done.enabled, await _sizes(road, "hello-v000")) == ("hello-v000", Sizes(2, 2, 2))


async def test_a_shrunk_group_comes_back_as_large_as_what_serves(road: Road) -> None:
    await road.shipped("1")
    await road.shipped("2")
    await road.delivery.resize(DEE, "hello-v000", 0, 0, 2)
    await road.delivery.resize(DEE, "hello-v001", 3, 3, 3)
    await road.delivery.rollback(DEE, "hello")
    back = await road.delivery.server_group("hello-v000")
    assert (back.weight, back.healthy, back.desired) == (100, 3, 3)


def test_the_arithmetic_keeps_ranges_and_moves_single_numbers() -> None:
    assert standing_in(Sizes(2, 3, 5), Sizes(1, 2, 2)) == Sizes(2, 3, 5)
    assert standing_in(Sizes(2, 2, 5), Sizes(2, 7, 9)) == Sizes(2, 7, 9)
    assert standing_in(Sizes(0, 0, 2), Sizes(0, 0, 0)) == Sizes(0, 1, 2)
    assert Sizes(2, 3, 5).told(8) == Sizes(2, 8, 8)
    assert Sizes(3, 3, 3).told(1) == Sizes(1, 1, 1)
    asked = Sizes(3, 3, 3)
    assert of_new_group(asked, None, Sizes(0, 0, 0), "") == asked
    assert of_new_group(asked, asked, Sizes(1, 1, 1), "") == Sizes(1, 1, 1)
    assert of_new_group(asked, Sizes(2, 2, 2), Sizes(1, 1, 1), "") == asked
