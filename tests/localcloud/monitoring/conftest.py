"""A bench, and the same behind an HTTP endpoint for boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.localcloud.monitoring.bench import Bench
from tests.localcloud.serving import serving
from tests.localcloud.signing import client_of


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def endpoint(bench: Bench) -> Iterator[str]:
    with serving(bench.service) as address:
        yield address


@pytest.fixture
def client(endpoint: str) -> Any:
    return client_of("cloudwatch", endpoint)
