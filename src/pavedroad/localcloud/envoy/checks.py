"""One health check of one target, over its own connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import cache
from typing import cast

import httptools

from pavedroad.localcloud.envoy.health import FAILED, MISMATCH, TIMED_OUT, Outcome, matches
from pavedroad.localcloud.wanted import Probe

_ENOUGH_BYTES = 1 << 20


async def check(
    probe: Probe, address: str, port: int, source: str = "", *, through: socket.socket | None = None
) -> Outcome:
    """Never raises: whatever goes wrong is the outcome. From an address of ours, if one is given, or
    `through` a connection that is open, and is closed by it."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Outcome] = loop.create_future()
    tls = _unverified() if probe.protocol in ("HTTPS", "SSL") else None

    def asking() -> _Check:
        return _Check(probe, f"{address}:{port}", answer)

    if through is None:
        local = (source, 0) if source else None
        opened = loop.create_connection(asking, address, port, ssl=tls, local_addr=local)
    else:
        opened = loop.create_connection(
            asking, sock=through, ssl=tls, server_hostname=address if tls else None
        )
    connecting = asyncio.ensure_future(opened)
    connecting.add_done_callback(lambda done: _connected(done, answer))
    # Not a cancellation: on a loop that runs late, an answer that has arrived beats a timer that is due.
    timer = loop.call_later(probe.timeout_seconds, lambda: _settle(answer, _timed_out(connecting.done())))
    try:
        return await answer
    finally:
        timer.cancel()
        connecting.cancel()
        if connecting.done() and not connecting.cancelled() and connecting.exception() is None:
            connecting.result()[0].abort()


class _Check(asyncio.Protocol):
    """Sends the request, and settles `answer` when the response is complete."""

    def __init__(self, probe: Probe, host: str, answer: asyncio.Future[Outcome]) -> None:
        self._probe = probe
        self._host = host
        self._answer = answer
        self._parser = httptools.HttpResponseParser(self)
        self._received = 0
        self._content_type = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._probe.protocol in ("TCP", "SSL"):
            _settle(self._answer, Outcome())
            return
        # uvloop's transports are no subclasses of asyncio's.
        cast("asyncio.Transport", transport).write(
            f"GET {self._probe.path} HTTP/1.1\r\nHost: {self._host}\r\nConnection: close\r\n"
            "User-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.on_message_complete()
        except httptools.HttpParserError:
            _settle(self._answer, Outcome(FAILED, "Health checks failed: the answer is not HTTP"))
        if self._received > _ENOUGH_BYTES:
            self.on_message_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self._content_type = value.decode("latin-1")

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            return
        if matches(self._probe.matcher, status):
            _settle(self._answer, Outcome(content_type=self._content_type))
        else:
            _settle(self._answer, Outcome(MISMATCH, f"Health checks failed with these codes: [{status}]"))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer.done():
            return
        if exc is None and self._parser.get_status_code() and not self._parser.should_keep_alive():
            self.on_message_complete()
        _settle(self._answer, Outcome(FAILED, "Health checks failed: connection closed without an answer"))


def _connected(done: asyncio.Task[tuple[asyncio.Transport, _Check]], answer: asyncio.Future[Outcome]) -> None:
    if done.cancelled():
        return
    error = done.exception()
    if isinstance(error, ConnectionRefusedError):
        told = "Health checks failed: connection refused"
        _settle(answer, Outcome(FAILED, told, connected=False, refused=True))
    elif error is not None:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        _settle(answer, Outcome(FAILED, f"Health checks failed: {text}", connected=False))


def _timed_out(connected: bool) -> Outcome:
    return Outcome(TIMED_OUT, "Request timed out", connected)


def _settle(answer: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not answer.done():
        answer.set_result(outcome)


@cache
def _unverified() -> ssl.SSLContext:
    """As on AWS, a target's certificate is not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
