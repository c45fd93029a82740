"""Following a deployment: lines come from the table, events only say that there may be more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import cast

from pavedroad.core.events import Event, Events
from pavedroad.delivery.journal import Journal
from pavedroad.delivery.model import FINAL, DeploymentView, Progress

_LOOK_AGAIN = 2.0  # another process may be the one that deploys


async def follow_deployment(
    journal: Journal, events: Events, deployment: str, after: int
) -> AsyncGenerator[Progress | DeploymentView]:
    """Every line with a number over `after`, none lost and none twice; at the end the view."""
    woken = asyncio.Event()
    listening = asyncio.create_task(_listen(events, deployment, woken))
    try:
        while True:
            woken.clear()
            view = await journal.view(deployment)  # before the lines: a finished story has all of its lines
            for line in await journal.lines(deployment, after):
                after = line.number
                yield line
            if view.phase in FINAL:
                yield view
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), _LOOK_AGAIN)
    finally:
        listening.cancel()


async def _listen(events: Events, deployment: str, woken: asyncio.Event) -> None:
    following = cast("AsyncGenerator[Event]", events.follow(kind="deployment.", subject=deployment))
    async with aclosing(following):
        async for _ in following:
            woken.set()
