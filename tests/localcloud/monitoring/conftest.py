"""A bench, and the same behind an HTTP endpoint."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import uvicorn

from pavedroad.localcloud.api.server import Endpoint
from tests.localcloud.monitoring.bench import ACCOUNT, REGION, Bench
from tests.waiting import eventually


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def endpoint(bench: Bench) -> Iterator[str]:
    """The bench's service behind the real endpoint, on a port of its own."""
    application = Endpoint([bench.service], lambda _key: ACCOUNT, dict)
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
        thread.start()
        try:
            eventually(lambda: server.started)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture
def client(endpoint: str) -> Any:
    return boto3.client(  # pyright: ignore[reportUnknownMemberType]
        "cloudwatch",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="AKIAEXAMPLEEXAMPLE01",
        aws_secret_access_key="any",
    )
