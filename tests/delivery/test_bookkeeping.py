"""What a deployment did is written down in the end, however long the disk is full, and as it went."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pavedroad.core.errors import Conflict, Unavailable
from pavedroad.delivery.model import Phase
from pavedroad.delivery.tables import DeploymentRow, TurnRow
from tests.delivery.road import DEE, Road, WatchedClouds, open_road
from tests.waiting import eventually_async


class FullDisk:
    """From a point of a deployment on this process can write no file, until `freed`: as on a full disk."""

    def __init__(self, point: str) -> None:
        self._point = point
        self.armed = False
        self.full = False
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def reach(self, point: str) -> None:
        if self.armed and point == self._point:
            self.armed, self.full = False, True
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._limits[1]))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)


@pytest.mark.parametrize("point", ["before record", "after flip", "after plan"])
async def test_while_the_disk_is_full_a_deployment_waits_and_then_ends_as_it_went(
    tmp_path: Path, point: str
) -> None:
    disk = FullDisk(point)
    try:
        async with open_road(tmp_path, checkpoints=disk) as road:
            await road.shipped("1.0")
            disk.armed = True
            begun = await road.begin("2.0")

            async def told() -> str:
                return (await road.delivery.deployment(begun.id)).trouble

            sentence = await eventually_async(told)
            assert disk.full
            assert sentence.startswith(("It waits: The database does not", "It cannot be written down"))
            assert (await road.delivery.deployment(begun.id)).phase not in {"failed", "succeeded"}
            disk.free()
            ended = await road.end(begun.id)
            assert (ended.phase, ended.error, ended.trouble) == ("succeeded", "", "")
            assert await road.weights() == {"hello-v000": 0, "hello-v001": 100}
            assert (await road.delivery.rollback(DEE, "hello")).enabled == "hello-v000"
    finally:
        disk.free()


async def _broken_off(home: Path, clouds: WatchedClouds, point: str) -> str:
    """A deployment whose workflow has ended, at a point, and whose story has not."""
    async with open_road(home, clouds=clouds) as road:
        await road.shipped("1.0")
        view = await road.shipped("2.0")
        if point == "before flip":
            listener = (await road.cloud.balancer("hello")).listeners[0]
            old, new = sorted(listener.weights, key=lambda target: target.split("/")[1])
            await road.cloud.set_weights(listener, {old: 100, new: 0})

        def reopen(session: Session) -> None:
            changed = {"phase": Phase.FLIPPING, "finished_at": None}
            session.execute(sa.update(DeploymentRow).where(DeploymentRow.id == view.id).values(**changed))
            turn = TurnRow(
                cluster="hello",
                holder=view.id,
                doing="x",
                executor="control-0",
                taken_at=view.started_at,
                expires_at=None,
            )
            session.add(turn)

        await road.database.write(reopen)
        return view.id


@pytest.mark.parametrize(
    ("point", "phase", "told"),
    [
        ("after flip", "succeeded", ""),
        ("before flip", "failed", "It broke off, and could not be taken up again"),
    ],
)
async def test_what_broke_off_ends_as_the_cloud_says_and_frees_its_cluster(
    tmp_path: Path, point: str, phase: str, told: str
) -> None:
    clouds = WatchedClouds()
    deployment = await _broken_off(tmp_path, clouds, point)
    clouds.region("us-east-1").refuse("balancer", Unavailable("The cloud does not answer."))
    async with open_road(tmp_path, clouds=clouds, minded_every=0.2) as road:
        ended = await road.end(deployment)
        assert (ended.phase, ended.error.startswith(told)) == (phase, True)
        await road.shipped("3.0")


async def test_a_turn_that_was_lost_changes_nothing_any_more(road: Road) -> None:
    """A slow `disable` whose lease ran out, and a newer deployment meanwhile."""
    await road.shipped("1.0")
    await road.shipped("2.0")
    await road.delivery.enable(DEE, "hello-v000")
    reached, go_on, reading = asyncio.Event(), asyncio.Event(), road.cloud.balancer
    looks = 0

    async def slow(name: str) -> object:
        nonlocal looks
        looks += 1
        answer = await reading(name)
        if looks == 3:  # found, found in its turn, and now right before the write
            reached.set()
            await go_on.wait()
        return answer

    road.cloud.balancer = slow  # type: ignore[method-assign, assignment]
    disabling = asyncio.create_task(road.delivery.disable(DEE, "hello-v000"))
    await reached.wait()
    await road.database.write(lambda session: session.execute(sa.delete(TurnRow)))
    await road.shipped("3.0")
    held = await road.weights()
    go_on.set()
    with pytest.raises(Conflict, match="lost its turn at hello"):
        await disabling
    assert await road.weights() == held == {"hello-v000": 0, "hello-v001": 0, "hello-v002": 100}
    assert (await road.audited(action="disable"))[0].outcome == "refused"


async def test_traffic_that_somebody_else_changed_is_not_changed_back(road: Road) -> None:
    await road.shipped("1.0")
    await road.shipped("2.0")
    reading, looks = road.cloud.balancer, 0

    async def meddled(name: str) -> object:
        nonlocal looks
        looks += 1
        if looks == 3:
            (listener,) = (await reading(name)).listeners
            await road.cloud.set_weights(listener, dict.fromkeys(listener.weights, 50))
        return await reading(name)

    road.cloud.balancer = meddled  # type: ignore[method-assign, assignment]
    with pytest.raises(Conflict, match="Somebody else has changed the traffic of hello"):
        await road.delivery.enable(DEE, "hello-v000")
    assert await road.weights() == {"hello-v000": 50, "hello-v001": 50}


async def test_a_lease_is_renewed_while_its_operation_lives_and_ends_with_its_process(tmp_path: Path) -> None:
    async with open_road(tmp_path, lease=0.4) as road:
        turns = road.delivery._turns  # pyright: ignore[reportPrivateUsage]

        async def left() -> TurnRow | None:
            return await road.database.read(lambda session: session.get(TurnRow, "hello"))

        async with turns.operation("hello", "first") as turn:
            first = await left()
            assert first is not None

            async def renewed() -> bool:
                row = await left()
                return row is not None and str(row.expires_at) > str(first.expires_at)

            await eventually_async(renewed)
            with pytest.raises(Conflict, match="The cluster hello is busy: first"):
                async with turns.operation("hello", "second"):
                    raise AssertionError("two at once")
            await turn.check()
        left_behind = turns.held("hello", "operation-of-a-dead-process")
        await road.database.write(
            lambda session: turns.take(session, "hello", left_behind.holder, "dies", within=0.4)
        )
        async with turns.operation("hello", "third", patient=True) as third:
            with pytest.raises(Conflict, match="to another: third"):
                await left_behind.check()
            await third.check()
