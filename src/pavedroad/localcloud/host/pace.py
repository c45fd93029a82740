"""A steady pace for what comes in crowds, so that a thousand boots at once starve neither probes nor loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

_TICK = 0.01
_PER_TICK = 4


class Pace:
    """Calls what it is given in order: the first few at once, the rest so many a tick."""

    def __init__(self, per_tick: int = _PER_TICK) -> None:
        self._per_tick = per_tick
        self._waiting: deque[Callable[[], None]] = deque()
        self._ticking = False

    def then(self, call: Callable[[], None]) -> None:
        """Call this when its turn comes, never before this returns to the loop."""
        self._waiting.append(call)
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_soon(self._tick)

    async def turn(self) -> None:
        """Wait for one's turn."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.then(lambda: None if turn.done() else turn.set_result(None))
        await turn

    def _tick(self) -> None:
        for _ in range(min(self._per_tick, len(self._waiting))):
            self._waiting.popleft()()
        if self._waiting:
            asyncio.get_running_loop().call_later(_TICK, self._tick)
        else:
            self._ticking = False
