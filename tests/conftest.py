"""What tests of several packages share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running_platform import Platform

_HERE = Path(__file__).parent
_ALONE = frozenset({"fresh_platform", "fresh_cloud"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """A platform is set up once for all test processes, and what a file sets up once as well: their tests
    stay together. Those that start everything anew go wherever there is time."""
    for item in items:
        if "platform" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("platform"))
        elif _ALONE.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(_HERE).as_posix()))


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """A platform that runs, one for each test process; at the end nothing of it may be left."""
    with tempfile.TemporaryDirectory(prefix="paved-home-") as folder:
        running = Platform(Path(folder))
        try:
            running.start()
            yield running
        finally:
            running.stop()


@pytest.fixture
def fresh_platform() -> Iterator[Platform]:
    """A home with nothing in it yet; whatever a test starts there is stopped."""
    with tempfile.TemporaryDirectory(prefix="paved-home-") as folder:
        running = Platform(Path(folder))
        try:
            yield running
        finally:
            running.stop()
