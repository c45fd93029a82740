"""What guests send to the outside world, sent on from the machine: connections, and questions of names."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Collection, Coroutine
from contextlib import suppress
from typing import Any

from pavedroad.localcloud.gate.coupling import End
from pavedroad.localcloud.gate.machine import Machine, Place

_LOG = logging.getLogger(__name__)
_SO_ORIGINAL_DST = 80
_IP_PKTINFO = 8
_DNS = 53
_LONGEST = 1 << 16
_ANSWER_SECONDS = 10.0
_MOST_QUESTIONS = 1000
_PAUSE = 0.1


class Outward:
    """`resolvers` may be asked for names even where they are this machine, whose services else are nobody's
    business."""

    def __init__(self, machine: Machine, resolvers: Collection[str]) -> None:
        self._machine = machine
        self._resolvers = frozenset(resolvers)
        self._under_way: set[asyncio.Task[None]] = set()
        self._questions: set[asyncio.Task[None]] = set()

    async def take_connections(self, listening: socket.socket) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                arrived, _ = await loop.sock_accept(listening)
            except OSError as error:
                _LOG.warning("A connection to the outside world was lost: %s", error)
                await asyncio.sleep(_PAUSE)
                continue
            _keep(self._under_way, self._pass_on(arrived))

    def take_questions(self, receiving: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(receiving, self._hear, receiving)

    async def _pass_on(self, arrived: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        place = _asked_for(arrived)
        try:
            _, inside = await loop.connect_accepted_socket(End, arrived)
        except OSError:
            arrived.close()
            return
        leaving: socket.socket | None = None
        try:
            leaving = await self._towards(place, socket.SOCK_STREAM)
            await loop.sock_connect(leaving, place)
            _, outside = await loop.create_connection(End, sock=leaving)
        except OSError:
            if leaving is not None:
                leaving.close()
            inside.reset()
            return
        inside.couple(outside)

    def _hear(self, receiving: socket.socket) -> None:
        with suppress(OSError):
            question, about, _, asker = receiving.recvmsg(_LONGEST, 64)
            if len(self._questions) < _MOST_QUESTIONS:
                _keep(self._questions, self._ask(receiving, question, _receiver(about), asker))

    async def _ask(self, receiving: socket.socket, question: bytes, resolver: str, asker: Place) -> None:
        loop = asyncio.get_running_loop()
        place = (resolver, _DNS)
        with suppress(OSError, TimeoutError):
            leaving = await self._towards(place, socket.SOCK_DGRAM)
            with leaving:
                leaving.connect(place)
                await loop.sock_sendall(leaving, question)
                answer = await asyncio.wait_for(loop.sock_recv(leaving, _LONGEST), _ANSWER_SECONDS)
            source = struct.pack("=I4s4s", 0, socket.inet_aton(resolver), b"\0" * 4)
            receiving.sendmsg([answer], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, asker)

    async def _towards(self, place: Place, kind: socket.SocketKind) -> socket.socket:
        own = place[1] == _DNS and place[0] in self._resolvers
        return await self._machine.towards(place, kind, own=own)


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _asked_for(arrived: socket.socket) -> Place:
    """Whom the guest has asked for, whatever its packets were redirected to."""
    try:
        port, address = struct.unpack("!2xH4s8x", arrived.getsockopt(socket.IPPROTO_IP, _SO_ORIGINAL_DST, 16))
    except OSError:
        address, port = arrived.getsockname()
        return address, port
    return socket.inet_ntoa(address), port


def _receiver(about: list[tuple[int, int, bytes]]) -> str:
    """Whom a datagram was for."""
    for level, kind, data in about:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            return socket.inet_ntoa(data[8:12])
    raise OSError("a datagram for nobody")
