"""A real Envoy for each test, and services that end with it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from pavedroad.localcloud.envoy.routing import EnvoyRouting
from tests.localcloud.envoy.services import Balancer, Behaviour, Process, Service, fresh_address

Serve = Callable[..., Awaitable[Service]]
Spawn = Callable[..., Awaitable[Process]]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The host's own kind of loop."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def balancer(tmp_path: Path) -> AsyncIterator[Balancer]:
    with tempfile.TemporaryDirectory(prefix="paved-", dir="/tmp") as sockets:
        routing = EnvoyRouting(tmp_path, Path(sockets))
        balancer = Balancer(routing)
        await routing.start()
        try:
            yield balancer
        finally:
            await balancer.client.aclose()
            await routing.close()


@pytest.fixture
async def service() -> AsyncIterator[Serve]:
    """Starts services: `await service("v1")`."""
    started: list[Service] = []

    async def start(label: str, behave: Behaviour | None = None) -> Service:
        started.append(one := Service(label, behave=behave))
        return await one.start()

    yield start
    for one in started:
        await one.stop()


@pytest.fixture
async def process() -> AsyncIterator[Spawn]:
    """Starts processes that serve: `await process("v1", count=3)`, on as many addresses."""
    started: list[Process] = []

    async def start(label: str, count: int = 1) -> Process:
        started.append(one := Process(label, [fresh_address() for _ in range(count)]))
        return await one.start()

    yield start
    for one in started:
        await one.kill()
