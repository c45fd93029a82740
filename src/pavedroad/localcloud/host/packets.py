"""A packet socket on the event loop: whole messages both ways, descriptors along with them."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections import deque
from collections.abc import Callable

from pavedroad.localcloud.host.nursery.messages import LONGEST, Message, decode, encode

_OVERHEAD = 1024
_LATER = frozenset({errno.ETOOMANYREFS, errno.ENOBUFS, errno.ENOMEM})
_RETRY_SECONDS = 0.05


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends, ours non-blocking, with room for the longest packet where the system lets us."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST)
    return ours, theirs


class Packets:
    """One end. `heard` gets each message, `ended` is called once when the other side has closed."""

    def __init__(
        self, end: socket.socket, heard: Callable[[Message], None], ended: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = end
        self._heard = heard
        self._ended = ended
        self._waiting: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._open = True
        self._loop.add_reader(end, self._read)

    @property
    def is_open(self) -> bool:
        return self._open

    def send(self, message: Message, *passing: int) -> None:
        """Queued where the other side is slow. The descriptors that are passed are closed here. `OSError`
        for a packet that is too long."""
        packet = encode(message)
        if len(packet) > self._end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - _OVERHEAD:
            _close(passing)
            raise OSError(errno.EMSGSIZE, "its environment and user data are too long")
        self._waiting.append((packet, passing))
        if len(self._waiting) == 1:
            self._write()

    def drain(self) -> None:
        """Hear what has arrived already."""
        while self._open and self._read():
            pass

    def close(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._end)
            self._loop.remove_writer(self._end)
            self._end.close()
            while self._waiting:
                _close(self._waiting.popleft()[1])

    def _read(self) -> bool:
        try:
            packet = self._receive()
        except BlockingIOError:
            return False
        except OSError:
            packet = b""
        if packet:
            self._heard(decode(packet))
            return True
        self.close()
        self._ended()
        return False

    def _receive(self) -> bytes:
        """What the other side said before it closed is there, even where it has left packets of ours unread:
        that is told first, and once."""
        try:
            return self._end.recv(LONGEST)
        except ConnectionResetError:
            return self._end.recv(LONGEST)

    def _write(self) -> None:
        while self._open and self._waiting:
            packet, passing = self._waiting[0]
            try:
                if passing:
                    socket.send_fds(self._end, [packet], passing)
                else:
                    self._end.send(packet)
            except BlockingIOError:
                self._loop.add_writer(self._end, self._write)
                return
            except OSError as error:
                self._loop.remove_writer(self._end)
                if error.errno in _LATER:
                    self._loop.call_later(_RETRY_SECONDS, self._write)
                return  # else the other side is gone, and the reader sees it
            self._waiting.popleft()
            _close(passing)
        if self._open:
            self._loop.remove_writer(self._end)


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
