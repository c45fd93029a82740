"""Clouds whose instances have networks of their own, of root and of an ordinary user, where this machine
allows that."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

from pavedroad.localcloud.host.network.possible import NetworkImpossible, require_namespaces
from tests.localcloud.running import RunningCloud, running_cloud
from tests.ordinary import as_ordinary_user, folder_of_ordinary_user

OPTIONS = ("--network", "namespaces")
_TRIAL = "from pavedroad.localcloud.host.network.possible import require_namespaces; require_namespaces()"
USERS = [pytest.param("root", id="of-root"), pytest.param("ordinary", id="ordinary", marks=pytest.mark.slow)]


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Of root. Skips, with what to type, where there can be none."""
    try:
        way = require_namespaces()
    except NetworkImpossible as refusal:
        pytest.skip(
            f"{refusal.sentence} Type: sudo apt-get install iproute2 nftables, and run the tests as root"
        )
    if way != "machine":
        pytest.skip("The machine's own network is root's to change: run the tests as root")


@cache
def _why_no_annex() -> str:
    command = [*as_ordinary_user(), sys.executable, "-c", _TRIAL]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        return str(error)
    return tried.stderr.strip().rpartition("\n")[2] if tried.returncode else ""


@contextmanager
def cloud_of(user: str, request: pytest.FixtureRequest) -> Generator[RunningCloud]:
    with ExitStack() as stack:
        if user == "root":
            request.getfixturevalue("namespaces")
            temporary: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
            home, before = temporary.mktemp("walled") / "home", list[str]()
        else:
            if why := _why_no_annex():
                pytest.skip(f"An ordinary user can have no networks of their own here: {why}")
            home = Path(stack.enter_context(folder_of_ordinary_user())) / "home"
            before = as_ordinary_user()
        yield stack.enter_context(running_cloud(home, *OPTIONS, before=before))


@pytest.fixture(scope="module", params=USERS)
def walled(request: pytest.FixtureRequest) -> Generator[RunningCloud]:
    with cloud_of(request.param, request) as running:
        yield running


@pytest.fixture(params=USERS)
def fresh_walled(request: pytest.FixtureRequest) -> Generator[RunningCloud]:
    with cloud_of(request.param, request) as running:
        yield running


@pytest.fixture
def annexed(request: pytest.FixtureRequest) -> Generator[RunningCloud]:
    """Of an ordinary user, to kill parts of."""
    with cloud_of("ordinary", request) as running:
        yield running
