"""The API's connections have limits, as the endpoint's have: what a stranger does to them stops nobody."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from uvicorn.server import ServerState

from pavedroad.core import connections
from pavedroad.core.limits import most_connections, raise_open_files
from pavedroad.platform.connections import Connection
from tests.waiting import eventually_async

ASKED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
FLOOD = b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n"


class Serving:
    def __init__(self, port: int, state: ServerState) -> None:
        self.port = port
        self.state = state
        self.open: list[asyncio.StreamWriter] = []

    async def connect(self, sent: bytes = b"", limit: int = 2**16) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=limit)
        self.open.append(writer)
        writer.write(sent)
        return reader

    async def said(self, *parts: bytes) -> bytes:
        reader = await self.connect()
        for part in parts:
            self.open[-1].write(part)
            await asyncio.sleep(0.001)
        return await asyncio.wait_for(reader.read(), 20)


async def until(condition: Callable[[], bool]) -> None:
    async def met() -> bool:
        return condition()

    await eventually_async(met, every=0.01)


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/healthz")
    async def healthz() -> str:
        return "well"

    @app.get("/flood")
    async def flood() -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 100_000
                await asyncio.sleep(0)

        return StreamingResponse(lines(), media_type="text/event-stream")

    return app


@pytest.fixture
async def serving(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serving]:
    """A server in a hurry."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.2)
    app: Any = application()
    config = uvicorn.Config(
        app, http=Connection, lifespan="off", ws="none", log_level="critical", timeout_keep_alive=1
    )
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    found = Serving(server.sockets[0].getsockname()[1], state)
    yield found
    for writer in found.open:
        writer.close()
    server.close()


def problem(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    found = json.loads(body)
    assert found["next_step"]
    assert found["status"] == int(head.split()[1])
    return found["status"], found["code"]


async def test_what_is_no_request_is_refused_as_a_problem(serving: Serving) -> None:
    junk = b"X-Junk: " + b"x" * 30_000 + b"\r\n"
    assert problem(await serving.said(ASKED, junk * 3 + b"\r\n")) == (431, "head-too-large")
    assert problem(await serving.said(b"\x16\x03\x01\x02\x00\x01")) == (400, "invalid-input")
    assert problem(await serving.said(ASKED)) == (408, "too-slow")


async def test_headers_without_end_are_read_no_further(serving: Serving) -> None:
    reader = await serving.connect(ASKED)
    writer, sent = serving.open[-1], 0
    with suppress(ConnectionError):
        for sent in range(200):  # noqa: B007
            writer.write(b"X: " + b"x" * 60_000 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.001)
    assert sent < 199
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 20)


@pytest.mark.parametrize(
    "nothing", [(b"",), (b"\r\n",), (ASKED + b"\r\n",), (ASKED + b"\r\n", b"\r\n", b"\r\n")], ids=repr
)
async def test_a_connection_that_asks_nothing_is_closed(serving: Serving, nothing: tuple[bytes]) -> None:
    await serving.said(*nothing)
    assert not serving.state.connections


async def test_a_client_that_reads_nothing_is_hung_up_on(serving: Serving) -> None:
    reader = await serving.connect(FLOOD, limit=1000)
    await until(lambda: bool(serving.state.tasks))
    await until(lambda: not serving.state.tasks and not serving.state.connections)
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 20)


async def test_a_client_that_reads_is_served_on(serving: Serving) -> None:
    reader = await serving.connect(FLOOD)
    loop = asyncio.get_running_loop()
    until, got = loop.time() + 1.0, 0
    while loop.time() < until:
        got += len(await reader.readexactly(2**18))
    assert got
    assert len(serving.state.connections) == 1


async def test_where_there_is_no_room_who_asks_nothing_makes_it(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 60.0)
    monkeypatch.setattr(connections, "most_connections", lambda: 20)
    follower = await serving.connect(FLOOD)
    first = await serving.connect()
    for _ in range(200):
        await serving.connect()
        await asyncio.sleep(0)
        assert len(serving.state.connections) <= 20
    assert (await serving.said(ASKED + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")
    assert await first.read() == b""
    assert await follower.readexactly(100_000)


def test_files_are_left_for_what_requests_need(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: told.append(limits))
    assert most_connections() == 768
    raise_open_files()
    assert told == [(4096, 4096)]
