"""Changes as events: whoever follows hears of each at once, and a slow follower never holds the rest up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_BACKLOG = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a subject: `kind` is dotted (`deployment.progress`), `data` is JSON-able."""

    kind: str
    subject: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Events:
    """An in-process bus, used from one event loop."""

    def __init__(self) -> None:
        self._followers: set[asyncio.Queue[Event]] = set()

    def publish(self, event: Event) -> None:
        for queue in self._followers:
            if queue.full():
                queue.get_nowait()  # the oldest goes: followers read state anew, events only wake them
            queue.put_nowait(event)

    async def follow(self, *, kind: str = "", subject: str | None = None) -> AsyncIterator[Event]:
        """Events from now on whose kind starts with `kind`, of one subject or of all."""
        queue: asyncio.Queue[Event] = asyncio.Queue(_BACKLOG)
        self._followers.add(queue)
        try:
            while True:
                event = await queue.get()
                if event.kind.startswith(kind) and subject in (None, event.subject):
                    yield event
        finally:
            self._followers.discard(queue)
