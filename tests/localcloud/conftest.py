"""Private clouds for tests: one shared by a session, or a fresh one."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.running import RunningCloud, running_cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCloud]:
    """Shared: use names of your own, and leave nothing that others would count."""
    with running_cloud(tmp_path_factory.mktemp("cloud") / "home") as running:
        yield running


@pytest.fixture
def fresh_cloud(tmp_path: Path) -> Generator[RunningCloud]:
    """A test's own, empty, which it may stop, kill and start again."""
    with running_cloud(tmp_path / "home") as running:
        yield running


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The services in this process, which has but one of them: use names of your own."""
    return Bench(tmp_path_factory.mktemp("bench"))
