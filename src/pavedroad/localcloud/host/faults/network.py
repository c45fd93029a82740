"""The way to guests whose network is made to fail: relays between them and whoever balances or probes.

A relay listens on an address of its own at the guest's ports, so that it needs no privilege and no kernel
module. It sees streams, not packets: what is lost comes again after TCP's time-out, as its receiver sees it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from pavedroad.localcloud.wanted import Affliction, Pool

_LOG = logging.getLogger(__name__)
_PIECE = 1 << 16
_MOST_WAITING = 64
"""Pieces on their way in one direction; who sends more waits."""
_RETRANSMIT_SECONDS = 0.2
"""Doubling with each loss in a row."""
_MOST_LOSSES = 5
_TRIES = 8
_FIRST_NETWORK, _NETWORKS = 1, 15
"""127.1.0.0 to 127.15.255.255, in which no private cloud has instances."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Of one guest, in all."""

    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    loss: float = 0.0
    cut: bool = False
    at_once: bool = False
    """Known without a check: its targets are unhealthy from the first moment."""

    @property
    def is_slow(self) -> bool:
        return self.delay_seconds > 0 or self.jitter_seconds > 0

    @classmethod
    def of(cls, afflictions: tuple[Affliction, ...]) -> Trouble | None:
        every = [it.numbers for it in afflictions if it.ailment == "network"]
        if not every:
            return None
        loss = max(it.get("loss_percent", 0) for it in every) / 100
        return cls(
            delay_seconds=sum(it.get("delay_ms", 0) for it in every) / 1000,
            jitter_seconds=max(it.get("jitter_ms", 0) for it in every) / 1000,
            loss=loss,
            cut=loss >= 1 or any(it.get("cut") for it in every),
            at_once=any(it.get("at_once") for it in every),
        )


class Relays:
    """Level-triggered: `have` says whose network fails; `reroute` leads pools around by relays."""

    def __init__(self) -> None:
        self._relays: dict[str, _Relay] = {}

    def have(self, troubles: Mapping[str, Trouble]) -> None:
        """By the guests' addresses."""
        for address in self._relays.keys() - troubles.keys():
            self._relays.pop(address).retire()
        for address, trouble in troubles.items():
            relay = self._relays.get(address)
            if relay is None:
                relay = self._relays[address] = _Relay(address)
            relay.suffer(trouble)

    def reroute(self, pool: Pool) -> Pool:
        """With its targets' `via` set where their network fails."""
        if not any(target.address in self._relays for target in pool.targets):
            return pool
        targets = tuple(
            replace(target, via=relay.reach({target.port, target.probe_port}))
            if (relay := self._relays.get(target.address))
            else target
            for target in pool.targets
        )
        return replace(pool, targets=targets)

    def close(self) -> None:
        for relay in self._relays.values():
            relay.close()
        self._relays.clear()


class _Relay:
    """For one guest. Retired, it takes nobody new, and passes on what is under way."""

    def __init__(self, guest: str) -> None:
        self._guest = guest
        self.trouble = Trouble()
        self._passable = asyncio.Event()
        self._address = ""
        self._listening: dict[int, socket.socket] = {}
        self._accepting: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[None]] = set()

    def suffer(self, trouble: Trouble) -> None:
        self.trouble = trouble
        if trouble.cut:
            self._passable.clear()
        else:
            self._passable.set()

    def reach(self, ports: set[int]) -> str:
        """Its address, listening at these ports; empty where none could be had, which the log says."""
        for attempt in range(_TRIES):
            address = self._address or _candidate(self._guest, attempt)
            try:
                for port in sorted(ports - self._listening.keys()):
                    self._listen(address, port)
            except OSError as error:
                if self._address or attempt == _TRIES - 1:
                    _LOG.error("No relay to %s could be opened: %s", self._guest, error)
                    return ""
                self._stop_listening()
                continue
            self._address = address
            break
        return self._address

    def retire(self) -> None:
        self._stop_listening()
        self.suffer(Trouble())

    def close(self) -> None:
        self._stop_listening()
        for connection in self._connections:
            connection.cancel()

    def _listen(self, address: str, port: int) -> None:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((address, port))
            listening.listen(1024)
            listening.setblocking(False)
        except OSError:
            listening.close()
            raise
        self._listening[port] = listening
        task = asyncio.create_task(self._accept(listening, port))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

    def _stop_listening(self) -> None:
        for task in self._accepting:
            task.cancel()
        for listening in self._listening.values():
            listening.close()
        self._listening.clear()

    async def _accept(self, listening: socket.socket, port: int) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listening)
            task = asyncio.create_task(self._relay(client, port))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _relay(self, client: socket.socket, port: int) -> None:
        writers: list[asyncio.StreamWriter] = []
        try:
            reader, writer = await asyncio.open_connection(sock=client)
            writers.append(writer)
            await self._passable.wait()
            # From whom it comes: a guest with a network of its own may let in nobody else.
            source = (client.getpeername()[0], 0)
            far_reader, far_writer = await asyncio.open_connection(self._guest, port, local_addr=source)
            writers.append(far_writer)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, far_writer, answers=False))
                both.create_task(self._carry(far_reader, writer, answers=True))
        except (OSError, ExceptionGroup):
            for writer in writers:
                writer.transport.abort()
        finally:
            for writer in writers:
                writer.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        """One direction, in order. Only answers are late, so that a round trip is late once."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST_WAITING)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._take(reader, waiting, answers=answers))
            both.create_task(self._give(waiting, writer))

    async def _take(
        self, reader: asyncio.StreamReader, waiting: asyncio.Queue[tuple[float, bytes]], *, answers: bool
    ) -> None:
        now = asyncio.get_running_loop().time
        due = 0.0
        while True:
            piece = await reader.read(_PIECE)
            due = max(due, now() + self._lateness(answers=answers))
            await waiting.put((due, piece))
            if not piece:
                return

    async def _give(self, waiting: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        now = asyncio.get_running_loop().time
        while True:
            due, piece = await waiting.get()
            await asyncio.sleep(max(0.0, due - now()))
            await self._passable.wait()
            if not piece:
                with suppress(OSError):
                    writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()

    def _lateness(self, *, answers: bool) -> float:
        trouble = self.trouble
        late = 0.0
        if answers and (trouble.delay_seconds or trouble.jitter_seconds):
            jitter = random.uniform(-1, 1) * trouble.jitter_seconds  # noqa: S311
            late = max(0.0, trouble.delay_seconds + jitter)
        losses = 0
        while losses < _MOST_LOSSES and random.random() < trouble.loss:  # noqa: S311
            late += _RETRANSMIT_SECONDS * 2**losses
            losses += 1
        return late


def _candidate(guest: str, attempt: int) -> str:
    number = zlib.crc32(f"{guest} {attempt}".encode())
    network = _FIRST_NETWORK + number % _NETWORKS
    return f"127.{network}.{number >> 8 & 0xFF}.{1 + (number >> 16) % 254}"
