"""The line of bakes: few build at once, the others wait in order; they and what they keep have bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from pavedroad.core.errors import Busy

AT_ONCE = 2
MOST = 24
MOST_BYTES = 8 * 1024**3


class Place:
    """A place in the line, from before anything is received until the bake has ended."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.bytes = 0

    def keep(self, size: int) -> None:
        """So much on disk for this bake, in all. Raises Busy where that is more than there is room for."""
        self._line.check_room(size - self.bytes)
        self.bytes = size


class Line:
    """`at_once` build, `most` are here in all, and keep `most_bytes` of what was received."""

    def __init__(self, at_once: int = AT_ONCE, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._at_once = at_once
        self._most = most
        self.most_bytes = most_bytes
        self._places: set[Place] = set()
        self._moved: dict[Place, asyncio.Event] = {}
        self.unpacking = asyncio.Semaphore(at_once)

    @contextmanager
    def place(self) -> Generator[Place]:
        """Raises Busy where the line is too long."""
        if len(self._places) >= self._most:
            raise _busy(f"{len(self._places)} bakes are under way or wait, and there is room for no more")
        mine = Place(self)
        self._places.add(mine)
        try:
            yield mine
        finally:
            self._places.discard(mine)

    @asynccontextmanager
    async def turn(self, report: Callable[[str], None], began: Callable[[], None]) -> AsyncGenerator[None]:
        """Wait, and say behind how many, until few enough are before; `began` is called then."""
        mine, told = Place(self), 0
        moved = self._moved[mine] = asyncio.Event()
        try:
            while (before := list(self._moved).index(mine)) >= self._at_once:
                if before != told:
                    report(
                        f"{before} bakes are before this one" if before > 1 else "1 bake is before this one"
                    )
                told = before
                moved.clear()
                await moved.wait()
            began()
            yield
        finally:
            del self._moved[mine]
            for other in self._moved.values():
                other.set()

    def check_room(self, more: int) -> None:
        kept = sum(place.bytes for place in self._places)
        if more > 0 and kept + more > self.most_bytes:
            raise _busy(f"Bakes that wait keep {kept:,} bytes, and there is room for {self.most_bytes:,}")


def _busy(why: str) -> Busy:
    return Busy(f"{why}.", next_step="Try again in half a minute.")
