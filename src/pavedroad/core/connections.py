"""Connections that a stranger can neither fill nor keep: heads have a size and a time, what is not read is
not kept for ever, and where there is no room, the one that has waited longest without asking makes it."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from http import HTTPStatus
from typing import Literal, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pavedroad.core.limits import most_connections

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 60.0
"""From a request's first byte, or the connection's beginning, to the end of its headers."""
KEEP_ALIVE_SECONDS = 75
"""Between an answer and the next request."""
LINGER_SECONDS = 5.0
"""How long the rest of a request is read that has been answered already, so that the answer is seen."""
UNREAD_SECONDS = 60.0
"""How long an answer waits for a client that reads nothing of it."""
_PIPELINED = 500
"""Requests of one connection that wait for the answer to one before them."""
_ROOM = 8
"""Where room is needed, one of so many that ask nothing goes, so that it need not be made each time."""

Refused = Literal["no-http", "head-too-slow", "head-too-large"]

SAID_ALL = "pavedroad.said_all"
"""In the scope of a request whose other side has closed its half: perhaps it has hung up, which shows only
when something is written."""


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's, with limits. `refusal` words what it refuses, each server in its own manner."""

    _head: asyncio.TimerHandle | None = None
    _lingering: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _waiting_since = 0.0
    _head_bytes = 0
    _header_bytes = 0
    _too_large = False
    _whole = True

    @abstractmethod
    def refusal(self, why: Refused) -> tuple[int, str, bytes]:
        """Status, content type and body of the answer to what never was a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            self._make_room()
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        # Headers may come to an end with what came, and more than they with it.
        if self._head is not None and self._head_bytes > HEAD_BYTES:
            self._refuse("head-too-large")
        elif (
            self._head is None and self._whole and not self._answering() and not self.timeout_keep_alive_task
        ):
            self._await_head(begun=len(data))  # empty lines, say: they begin no request, yet something came

    def eof_received(self) -> bool | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Who has said all there is to say may still listen."""
        if not (self._whole and self._answering()):
            return None
        self.cycle.keep_alive = False
        self.cycle.scope[SAID_ALL] = True  # type: ignore[typeddict-unknown-key]
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._await_reading(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def on_message_begin(self) -> None:
        self._await_head(begun=1)
        self._whole = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Those after a chunked body come here too."""
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEAD_BYTES:
            self._too_large = True
            raise httptools.HttpParserError("its headers are too large")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._cancel()
        super().on_headers_complete()
        if len(self.pipeline) > _PIPELINED:
            raise httptools.HttpParserError("too many requests wait for the answer to another")

    def on_message_complete(self) -> None:
        self._whole = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()  # uvicorn reads on after each answer, and what waits grew without end
        body_is_left = self._head is None and not self._whole and not self._answering()
        if body_is_left and not self.transport.is_closing():
            self._lingering = self.loop.call_later(LINGER_SECONDS, self._give_up)
        self._waiting_since = self.loop.time()

    def send_400_response(self, msg: str) -> None:
        self._refuse("head-too-large" if self._too_large else "no-http")

    def _answering(self) -> bool:
        cycle = vars(self).get("cycle")
        return cycle is not None and not cycle.response_complete

    def _await_head(self, begun: int = 0) -> None:
        self._cancel()
        self._head_bytes, self._header_bytes = begun, 0
        self._waiting_since = self.loop.time()
        self._head = self.loop.call_later(HEAD_SECONDS, self._refuse_slow)

    def _cancel(self) -> None:
        for timer in (self._head, self._lingering):
            if timer is not None:
                timer.cancel()
        self._head = self._lingering = None

    def _give_up(self) -> None:
        if not self._whole:
            self.transport.close()

    def _await_reading(self, left: int) -> None:
        self._unread = self.loop.call_later(UNREAD_SECONDS, self._abort_unread, left)

    def _abort_unread(self, left: int) -> None:
        """Hang up on who has read nothing since; who reads slowly may go on."""
        now = self.transport.get_write_buffer_size()
        if now < left:
            self._await_reading(now)
        else:
            self.transport.abort()

    def _make_room(self) -> None:
        """Hang up on those that have asked nothing for longest, else on those whose request does not come."""
        others = [it for it in cast("set[BoundedConnection]", self.connections) if it is not self]
        candidates = [it for it in others if not it._answering()] or [it for it in others if not it._whole]
        candidates.sort(key=lambda it: it._waiting_since)
        for leaving in candidates[: len(candidates) // _ROOM + 1] or [self]:
            self.connections.discard(leaving)
            leaving.transport.abort()

    def _refuse_slow(self) -> None:
        if self._head_bytes:
            self._refuse("head-too-slow")
        else:
            self.transport.close()  # an idle connection: nothing was asked

    def _refuse(self, why: Refused) -> None:
        if self.transport.is_closing():
            return
        if not (self._answering() and self.cycle.response_started):  # it is no place for another
            status, kind, body = self.refusal(why)
            self.transport.write(
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: {kind}\r\n"
                f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode()
                + body
            )
        self.transport.close()
