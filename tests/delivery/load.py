"""Requests without end against one address, each counted with what answered it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx


@dataclass(slots=True)
class Load:
    """What came back: `answers` counts bodies, `failures` says what went wrong, `last` when it was seen."""

    answers: Counter[str] = field(default_factory=Counter[str])
    failures: list[str] = field(default_factory=list[str])
    last: dict[str, float] = field(default_factory=dict[str, float])

    async def sees(self, body: str, within: float = 30) -> None:
        """Wait until just this body answers: 20 times in a row."""
        deadline = time.monotonic() + within
        while True:
            before = self.answers.copy()
            await asyncio.sleep(0.2)
            fresh = self.answers - before
            if set(fresh) == {body}:
                return
            assert time.monotonic() < deadline, f"{fresh} instead of {body}; {self.failures[:3]}"


@asynccontextmanager
async def under_load(url: str, clients: int = 4) -> AsyncIterator[Load]:
    """Keep-alive clients that ask as fast as they are answered, while the body runs."""
    load = Load()
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        asking = [asyncio.create_task(_ask(http, url, load)) for _ in range(clients)]
        try:
            yield load
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)


async def _ask(http: httpx.AsyncClient, url: str, load: Load) -> None:
    while True:
        try:
            answer = await http.get(url)
        except httpx.HTTPError as error:
            load.failures.append(repr(error))
        else:
            if answer.status_code == 200:
                load.answers[answer.text] += 1
                load.last[answer.text] = time.monotonic()
            else:
                load.failures.append(f"{answer.status_code} {answer.text[:100]}")
        await asyncio.sleep(0.005)
