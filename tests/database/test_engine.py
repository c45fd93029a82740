"""Units of work: whole or not at all, side by side, off the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from pavedroad.core.errors import Conflict
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.migrating import migrate
from pavedroad.delivery.tables import TurnRow


def _insert(name: str) -> sa.Insert:
    row = {"cluster": name, "holder": "h", "doing": "d", "executor": "e", "taken_at": sa.func.now()}
    return sa.insert(TurnRow).values(row)


async def _count(database: Database) -> int | None:
    return await database.read(lambda session: session.scalar(sa.select(sa.func.count(TurnRow.cluster))))


async def test_work_that_raises_leaves_nothing_behind(database: Database) -> None:
    migrate(database)

    def work(session: Session) -> None:
        session.execute(_insert("hello"))
        raise Conflict("not now")

    with pytest.raises(Conflict):
        await database.write(work)
    assert await _count(database) == 0


async def test_many_writers_at_once_all_succeed(database: Database) -> None:
    migrate(database)
    await asyncio.gather(*(database.write(lambda s, n=n: s.execute(_insert(f"c{n}"))) for n in range(100)))
    assert await _count(database) == 100


async def test_two_processes_write_to_one_file_without_locking_each_other_out(database: Database) -> None:
    migrate(database)
    other = Database(database.url.render_as_string(hide_password=False))
    await asyncio.gather(
        *(
            writer.write(lambda s, n=n, w=w: s.execute(_insert(f"c{w}-{n}")))
            for n in range(40)
            for w, writer in enumerate((database, other))
        )
    )
    other.close()
    assert await _count(database) == 80


async def test_what_is_committed_to_a_file_is_on_its_disk(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "platform.db"))
    assert await database.read(lambda session: session.scalar(sa.text("PRAGMA synchronous"))) == 2
    database.close()
