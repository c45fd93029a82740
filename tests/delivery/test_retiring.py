"""What lost its traffic is kept warm, shrunk, deleted - and left alone as soon as it serves again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest
import sqlalchemy as sa

from pavedroad.clouds.ports import Cloud
from pavedroad.core.errors import Guarded
from pavedroad.delivery import retiring
from pavedroad.delivery.cluster import Cluster
from pavedroad.delivery.durable import Document
from pavedroad.delivery.retiring import Act, Retiring
from pavedroad.delivery.tables import RetirementRow
from tests.delivery.road import DEE, Road, WatchedClouds, open_road
from tests.waiting import eventually_async


def _strategy(shrink: str, delete: str) -> dict[str, Any]:
    return {"kind": "red-black", "shrink_after": shrink, "delete_after": delete}


class Decided(Protocol):
    """Waits until a retirement of that group has come to its time, and did something or left it alone."""

    async def __call__(self, group: str, *, acted: bool) -> None: ...


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> Decided:
    act, ends = Retiring.act, list[tuple[str, bool]]()

    async def listened_to(self: Retiring, document: Document, what: Act) -> bool:
        acted = await act(self, document, what)
        ends.append((str(document["server_group"]), acted))
        return acted

    async def has_decided(group: str, *, acted: bool) -> None:
        async def came() -> bool:
            return (group, acted) in ends

        await eventually_async(came)

    monkeypatch.setattr(Retiring, "act", listened_to)
    return has_decided


async def _is_shrunk(road: Road, group: str) -> bool:
    return (await road.delivery.server_group(group)).desired == 0


async def test_the_old_group_is_shrunk_and_then_deleted(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0", strategy=_strategy("1s", "3s"))
    assert (await road.delivery.server_group("hello-v000")).desired == 2
    await eventually_async(lambda: _is_shrunk(road, "hello-v000"))
    await eventually_async(lambda: road.is_swept("hello-v000"))
    assert await road.weights() == {"hello-v001": 100}
    told = [(e.principal, e.action, e.outcome) for e in await road.audited(subject="hello-v000")]
    assert told == [
        ("clean-up", action, outcome) for action in ("destroy", "shrink") for outcome in ("done", "begun")
    ]


async def test_a_group_that_was_rolled_back_to_is_left_alone(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0", strategy=_strategy("1s", "2s"))
    await road.delivery.rollback(DEE, "hello")
    await eventually_async(lambda: road.is_swept("hello-v001"))  # its turn to go, by the same delays
    old = await road.delivery.server_group("hello-v000")
    assert (old.weight, old.desired, old.healthy) == (100, 2, 2)


async def test_a_group_that_lost_its_traffic_again_gets_its_whole_time_anew(
    road: Road, decided: Decided
) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0", strategy=_strategy("2s", "1h"))
    await road.delivery.rollback(DEE, "hello")
    await road.shipped("3.0", strategy=_strategy("1h", "2h"))
    await decided("hello-v000", acted=False)  # the first retirement's time is over, and it counts no more
    assert (await road.delivery.server_group("hello-v000")).desired == 2


async def test_a_group_that_someone_enabled_is_left_alone(road: Road, decided: Decided) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0", strategy=_strategy("1s", "2s"))
    await road.delivery.enable(DEE, "hello-v000")
    await decided("hello-v000", acted=False)
    assert await road.weights() == {"hello-v000": 50, "hello-v001": 50}


async def test_clean_up_goes_on_after_a_restart(tmp_path: Path) -> None:
    clouds = WatchedClouds()
    async with open_road(tmp_path, clouds=clouds) as road:
        await road.shipped("1.0")
        await road.shipped("2.0", strategy=_strategy("1s", "2s"))
    async with open_road(tmp_path, clouds=clouds) as road:
        await eventually_async(lambda: road.is_swept("hello-v000"))
        assert await road.weights() == {"hello-v001": 100}


async def test_nothing_is_cleaned_up_while_nobody_healthy_serves(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, heard = retiring.someone_serves, list[bool]()

    async def listened_to(cloud: Cloud, cluster: Cluster) -> bool:
        heard.append(await ask(cloud, cluster))
        return heard[-1]

    async def asked_twice() -> bool:
        return len(heard) >= 2

    monkeypatch.setattr(retiring, "someone_serves", listened_to)
    await road.shipped("1.0")
    await road.shipped("2.0", strategy=_strategy("1s", "2s"))
    group = await road.cloud.server_group("hello-v001")
    await road.cloud.resize_server_group(group.name, minimum=0, maximum=2, desired=0)
    await eventually_async(asked_twice)
    assert not any(heard)
    assert (await road.delivery.server_group("hello-v000")).desired == 2
    await road.delivery.rollback(DEE, "hello")
    assert (await road.weights())["hello-v000"] == 100


async def test_a_group_that_is_disabled_by_hand_is_shrunk_and_deleted_too(road: Road) -> None:
    await road.shipped("1.0", strategy=_strategy("1s", "2s"))
    await road.shipped("2.0", strategy="none")
    await road.delivery.disable(DEE, "hello-v000")
    await eventually_async(lambda: road.is_swept("hello-v000"))
    assert await road.weights() == {"hello-v001": 100}


async def test_a_group_that_may_not_be_disabled_does_not_retire(road: Road) -> None:
    await road.shipped("1.0", strategy=_strategy("1s", "2s"))
    with pytest.raises(Guarded):
        await road.delivery.disable(DEE, "hello-v000")
    rows = await road.database.read(lambda session: session.scalars(sa.select(RetirementRow)).all())
    assert rows == []
