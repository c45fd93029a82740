"""The instance metadata service: a small HTTP server at each guest's own address, or one for all guests that
knows them by theirs."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import cast

import httptools

from pavedroad.core.callers import host_and_port
from pavedroad.core.seclusion import user_of
from pavedroad.localcloud.host import peers
from pavedroad.localcloud.host.metadata import Answer, Metadata
from pavedroad.localcloud.host.network.place import METADATA_PORT
from pavedroad.localcloud.host.peers import Place
from pavedroad.localcloud.wanted import Guest

_LARGEST = 64 * 1024
"""Of a request, all of it."""
_IDLE_SECONDS = 75.0
_ALL_HOPS = 64
_TOKEN_PATH = "/latest/api/token"  # noqa: S105 - a path
_TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds"
_TOKEN_HEADER = "x-aws-ec2-metadata-token"  # noqa: S105 - a header's name
_LINK_LOCAL = "169.254.169.254"
_OF_BROWSERS = ("origin", "sec-fetch-site", "sec-fetch-mode")


class Imds:
    """All guests' services, each at its guest's address, where any user of the machine could ask: the guest's
    own user and ours are answered. `open` gives the URL that a guest finds its own at."""

    def __init__(self) -> None:
        self._services: dict[str, tuple[Metadata, asyncio.Server, str]] = {}

    async def open(self, guest: Guest) -> str:
        """Serve at the guest's address, on the usual port or, where that is taken, on any."""
        if known := self._services.get(guest.id):
            known[0].update(guest)
            return known[2]
        metadata = Metadata(guest)
        users = {os.geteuid(), user_of(guest.address)}

        def known_to(peer: Place, here: Place) -> Metadata | None:
            return metadata if peers.user_of(peer, here) in users else None

        def connection() -> _Connection:
            return _Connection(known_to, guest.address)

        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(connection, guest.address, METADATA_PORT)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            server = await loop.create_server(connection, guest.address, 0)
        port = server.sockets[0].getsockname()[1]
        url = f"http://{guest.address}:{port}"
        self._services[guest.id] = (metadata, server, url)
        return url

    def update(self, guest: Guest) -> None:
        """Serve a guest's changed metadata."""
        if known := self._services.get(guest.id):
            known[0].update(guest)

    def close(self, guest_id: str) -> None:
        if known := self._services.pop(guest_id, None):
            known[1].close()

    def close_all(self) -> None:
        for guest_id in list(self._services):
            self.close(guest_id)


class GatewayImds:
    """As `Imds`, for guests with networks of their own: all ask at the same address, and a guest is known by
    the address that it asks from. Whoever asks from there in the machine's own network is no guest."""

    def __init__(self, gateway: str, url: str) -> None:
        self._gateway = gateway
        self._url = url
        self._guests: dict[str, str] = {}
        self._services: dict[str, Metadata] = {}
        self._server: asyncio.Server | None = None
        self._opening = asyncio.Lock()
        """Guests boot at once, and one of them opens it."""

    async def open(self, guest: Guest) -> str:
        async with self._opening:
            if self._server is None:
                self._server = await asyncio.get_running_loop().create_server(
                    lambda: _Connection(self._known_to, self._gateway), self._gateway, METADATA_PORT
                )
        self._guests[guest.id] = guest.address
        self._services.setdefault(guest.address, Metadata(guest)).update(guest)
        return self._url

    def update(self, guest: Guest) -> None:
        if guest.id in self._guests:
            self._services[guest.address].update(guest)

    def close(self, guest_id: str) -> None:
        if address := self._guests.pop(guest_id, None):
            self._services.pop(address, None)

    def close_all(self) -> None:
        self._guests.clear()
        self._services.clear()
        if self._server is not None:
            self._server.close()
            self._server = None

    def _known_to(self, peer: Place, here: Place) -> Metadata | None:
        return self._services.get(peer[0]) if peers.user_of(peer, here) in (None, os.geteuid()) else None


class _Connection(asyncio.Protocol):
    """One client's connection; httptools parses, the `Metadata` that is known to who connects answers. It is
    called by its address, or by that which such services have on AWS, and by no browser."""

    def __init__(self, metadata_of: Callable[[Place, Place], Metadata | None], address: str) -> None:
        self._metadata_of = metadata_of
        self._names = (address, _LINK_LOCAL)
        self._metadata: Metadata | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._url = b""
        self._headers: dict[str, str] = {}
        self._heard = 0
        self._hops: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, though no subclass
        ends = (transport.get_extra_info(end)[:2] for end in ("peername", "sockname"))
        self._metadata = self._metadata_of(*ends)
        self._idle = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle is not None:
            self._idle.cancel()

    def pause_writing(self) -> None:
        """Who reads no answers is asked for no more requests."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse()

    def on_message_begin(self) -> None:
        self._url, self._headers, self._heard = b"", {}, 0

    def on_url(self, url: bytes) -> None:
        self._hear(url)
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._hear(name + value)
        known, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[known] = f"{self._headers[known]}, {text}" if known in self._headers else text

    def on_body(self, body: bytes) -> None:
        self._hear(body)

    def _hear(self, more: bytes) -> None:
        self._heard += len(more)
        if self._heard > _LARGEST:
            raise httptools.HttpParserError("the request is too large")

    def on_message_complete(self) -> None:
        method = self._parser.get_method()
        self._send(self._answer(method), head=method == b"HEAD")

    def _answer(self, method: bytes) -> Answer:
        if self._metadata is None or not self._is_meant():
            return Answer(403)
        with suppress(httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            path = (httptools.parse_url(self._url).path or b"/").decode()
            if method == b"PUT":
                if path != _TOKEN_PATH:
                    return Answer(404)
                forwarded = "x-forwarded-for" in self._headers
                return self._metadata.token(self._headers.get(_TTL_HEADER), forwarded, time.time())
            if method in (b"GET", b"HEAD"):
                return self._metadata.read(path, self._headers.get(_TOKEN_HEADER), time.time())
            return Answer(405)
        return Answer(400)

    def _is_meant(self) -> bool:
        called = host_and_port(self._headers.get("host", ""))
        by_browser = any(name in self._headers for name in _OF_BROWSERS)
        return called is not None and called[0] in self._names and not by_browser

    def _send(self, answer: Answer, *, head: bool = False, close: bool = False) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        close = close or not self._parser.should_keep_alive()
        body = answer.body if answer.status == 200 else f"{HTTPStatus(answer.status).phrase}\n".encode()
        lines = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            "Content-Type: text/plain",
            f"Content-Length: {len(body)}",
            "Server: EC2ws",
        ]
        if answer.ttl is not None:
            lines.append(f"X-Aws-Ec2-Metadata-Token-Ttl-Seconds: {answer.ttl}")
        if close:
            lines.append("Connection: close")
        self._reach(answer.hops)
        self._transport.write("\r\n".join([*lines, "", ""]).encode() + (b"" if head else body))
        if close:
            self._transport.close()

    def _reach(self, hops: int | None) -> None:
        """A session token's packets live for as many hops as the instance's options say; others for all."""
        if self._transport is None or hops == self._hops:
            return
        self._hops = hops
        wire = self._transport.get_extra_info("socket")
        wire.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, _ALL_HOPS if hops is None else hops)

    def _refuse(self) -> None:
        self._send(Answer(400), close=True)
