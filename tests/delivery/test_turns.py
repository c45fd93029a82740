"""One deployment at a time: others are refused by name, or wait in order; any can be cancelled."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from pavedroad.clouds.memory_fleet import Fault
from pavedroad.core.errors import Conflict, NotFound
from pavedroad.delivery.turns import Turns
from tests.delivery.road import DEE, Road, WatchedClouds, open_road
from tests.waiting import eventually_async


async def _stuck(road: Road, version: str = "2.0", **manifest: Any) -> str:
    """A deployment that waits for health that does not come."""
    road.cloud.faults[await road.image(version)] = Fault("unhealthy", "still starting")
    begun = await road.begin(version, **manifest)

    async def waiting() -> bool:
        return (await road.delivery.deployment(begun.id)).phase == "waiting"

    await eventually_async(waiting)
    return begun.id


async def test_a_second_deployment_is_refused_with_the_first_ones_name(road: Road) -> None:
    await road.shipped("1.0")
    first = await _stuck(road)
    for refused in (road.begin("3.0"), road.delivery.rollback(DEE, "hello")):
        with pytest.raises(Conflict, match=first) as refusal:
            await refused
        assert f"cancel it: paved cancel {first}." in (refusal.value.next_step or "")
    assert (await road.delivery.cluster("hello")).deployment == first
    await road.delivery.cancel(DEE, first)
    await road.end(first)
    await road.shipped("3.0")


async def test_of_many_at_once_one_goes_ahead(road: Road) -> None:
    await road.shipped("1.0")
    begun = await asyncio.gather(*(road.begin(f"2.{n}") for n in range(6)), return_exceptions=True)
    accepted = [view for view in begun if not isinstance(view, BaseException)]
    assert len(accepted) == 1
    assert all(isinstance(view, Conflict) for view in begun if isinstance(view, BaseException))
    assert (await road.end(accepted[0].id)).phase == "succeeded"
    assert len(await road.weights()) == 2


async def test_those_that_wait_take_their_turns_in_order(road: Road) -> None:
    await road.shipped("1.0")
    first = await _stuck(road)
    waiting = [(await road.begin(f"3.{n}", when_busy="wait")).id for n in range(3)]

    async def says_why() -> bool:
        return first in str((await road.delivery.deployment(waiting[0])).progress)

    await eventually_async(says_why)
    await road.delivery.cancel(DEE, first)
    ended = [await road.end(deployment) for deployment in waiting]
    assert [view.phase for view in ended] == ["succeeded"] * 3
    times = [view.finished_at for view in ended]
    assert times == sorted(times, key=str)
    assert (await road.delivery.server_group(ended[-1].server_group)).weight == 100


async def test_cancelling_takes_away_what_was_made_and_says_who(road: Road) -> None:
    await road.shipped("1.0")
    first = await _stuck(road)
    await road.delivery.cancel(DEE, first)
    view = await road.end(first)
    assert (view.phase, view.error) == ("cancelled", "dee cancelled the deployment.")
    await eventually_async(lambda: road.is_swept("hello-v001"))
    assert await road.weights() == {"hello-v000": 100}
    assert (await road.audited(action="cancel"))[0].outcome == "done"


async def test_cancelling_one_that_waits_for_health_gives_up_the_turn_within_two_seconds(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    first = await _stuck(road, "3.0")
    asked = time.monotonic()
    await road.delivery.cancel(DEE, first)
    await road.end(first)
    assert time.monotonic() - asked < 2
    assert (await road.delivery.rollback(DEE, "hello")).enabled == "hello-v000"


async def test_one_that_waits_for_its_turn_can_be_cancelled(road: Road) -> None:
    await road.shipped("1.0")
    first = await _stuck(road)
    second = (await road.begin("3.0", when_busy="wait")).id
    await road.delivery.cancel(DEE, second)
    assert (await road.end(second)).phase == "cancelled"
    assert (await road.delivery.deployment(first)).phase == "waiting"
    await road.delivery.cancel(DEE, first)
    await road.end(first)


async def test_what_has_ended_or_never_was_cannot_be_cancelled(road: Road) -> None:
    view = await road.shipped("1.0")
    with pytest.raises(Conflict, match="already succeeded"):
        await road.delivery.cancel(DEE, view.id)
    with pytest.raises(NotFound):
        await road.delivery.cancel(DEE, "dep-none")


async def test_a_restart_does_not_begin_the_wait_for_health_anew(tmp_path: Path) -> None:
    clouds, quick = WatchedClouds(), {"kind": "red-black", "boot_timeout": "4s"}
    async with open_road(tmp_path, clouds=clouds) as road:
        first = await _stuck(road, strategy=quick)
        waiting = time.monotonic()
        await asyncio.sleep(3)
    async with open_road(tmp_path, clouds=clouds) as road:
        assert "not healthy within 4 s" in (await road.end(first)).error
        assert time.monotonic() - waiting < 7


async def test_turns_and_the_queue_outlive_a_restart(tmp_path: Path) -> None:
    clouds = WatchedClouds()
    async with open_road(tmp_path, clouds=clouds) as road:
        await road.shipped("1.0")
        first = await _stuck(road)
        second = (await road.begin("3.0", when_busy="wait")).id
    async with open_road(tmp_path, clouds=clouds) as road:
        with pytest.raises(Conflict, match=first):
            await road.begin("4.0")
        road.cloud.faults.clear()
        image = await road.image("2.0")
        assert image
        await road.delivery.cancel(DEE, first)
        assert (await road.end(first)).phase == "cancelled"
        assert (await road.end(second)).phase == "succeeded"


async def test_a_clean_up_that_is_short_is_waited_out(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    met = asyncio.Event()
    seen = Turns._take  # pyright: ignore[reportPrivateUsage]

    async def take(turns: Turns, cluster: str, holder: str, doing: str) -> Conflict | None:
        refusal = await seen(turns, cluster, holder, doing)
        if refusal is not None:
            met.set()
        return refusal

    monkeypatch.setattr(Turns, "_take", take)
    turns = road.delivery._turns  # pyright: ignore[reportPrivateUsage]
    async with turns.operation("hello", "hello-v000 is being cleaned up", cleaning=True):
        asked = asyncio.create_task(road.delivery.rollback(DEE, "hello"))
        await met.wait()
    assert (await asked).enabled == "hello-v000"
