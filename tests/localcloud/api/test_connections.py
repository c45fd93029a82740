"""What a stranger can do to a connection: nothing is kept for long or grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from pavedroad.core import connections
from pavedroad.localcloud.api import bodies
from pavedroad.localcloud.api.connections import Connection
from pavedroad.localcloud.api.server import Endpoint
from pavedroad.localcloud.api.signatures.gate import AnyCredentials

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n"
ASKED = b"GET /_pavedroad/health HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """An endpoint without services, in a hurry."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.1)
    monkeypatch.setattr(bodies, "_SILENCE_SECONDS", 0.3)
    endpoint: Any = Endpoint([], str, lambda: {"status": "ok"}, gate=AnyCredentials())
    config = uvicorn.Config(endpoint, http=Connection, lifespan="off", ws="none", log_level="critical")
    state = ServerState()
    serving = await asyncio.get_running_loop().create_server(
        lambda: Connection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    yield serving.sockets[0].getsockname()[1]
    serving.close()


async def said(port: int, *parts: bytes, half: bool = False, every: float = 0.0) -> bytes:
    """All that is answered until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read())
    try:
        for part in parts:
            if answer.done():
                break
            writer.write(part)
            await asyncio.sleep(every)
        if half:
            writer.write_eof()
        return await asyncio.wait_for(answer, 20)
    except ConnectionError:
        return b""
    finally:
        answer.cancel()
        writer.close()


def is_refused_as(code: str, answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 400 ") and b"xml" in head and f"<Code>{code}</Code>".encode() in body


async def test_heads_end_in_time(port: int) -> None:
    drops = (bytes([it]) for it in ASKED)
    assert is_refused_as("RequestTimeout", await said(port, *drops, every=0.02))
    assert await said(port) == b""
    first = await said(port, ASKED + b"\r\n", b"GET / HT")
    assert first.startswith(b"HTTP/1.1 200")
    assert b"RequestTimeout" in first


async def test_heads_are_bounded(port: int) -> None:
    junk = b"X-Junk: " + b"x" * 30_000 + b"\r\n"
    assert is_refused_as("RequestHeaderSectionTooLarge", await said(port, ASKED + junk * 3 + b"\r\n"))
    endless = await said(port, ASKED + b"X: ", *[b"x" * 10_000] * 8, every=0.001)
    assert is_refused_as("RequestHeaderSectionTooLarge", endless)
    chunked = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    assert b"RequestHeaderSectionTooLarge" in await said(port, chunked, junk * 3 + b"\r\n")


async def test_a_body_that_does_not_come_is_waited_for_no_longer(port: int) -> None:
    for body in (b"Content-Length: 10\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\nff\r\nhalf"):
        answer = await said(port, b"POST / HTTP/1.1\r\nHost: localhost\r\n" + body)
        assert is_refused_as("RequestTimeout", answer), answer


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        HEAD + b"Content-Length: 3\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"BREW / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_in_xml(port: int, nonsense: bytes) -> None:
    assert is_refused_as("BadRequest", await said(port, nonsense))


async def test_who_has_said_all_may_still_listen(port: int) -> None:
    assert b'"status": "ok"' in await said(port, ASKED + b"\r\n", half=True)
    two = await said(port, ASKED + b"\r\n" + ASKED + b"\r\n", half=True)
    assert two.count(b'"status": "ok"') == 2
    assert await said(port, ASKED, half=True) == b""


async def test_requests_that_wait_for_each_other_are_bounded(port: int) -> None:
    one = ASKED + b"\r\n"
    last = ASKED + b"Connection: close\r\n\r\n"
    assert (await said(port, one * 300 + last)).count(b"HTTP/1.1 200") == 301
    many = await said(port, one * 1000 + last)
    assert many.count(b"HTTP/1.1 200") < 1001
    assert b"BadRequest" in many
