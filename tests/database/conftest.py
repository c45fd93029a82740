from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pavedroad.database.engine import Database, sqlite_url
from tests.postgres import empty_database, postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        made = Database(sqlite_url(tmp_path / "platform.db"))
        yield made
        made.close()
        return
    server: str = request.getfixturevalue("postgres_server")
    with empty_database(server, f"test_{uuid.uuid4().hex[:8]}") as url:
        made = Database(url)
        yield made
        made.close()
