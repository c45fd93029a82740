"""Waiting for what should come true, with a deadline and a reason when it does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")


def eventually(condition: Callable[[], Result], *, within: float = 45.0, every: float = 0.05) -> Result:
    """The first truthy answer of `condition`; an assertion error with its last answer when time is up."""
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not true within {within} s: last answer was {answer!r}"
        time.sleep(every)


async def eventually_async(
    condition: Callable[[], Awaitable[Result]], *, within: float = 45.0, every: float = 0.05
) -> Result:
    """As `eventually`, for a condition to be awaited."""
    deadline = time.monotonic() + within
    while True:
        answer = await condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not true within {within} s: last answer was {answer!r}"
        await asyncio.sleep(every)
