"""S3 in this process."""

from __future__ import annotations

import pytest

from tests.localcloud.moto_adapter.bench import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Shared by all tests of a process: use names of your own."""
    return Bench(tmp_path_factory.mktemp("bench"))
