"""What is kept of workflows is bounded, and what still runs is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from pavedroad.core.checkpoints import NoCheckpoints
from pavedroad.database.engine import sqlite_url
from pavedroad.delivery.durable import Document, Durable
from tests.waiting import eventually_async


async def test_what_is_kept_of_finished_workflows_is_forgotten_in_time(tmp_path: Path) -> None:
    url = sa.make_url(sqlite_url(tmp_path / "workflows.db"))
    durable = Durable(url, executor="test", checkpoints=NoCheckpoints())
    ran: list[str] = []

    async def sleep(document: Document) -> None:
        ran.append(document["name"])
        await durable.sleep(document["seconds"])

    durable.workflow("sleep", sleep)
    durable.start()
    try:
        await durable.begin("sleep", "short", {"name": "short", "seconds": 0})
        await durable.begin("sleep", "long", {"name": "long", "seconds": 600})
        await eventually_async(lambda: durable.is_over("short"))
        await durable.forget_finished(datetime.now(UTC) - timedelta(days=1))
        assert await durable.is_over("short")
        await durable.forget_finished(datetime.now(UTC) + timedelta(seconds=1))
        assert not await durable.is_over("short")
        await durable.begin("sleep", "long", {"name": "long", "seconds": 0})  # it is known, and runs once
        await durable.begin("sleep", "short", {"name": "short", "seconds": 0})
        await eventually_async(lambda: durable.is_over("short"))
        assert ran == ["short", "long", "short"]
    finally:
        await durable.close()
