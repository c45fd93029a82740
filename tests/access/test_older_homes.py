"""What an earlier version wrote down is still read."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from pavedroad.access.model import AuditQuery
from pavedroad.access.service import Access
from pavedroad.core.clock import SystemClock
from pavedroad.database import migrating
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.migrating import migrate

_AUDIT = (
    "INSERT INTO audit (at, principal, action, subject, outcome, detail) "
    "VALUES ('2026-05-01 12:00:00', 'paved up', 'deploy', 'hello', 'done', '{}')"
)


async def test_entries_from_before_kinds_say_that_nobody_knows_who_it_was(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "platform.db"))
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parent / "migrations"))
    with database.engine.execution_options(writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(sa.text(_AUDIT))
    migrate(database)
    [entry] = await Access(database, SystemClock()).audit.entries(AuditQuery())
    assert (entry.principal, entry.kind, entry.actor_id) == ("paved up", "unknown", "")
    database.close()
