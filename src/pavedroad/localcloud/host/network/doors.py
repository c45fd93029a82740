"""What the gate is to open in the machine's network, and what it could not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

Place = tuple[str, int]
"""An address and a port, the same outside and inside."""
Kind = Literal["balancers", "guests"]
_LONGEST = 1 << 24


class Doors:
    """Level-triggered. The gate connects, is told all that is to be open whenever that changes, and says when
    it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wanted: dict[Kind, frozenset[Place]] = {"balancers": frozenset(), "guests": frozenset()}
        self._server: asyncio.Server | None = None
        self._gate: asyncio.StreamWriter | None = None
        self.changed: Callable[[], None] = lambda: None
        """Called when `opened` or `refused` is another."""
        self.version = 0
        self.opened = 0
        """The version that the gate has seen to."""
        self.refused: dict[Place, str] = {}

    async def start(self) -> None:
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._welcome, self._path, limit=_LONGEST)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._gate is not None:
            self._gate.close()

    def have(self, kind: Kind, places: Iterable[Place]) -> int:
        """These of this kind and no others; the version in which they are."""
        wanted = frozenset(places)
        if wanted != self._wanted[kind]:
            self._wanted[kind] = wanted
            self.version += 1
            self._tell()
        return self.version

    def _tell(self) -> None:
        if self._gate is not None:
            every = sorted(frozenset[Place]().union(*self._wanted.values()))
            self._gate.write(json.dumps({"version": self.version, "doors": every}).encode() + b"\n")

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A gate: the latest one counts."""
        self._gate = writer
        self._tell()
        with suppress(OSError, ValueError):
            while line := await reader.readline():
                said = json.loads(line)
                self.opened = int(said["version"])
                self.refused = {(address, port): why for address, port, why in said["refused"]}
                self.changed()
        if self._gate is writer:
            self._gate = None
        writer.close()
