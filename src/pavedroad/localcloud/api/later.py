"""Answers that may come later: who waits for them holds neither a thread nor the state lock.

A service that has nothing to say yet gives a `Later`, whose place is in the line of what it waits for. The
endpoint waits in its event loop, and asks again in a worker thread when the place is called.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pavedroad.localcloud.api.services import ApiResponse

Call = Callable[[], ApiResponse]
Ask = Callable[[Call], Awaitable[ApiResponse]]
"""Has a call made in a worker thread."""
Gone = Callable[[], Awaitable[None]]
"""Comes back when the client is no longer there."""


class Line:
    """Who waits for one thing, first come first. What comes is for one of them: one is called at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: dict[Place, None] = {}

    def join(self) -> Place:
        place = Place(self)
        with self._lock:
            self._places[place] = None
        return place

    def call(self) -> None:
        """The first, who has left the line by that."""
        with self._lock:
            place = next(iter(self._places), None)
            if place is not None:
                del self._places[place]
        if place is not None:
            place.called()

    def call_all(self) -> None:
        with self._lock:
            places = list(self._places)
            self._places.clear()
        for place in places:
            place.called()

    def forget(self, place: Place) -> None:
        with self._lock:
            self._places.pop(place, None)


class Place:
    """One who waits in a line. It is called once, from any thread."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._lock = threading.Lock()
        self._called = False
        self._heed: Callable[[], object] | None = None

    def heed(self, called: Callable[[], object]) -> None:
        """Have `called` called; at once where that was before."""
        with self._lock:
            self._heed = called
            if not self._called:
                return
        called()

    def called(self) -> None:
        with self._lock:
            self._called = True
            heed = self._heed
        if heed is not None:
            heed()

    def come(self) -> None:
        """Whoever waited asks again: the place is no longer needed."""
        self._line.forget(self)

    def leave(self) -> None:
        """Whoever waited has gone. If it has been called, the next one is."""
        with self._lock:
            self._heed = None
            called = self._called
        self._line.forget(self)
        if called:
            self._line.call()


@dataclass(frozen=True, slots=True, kw_only=True)
class Later(ApiResponse):
    """What is answered to who does not wait. `again` is asked when the place is called, or time is up."""

    place: Place
    seconds: float
    again: Call


class Waits:
    """The calls of one endpoint that wait."""

    def __init__(self) -> None:
        self.count = 0

    async def settled(self, ask: Ask, call: Call, gone: Gone) -> ApiResponse:
        """The answer of `call`, waited for. Once the client has `gone`, nothing more is taken for it."""
        answer = await ask(call)
        if not isinstance(answer, Later):
            return answer
        ended = asyncio.ensure_future(gone())
        self.count += 1
        try:
            while isinstance(answer, Later) and await _called(answer, ended):
                answer.place.come()
                answer = await ask(answer.again)
        finally:
            self.count -= 1
            ended.cancel()
        return answer


async def _called(later: Later, ended: asyncio.Future[None]) -> bool:
    """Whether it is time to ask again; else the client has gone."""
    loop = asyncio.get_running_loop()
    called = asyncio.Event()
    later.place.heed(lambda: loop.call_soon_threadsafe(called.set))
    waiting = asyncio.ensure_future(called.wait())
    stays = False
    try:
        await asyncio.wait({waiting, ended}, timeout=later.seconds, return_when=asyncio.FIRST_COMPLETED)
        stays = not ended.done()
        return stays
    finally:
        waiting.cancel()
        if not stays:
            later.place.leave()
