"""Delivery and its workflows with Postgres as the platform's database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pavedroad.clouds.memory_fleet import Fault
from pavedroad.core.errors import Conflict
from tests.delivery.road import DEE, WatchedClouds, open_road
from tests.postgres import empty_database, postgres
from tests.waiting import eventually_async


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def url(server: str) -> Iterator[str]:
    with empty_database(server, f"test_{uuid.uuid4().hex[:8]}") as made:
        yield made


async def test_deployments_rollbacks_and_restarts_work_the_same(tmp_path: Path, url: str) -> None:
    clouds = WatchedClouds()
    async with open_road(tmp_path, clouds=clouds, url=url) as road:
        await road.shipped("1.0")
        await road.shipped("2.0", strategy={"kind": "red-black", "shrink_after": "1s", "delete_after": "2s"})
        await eventually_async(lambda: road.is_swept("hello-v000"))
        road.cloud.faults[await road.image("3.0")] = Fault("unhealthy", "still starting")
        stuck = (await road.begin("3.0")).id
        with pytest.raises(Conflict, match=stuck):
            await road.begin("4.0")
        waiting = (await road.begin("4.0", when_busy="wait")).id
    async with open_road(tmp_path, clouds=clouds, url=url) as road:
        await road.delivery.cancel(DEE, stuck)
        assert (await road.end(stuck)).phase == "cancelled"
        ended = await road.end(waiting)
        assert ended.phase == "succeeded"
        assert (await road.delivery.rollback(DEE, "hello")).enabled == "hello-v001"
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM dbos.workflow_status").fetchone()
    assert row is not None
    assert row[0] >= 4
