"""Two connections coupled: what one receives the other sends, ends and resets included."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import cast

_AT_ONCE = struct.pack("ii", 1, 0)


class End(asyncio.Protocol):
    """One of the two. It does not read before it is coupled."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.connecting: asyncio.Task[None] | None = None
        """What makes the other end, meanwhile."""
        self._other: End | None = None
        self._early: list[bytes] = []
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one, though no subclass
        self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        if self._other is None:
            self._early.append(data)
        else:
            self._other.write(data)

    def eof_received(self) -> bool:
        self._has_ended = True
        if self._other is not None:
            self._other.end(self)
        return True

    def pause_writing(self) -> None:
        if self._other is not None:
            self._other.read(on=False)

    def resume_writing(self) -> None:
        if self._other is not None:
            self._other.read(on=True)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.connecting is not None:
            self.connecting.cancel()
        if self._other is not None:
            if exc is None:
                self._other.close()
            else:
                self._other.reset()

    def couple(self, other: End) -> None:
        """From here on."""
        self._other, other._other = other, self
        for one, its_other in ((self, other), (other, self)):
            for data in one._early:
                its_other.write(data)
            if one._has_ended:
                its_other.end(one)
            if one.transport is None:
                its_other.close()
            one.read(on=True)

    def write(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    def read(self, *, on: bool) -> None:
        if self.transport is not None and not self.transport.is_closing():
            if on:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def end(self, other: End) -> None:
        """The other one has nothing more to send."""
        if self.transport is None or self.transport.is_closing():
            return
        if self._has_ended:
            self.close()
            other.close()
        else:
            with suppress(OSError, RuntimeError):  # it is just being lost
                self.transport.write_eof()

    def close(self) -> None:
        """Once all that is under way has been sent."""
        if self.transport is not None:
            self.transport.close()

    def reset(self) -> None:
        """As by one who is not there."""
        if self.transport is not None:
            known = self.transport.get_extra_info("socket")
            with suppress(OSError):
                known.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self.transport.abort()
