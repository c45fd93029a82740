"""Where guests listen in networks of their own: the kernel is asked, since nobody tells."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from pavedroad.localcloud.host.network.doors import Place
from pavedroad.localcloud.host.nursery import linux

_LOG = logging.getLogger(__name__)
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST_DUMP = 0x301
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_LISTEN = 1 << 10
_HEADER, _REQUEST = struct.Struct("=IHHII"), struct.Struct("=BBBxI48x")
_ID = struct.Struct("!HH16s")
_ID_AT = _HEADER.size + 4
_MOST = 1 << 16
_TURNS = itertools.count(1)
_EVERY = 0.2
_REST = 30
"""Times what a look has taken, for which the next one waits, so that a thousand guests cost little."""
_EVERYWHERE = b"\0" * 16
_MAPPED = b"\0" * 10 + b"\xff\xff"
"""What an address of IPv4 begins with where a socket of IPv6 has it."""


class Listening:
    """Tells of guests' listening ports within a second or so; `changed` gets all of them."""

    def __init__(self, changed: Callable[[frozenset[Place]], None]) -> None:
        self._changed = changed
        self._guests: dict[str, socket.socket] = {}
        self._thread = ThreadPoolExecutor(1, "listening")
        self._known = frozenset[Place]()
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._looking = asyncio.create_task(self._look_for_ever())

    async def watch(self, address: str, space: int) -> None:
        """The guest of this network, which may be closed afterwards."""
        self.forget(address)
        ask = asyncio.get_running_loop().run_in_executor(self._thread, _ask_in, space)
        try:
            self._guests[address] = await ask
        except OSError as error:
            _LOG.warning("Where %s listens cannot be seen: %s", address, error)

    def forget(self, address: str) -> None:
        if asked := self._guests.pop(address, None):
            # On the thread, which may just be asking it.
            self._thread.submit(asked.close)

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
        for address in tuple(self._guests):
            self.forget(address)
        await asyncio.to_thread(self._thread.shutdown)

    async def _look_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = time.monotonic()
            found = await loop.run_in_executor(self._thread, _look, dict(self._guests))
            found = frozenset(place for place in found if place[0] in self._guests)
            if found != self._known:
                self._known = found
                self._changed(found)
            await asyncio.sleep(max(_EVERY, (time.monotonic() - began) * _REST))


def _ask_in(space: int) -> socket.socket:
    """A socket that answers for this network, from wherever it is asked."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        linux.enter_network(space)
        try:
            return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
        finally:
            linux.enter_network(home)
    finally:
        os.close(home)


def _look(guests: Mapping[str, socket.socket]) -> frozenset[Place]:
    found: set[Place] = set()
    for address, asked in guests.items():
        with suppress(OSError):
            own = socket.inet_aton(address)
            open_to_all = (_EVERYWHERE, own.ljust(16, b"\0"), _MAPPED + own)
            for family in (socket.AF_INET, socket.AF_INET6):
                found.update((address, port) for port, at in _listeners(asked, family) if at in open_to_all)
    return frozenset(found)


def _listeners(asked: socket.socket, family: socket.AddressFamily) -> Iterator[tuple[int, bytes]]:
    """Port and address of each listener, as the kernel has them."""
    request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _LISTEN)
    turn = next(_TURNS) & 0xFFFFFFFF
    header = _HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST_DUMP, turn, 0)
    asked.send(header + request)
    while True:
        answer = asked.recv(_MOST)
        at = 0
        while at + _HEADER.size <= len(answer):
            length, kind, _, of, _ = _HEADER.unpack_from(answer, at)
            start, at = at, at + (length + 3 & ~3)
            if of != turn:  # left of an earlier one that failed
                continue
            if kind == _NLMSG_DONE:
                return
            if kind == _NLMSG_ERROR:
                raise OSError(
                    -struct.unpack_from("=i", answer, start + _HEADER.size)[0], "the kernel refuses"
                )
            port, _, address = _ID.unpack_from(answer, start + _ID_AT)
            yield port, address
