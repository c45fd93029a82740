from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.localcloud.host.machine import Machine, processes_of
from tests.waiting import eventually


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One host for all tests of a file; nothing of it may be left."""
    home = tmp_path_factory.mktemp("cloud")
    running = Machine(home)
    yield running
    running.close()
    eventually(lambda: not processes_of(home))


@pytest.fixture
def new_machine(tmp_path: Path) -> Iterator[Callable[[], Machine]]:
    """Makes hosts on one home, for tests that kill theirs."""
    made: list[Machine] = []

    def make() -> Machine:
        made.append(Machine(tmp_path / "cloud"))
        return made[-1]

    yield make
    for machine in made:
        machine.close()
    eventually(lambda: not processes_of(tmp_path / "cloud"))
