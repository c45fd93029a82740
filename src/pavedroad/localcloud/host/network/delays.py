"""Guests whose network is slow: a process each in their namespaces, which lives as long as the delay."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pavedroad
from pavedroad.localcloud.host.faults.late import Way

_LOG = logging.getLogger(__name__)
_SOURCE = str(Path(pavedroad.__file__).parent.parent)
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop()); "
    "from pavedroad.localcloud.host.faults.late import main; main()"
)


@dataclass(frozen=True, slots=True)
class Slow:
    """A guest whose network is to be slow, in this namespace of its."""

    space: int
    way: Way
    delay_seconds: float
    jitter_seconds: float


class Delays:
    """Level-triggered."""

    def __init__(self) -> None:
        self._late: dict[Way, _Late] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def have(self, wanted: Mapping[str, Slow]) -> None:
        """By the guests' addresses: these and no others."""
        by_way = {it.way: it for it in wanted.values()}
        for way in self._late.keys() - by_way.keys():
            self._end(self._late.pop(way))
        for way, slow in by_way.items():
            if way not in self._late:
                self._late[way] = _Late(slow)
            self._late[way].be(slow.delay_seconds, slow.jitter_seconds)

    async def close(self) -> None:
        self.have({})
        await asyncio.gather(*self._ending)

    def _end(self, late: _Late) -> None:
        task = asyncio.create_task(late.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


class _Late:
    """One process. Its orders are a line each: a delay and a jitter."""

    def __init__(self, slow: Slow) -> None:
        self._numbers = (-1.0, -1.0)
        told, self._tell = os.pipe2(os.O_CLOEXEC)
        space = os.dup(slow.space)  # the guest may end before the process has begun
        self._starting = asyncio.create_task(asyncio.to_thread(_start, space, slow.way, told))

    def be(self, delay: float, jitter: float) -> None:
        if (delay, jitter) != self._numbers:
            self._numbers = (delay, jitter)
            with suppress(BrokenPipeError):  # it has failed, and said so in the log
                os.write(self._tell, json.dumps(self._numbers).encode() + b"\n")

    async def end(self) -> None:
        os.close(self._tell)
        try:
            process = await self._starting
        except OSError as error:
            _LOG.error("A network could not be made slow: %s", error)
            return
        await asyncio.to_thread(process.wait)


def _start(space: int, way: Way, orders: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, str(space), json.dumps(way), _SOURCE],
            stdin=orders,
            pass_fds=[space],
            cwd="/",
        )
    finally:
        os.close(space)
        os.close(orders)
