"""A cloud whose instances have networks of their own, where this machine allows that."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pavedroad.localcloud.host.network.possible import NetworkImpossible, require_namespaces
from tests.localcloud.running import RunningCloud, running_cloud

OPTIONS = ("--network", "namespaces")


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Skips, with what to type, where there can be none."""
    try:
        require_namespaces()
    except NetworkImpossible as refusal:
        pytest.skip(
            f"{refusal.sentence} Type: sudo apt-get install iproute2 nftables, and run the tests as root"
        )


@pytest.fixture(scope="module")
def walled(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCloud]:
    with running_cloud(tmp_path_factory.mktemp("walled") / "home", *OPTIONS) as running:
        yield running


@pytest.fixture
def fresh_walled(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCloud]:
    with running_cloud(tmp_path_factory.mktemp("walled") / "home", *OPTIONS) as running:
        yield running
