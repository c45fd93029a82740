from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pavedroad.access.service import Access
from pavedroad.core.clock import ManualClock
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.migrating import migrate


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 5, 1, 12, tzinfo=UTC))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path / "platform.db"))
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def access(database: Database, clock: ManualClock) -> Access:
    return Access(database, clock)
