"""Connections that a stranger can neither fill nor keep: heads have a size and a time, and what is no HTTP
is refused in XML, as S3 does."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 60.0
"""From a request's first byte, or the connection's beginning, to the end of its headers."""
LINGER_SECONDS = 5.0
"""How long the rest of a request is read that has been answered already, so that the answer is seen."""
CLIENT_ENDED = "pavedroad.client_ended"
"""In the scope of a request whose client has closed its side of the connection, and may still listen."""

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Connection(HttpToolsProtocol):
    """uvicorn's, with limits."""

    _head: asyncio.TimerHandle | None = None
    _lingering: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _header_bytes = 0
    _too_large = False
    _whole = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        # Headers may come to an end with what came, and more than they with it.
        if self._head is not None and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._refuse_head()

    def eof_received(self) -> bool | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Who has said all there is to say may still listen."""
        if not (self._whole and self._answering()):
            return None
        self.cycle.keep_alive = False
        # Most who end here have hung up, so that nothing is worth waiting for on their behalf.
        cast("dict[str, Any]", self.cycle.scope)[CLIENT_ENDED] = True
        self.cycle.message_event.set()
        return True

    def _answering(self) -> bool:
        cycle = vars(self).get("cycle")
        return cycle is not None and not cycle.response_complete

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

    def on_message_complete(self) -> None:
        self._whole = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        body_is_left = self._head is None and not self._whole and not self._answering()
        if body_is_left and not self.transport.is_closing():
            self._lingering = self.loop.call_later(LINGER_SECONDS, self._give_up)

    def send_400_response(self, msg: str) -> None:
        if self._too_large:
            self._refuse_head()
        else:
            self._refuse("BadRequest", "An error occurred when parsing the HTTP request.")

    def _await_head(self, begun: int = 0) -> None:
        self._cancel()
        self._head_bytes, self._header_bytes = begun, 0
        self._head = self.loop.call_later(HEAD_SECONDS, self._refuse_slow)

    def _cancel(self) -> None:
        for timer in (self._head, self._lingering):
            if timer is not None:
                timer.cancel()
        self._head = self._lingering = None

    def _give_up(self) -> None:
        if not self._whole:
            self.transport.close()

    def _refuse_slow(self) -> None:
        if not self._head_bytes:
            self.transport.close()  # an idle connection: nothing was asked
            return
        self._refuse("RequestTimeout", "Your socket connection to the server was not read from in time.")

    def _refuse_head(self) -> None:
        said = "Your request header section exceeds the maximum allowed request header section size."
        self._refuse("RequestHeaderSectionTooLarge", said)

    def _refuse(self, code: str, message: str) -> None:
        if self.transport.is_closing():
            return
        body = f"{_XML}<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/xml\r\nconnection: close\r\n"
            + f"content-length: {len(body)}\r\n\r\n{body}".encode()
        )
        self.transport.close()
