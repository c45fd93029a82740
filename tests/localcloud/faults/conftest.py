"""A bench of a test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.localcloud.faults.bench import FaultBench


@pytest.fixture
def bench(tmp_path: Path) -> FaultBench:
    return FaultBench(tmp_path)
