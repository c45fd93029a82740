"""A bench of load balancers in the session's cloud, or in a cloud of the test's own."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.localcloud.balancing.bench import Bench
from tests.localcloud.running import RunningCloud


@pytest.fixture
def bench(cloud: RunningCloud) -> Generator[Bench]:
    bench = Bench(cloud)
    yield bench
    bench.close()


@pytest.fixture
def own_bench(fresh_cloud: RunningCloud) -> Generator[Bench]:
    """In a cloud that the test may stop, kill and start again."""
    bench = Bench(fresh_cloud)
    yield bench
    bench.close()
