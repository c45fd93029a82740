"""What goes on for as long as who asked may, such as live streams: ended the moment they may no more."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager

from pavedroad.access.model import Principal
from pavedroad.core.clock import Clock

_REMEMBERED = 10_000


class Lasting:
    """Used from one event loop. Whoever revokes a token or ends a session says so here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, set[Callable[[], None]]] = {}
        self._ended = OrderedDict[str, None]()

    @contextmanager
    def hold(self, principal: Principal, end: Callable[[], None]) -> Generator[None]:
        """For the body, `end` is called when the principal's session or token ends or expires."""
        by = principal.credential
        loop = asyncio.get_running_loop()
        if any(known in self._ended for known in by.ids):
            loop.call_soon(end)  # between the question who asks and now
        left = (by.until - self._clock.now()).total_seconds() if by.until else None
        timer = loop.call_later(max(0.0, left), end) if left is not None else None
        for known in by.ids:
            self._held.setdefault(known, set()).add(end)
        try:
            yield
        finally:
            if timer:
                timer.cancel()
            for known in by.ids:
                self._held[known].discard(end)
                if not self._held[known]:
                    del self._held[known]

    def end(self, ended: str) -> None:
        """End all that goes on for this token or session. Ids never come again."""
        self._ended[ended] = None
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
        for end in tuple(self._held.get(ended, ())):
            end()
