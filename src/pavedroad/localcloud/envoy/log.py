"""Envoy's own log, which cannot grow without bound."""

from __future__ import annotations

import asyncio
from pathlib import Path

_LIMIT_BYTES = 1 << 20


class BoundedLog:
    """Two files: `path`, and `path.1` with what came before it."""

    def __init__(self, path: Path, limit: int = _LIMIT_BYTES) -> None:
        self._path = path
        self._limit = limit
        self.last_line = ""

    async def copy(self, source: asyncio.StreamReader | None) -> None:
        """Write everything from `source`, until it ends."""
        while source and (data := await source.read(65536)):
            self._write(data)

    def _write(self, data: bytes) -> None:
        lines = data.decode(errors="replace").split("\n")
        self.last_line = next((line.strip() for line in reversed(lines) if line.strip()), self.last_line)
        try:
            with self._path.open("ab") as log:
                log.write(data)
                full = log.tell() > self._limit
            if full:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
        except OSError:
            return  # A full disk must not stop the balancers.
