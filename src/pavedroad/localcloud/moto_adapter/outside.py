"""Long work in the middle of moto's calls is done with the lock let go.

What needs long work asks for its result by `outside`. Where there is none yet, the call ends there, with
nothing changed; the work is done with no lock held, and the call is made again. If what it is about has
changed by then, so has the key, and it comes round once more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

Result = TypeVar("Result")
Known = dict[Hashable, object]
_call = threading.local()


class Outside(BaseException):
    """No failure of the call, so nobody between here and `called` is to catch it."""

    def __init__(self, key: Hashable, work: Callable[[], object]) -> None:
        self.key = key
        self.work = work


def called(call: Callable[[], Result], known: Known | None = None) -> Result:
    """`call`, which takes the lock itself, as often as it finds more to be done first."""
    before: Known | None = getattr(_call, "known", None)
    _call.known = known = known or {}
    try:
        while True:
            try:
                return call()
            except Outside as wanted:
                known[wanted.key] = wanted.work()
    finally:
        _call.known = before


def outside(key: Hashable, work: Callable[[], Result]) -> Result:
    """The result of `work`, which must come before anything that the call changes."""
    known: Known | None = getattr(_call, "known", None)
    if known is None:
        return work()
    if key not in known:
        raise Outside(key, work)
    return cast("Result", known[key])


def given(key: Hashable) -> object:
    """What the call was begun with."""
    known: Known | None = getattr(_call, "known", None)
    return known.get(key) if known else None
