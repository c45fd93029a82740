from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from pavedroad.access.audit import Audit
from pavedroad.access.service import Access
from pavedroad.bakery.service import Bakery
from pavedroad.clouds.memory import MemoryClouds
from pavedroad.core.clock import SystemClock
from pavedroad.core.places import Places
from pavedroad.database.engine import Database, sqlite_url
from pavedroad.database.migrating import migrate
from tests.bakery.kitchen import Kitchen


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "home")
    places.prepare()
    return places


@pytest.fixture
def access(places: Places) -> Generator[Access]:
    database = Database(sqlite_url(places.database))
    migrate(database)
    yield Access(database, SystemClock())
    database.close()


@pytest.fixture
def audit(access: Access) -> Audit:
    return access.audit


@pytest.fixture
def kitchen(places: Places, access: Access, tmp_path: Path) -> Kitchen:
    clouds = MemoryClouds()
    bakery = Bakery(clouds, places, SystemClock(), access, step_seconds=120)
    (tmp_path / "store").mkdir()
    return Kitchen(bakery, clouds.region("us-east-1"), tmp_path / "store")
