"""Doors: places in the machine's network that lead to the same places inside."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pavedroad.localcloud.gate.coupling import End
from pavedroad.localcloud.gate.machine import Machine, Place

_USUAL = "127.0.0.1"
"""Whoever does not choose an address comes from it. Inside, the network chooses again."""
_AGAIN_SECONDS = 2.0
_RETRY_SECONDS = 0.1
_LONGEST = 1 << 26


class Doors:
    """As the host says, level-triggered: each of its lines has all of them."""

    def __init__(self, machine: Machine, *, again_seconds: float = _AGAIN_SECONDS) -> None:
        self._machine = machine
        self._again_seconds = again_seconds
        self._open: dict[Place, asyncio.Server] = {}

    async def follow(self, host: Path) -> None:
        """What is open stays open while the host is away; for ever."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(host), limit=_LONGEST)
            except OSError:
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            with suppress(OSError):
                await self._heed(reader, writer)
            writer.close()

    async def _heed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, wanted, refused = 0, frozenset[Place](), dict[Place, str]()
        line = asyncio.ensure_future(reader.readline())
        try:
            while True:
                await asyncio.wait([line], timeout=self._again_seconds if refused else None)
                news = line.done()
                if news:
                    if not (said := line.result()):
                        return
                    line = asyncio.ensure_future(reader.readline())
                    told = json.loads(said)
                    version, wanted = told["version"], frozenset((it[0], it[1]) for it in told["doors"])
                before, refused = refused, await self._have(wanted)
                if news or refused != before:
                    words = [[*place, why] for place, why in sorted(refused.items())]
                    writer.write(json.dumps({"version": version, "refused": words}).encode() + b"\n")
                    await writer.drain()
        finally:
            line.cancel()

    async def _have(self, wanted: frozenset[Place]) -> dict[Place, str]:
        """Those of them that cannot be opened."""
        for place in self._open.keys() - wanted:
            self._open.pop(place).close()
        if not (missing := wanted - self._open.keys()):
            return {}
        opened, refused = await self._machine.listen(missing)
        await self._serve(opened)
        return refused

    async def _serve(self, opened: Mapping[Place, socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        for place, listening in opened.items():
            self._open[place] = await loop.create_server(lambda place=place: _Arrival(place), sock=listening)


class _Arrival(End):
    """Somebody at a door."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        source: str = transport.get_extra_info("peername")[0]
        self.connecting = asyncio.create_task(self._let_in(source))

    async def _let_in(self, source: str) -> None:
        """As the one who comes, where that is not just anybody."""
        local = None if source == _USUAL else (source, 0)
        try:
            _, inside = await asyncio.get_running_loop().create_connection(
                End, *self._place, local_addr=local
            )
        except OSError:
            self.reset()
            return
        self.connecting = None
        self.couple(inside)
