"""What destroys is written down before it is done, and is not done where that cannot be."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pavedroad.access.audit import DESTROYING
from pavedroad.access.model import ALLOWED, AuditQuery, Principal, Role
from pavedroad.access.service import Access
from pavedroad.core.clock import SystemClock
from pavedroad.core.errors import Forbidden, Unavailable
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.migrating import migrate

_ADMIN = Principal("root", frozenset({Role.ADMIN}))
_VIEWER = Principal("vic", frozenset({Role.VIEWER}))
_KILLED = """
import asyncio, os, sys
from pavedroad.access.model import Principal, Role
from pavedroad.access.service import Access
from pavedroad.core.clock import SystemClock
from pavedroad.database.engine import Database
async def main():
    access = Access(Database(sys.argv[1]), SystemClock())
    async with access.acting(Principal("root", frozenset({Role.ADMIN})), "destroy", "hello-v000"):
        os.kill(os.getpid(), 9)
asyncio.run(main())
"""


async def test_a_kill_in_the_midst_leaves_what_was_begun(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "platform.db")
    database = Database(url)
    migrate(database)
    died = subprocess.run([sys.executable, "-c", _KILLED, url], timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    (entry,) = await Access(database, SystemClock()).audit.entries(AuditQuery())
    assert (entry.principal, entry.action, entry.subject, entry.outcome) == (
        "root",
        "destroy",
        "hello-v000",
        "begun",
    )
    database.close()


@pytest.mark.parametrize("action", sorted(DESTROYING & ALLOWED.keys()))
async def test_where_it_cannot_be_written_down_nothing_is_destroyed(access: Access, action: str) -> None:
    database = access.audit._database  # pyright: ignore[reportPrivateUsage]
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit RENAME TO gone")
    with pytest.raises(Unavailable):
        async with access.acting(_ADMIN, action, "it"):
            raise AssertionError("it was done")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO audit")
    assert await access.audit.entries(AuditQuery()) == []


async def test_both_ends_are_written_down_and_a_refusal_begins_nothing(access: Access) -> None:
    async with access.acting(_ADMIN, "destroy", "it"):
        pass
    with pytest.raises(Forbidden):
        async with access.acting(_VIEWER, "destroy", "it"):
            raise AssertionError("it was done")
    entries = await access.audit.entries(AuditQuery())
    assert [entry.outcome for entry in entries] == ["refused", "done", "begun"]


def test_every_action_that_destroys_is_one_of_somebodys() -> None:
    """Groups shrink by themselves, by nobody's wish."""
    assert DESTROYING - ALLOWED.keys() == {"shrink"}
