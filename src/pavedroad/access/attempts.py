"""Attempts with credentials that are not good: counted, slowed down, told to the audit log in bounded number.

All of it is in memory: a stranger's guesses shall cost no writes, and nobody outside can restart the process.
Good credentials are never turned away: on loopback the stranger and the owner come from the same address.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pavedroad.core.clock import Clock
from pavedroad.core.errors import TooManyAttempts

FREE = 5
"""Wrong attempts to sign in, of one address, that are answered without more ado."""
_FREE_TOGETHER = 50
_FREE_CALLS = 200
"""Wrong bearer tokens, of one address."""
_LONGEST_WAIT = 60
_FORGOTTEN_AFTER = 600.0
_ADDRESSES = 1000
_CALL_WAITS = 1.0
_WAITING_AT_ONCE = 50
_TOLD_AT_ONCE = 5
_TOLD_EVERY = 60.0

Tell = Callable[[str, str, str, int], Awaitable[None]]
"""Action, address, reason and count, for the log."""


@dataclass(slots=True)
class _Count:
    failures: int
    last: float


class _Counts:
    """Failures by address, forgotten after a while; of the addresses, the latest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts = OrderedDict[str, _Count]()

    def failed(self, address: str) -> int:
        now = self._clock.monotonic()
        known = self._counts.pop(address, None)
        if known is None or now - known.last > _FORGOTTEN_AFTER:
            known = _Count(0, now)
        known.failures, known.last = known.failures + 1, now
        self._counts[address] = known
        if len(self._counts) > _ADDRESSES:
            self._counts.popitem(last=False)
        return known.failures


class Attempts:
    """Used from one event loop."""

    def __init__(self, clock: Clock, tell: Tell) -> None:
        self._signing_in, self._together, self._calling = _Counts(clock), _Counts(clock), _Counts(clock)
        self._telling = _Telling(clock, tell)
        self._waiting = 0

    async def failed_sign_in(self, remote: str, reason: str) -> None:
        """Raises `TooManyAttempts` when it was one too many; the wait doubles with each."""
        await self._telling.tell("sign-in", remote, reason)
        beyond = max(
            self._signing_in.failed(remote) - FREE,
            self._together.failed("") - _FREE_TOGETHER,
        )
        if beyond > 0:
            raise _too_many(min(_LONGEST_WAIT, 2 ** min(beyond - 1, 10)))

    async def failed_call(self, remote: str, reason: str) -> None:
        """Returns late when there were many, so that who tries on and on waits for each answer."""
        await self._telling.tell("call", remote, reason)
        if self._calling.failed(remote) <= _FREE_CALLS:
            return
        if self._waiting >= _WAITING_AT_ONCE:
            raise _too_many(int(_CALL_WAITS))
        self._waiting += 1
        try:
            await asyncio.sleep(_CALL_WAITS)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        await self._telling.close()


class _Telling:
    """The first few attempts of an address at once, the rest as one count a minute."""

    def __init__(self, clock: Clock, tell: Tell) -> None:
        self._told = _Counts(clock)
        self._tell = tell
        self._held = dict[tuple[str, str, str], int]()
        self._later: asyncio.Task[None] | None = None

    async def tell(self, action: str, remote: str, reason: str) -> None:
        if self._told.failed(f"{action} {remote}") <= _TOLD_AT_ONCE:
            await self._tell(action, remote, reason, 1)
            return
        known = (action, remote, reason)
        if known not in self._held and len(self._held) >= _ADDRESSES:
            known = (action, "many addresses", reason)
        self._held[known] = self._held.get(known, 0) + 1
        if self._later is None:
            self._later = asyncio.create_task(self._tell_later())

    async def close(self) -> None:
        if self._later:
            self._later.cancel()
        await self._tell_held()

    async def _tell_later(self) -> None:
        await asyncio.sleep(_TOLD_EVERY)
        self._later = None
        await self._tell_held()

    async def _tell_held(self) -> None:
        """Where the log cannot be written the rest is held on, for the next time."""
        while self._held:
            known, count = self._held.popitem()
            try:
                await self._tell(*known, count)
            except Exception:
                self._held[known] = self._held.get(known, 0) + count
                raise


def _too_many(seconds: int) -> TooManyAttempts:
    return TooManyAttempts(
        "Too many wrong attempts came from here.",
        next_step=f"Wait {seconds} s before the next. What is right still opens: `paved open` gives a link.",
        retry_after=seconds,
    )
