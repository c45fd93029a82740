"""Fragments that keep themselves up to date: sent again whenever they would look different."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import Request
from fastapi.responses import StreamingResponse
from markupsafe import escape

from pavedroad.core.errors import PavedError
from pavedroad.core.events import Events

_EVERY_SECONDS = 1.0
"""The cloud sends no events of its own (an instance that dies says nothing), so pages look again."""


def live(request: Request, name: str, render: Callable[[], Awaitable[str]]) -> StreamingResponse:
    """Server-sent events called `name`, each the fragment as it now is."""
    events: Events = request.app.state.events
    return StreamingResponse(
        _changes(request, events, name, render),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _changes(
    request: Request, events: Events, name: str, render: Callable[[], Awaitable[str]]
) -> AsyncIterator[str]:
    woken = asyncio.Event()
    listener = asyncio.create_task(_wake(events, woken))
    shown = ""
    try:
        while not await request.is_disconnected():
            woken.clear()
            try:
                now = await render()
            except PavedError as error:
                now = f'<p class="notice bad">{escape(error.sentence)}</p>'
            if now != shown:
                shown = now
                yield _event(name, now)
            else:
                yield _event("alive", ".")  # an event, and no comment: pages hear that they are up to date
            try:
                async with asyncio.timeout(_EVERY_SECONDS):
                    await woken.wait()
            except TimeoutError:
                continue
    finally:
        listener.cancel()


async def _wake(events: Events, woken: asyncio.Event) -> None:
    async for _ in events.follow():
        woken.set()


def _event(name: str, text: str) -> str:
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: {name}\n{lines}\n"
