"""Events reach those who follow, and nobody waits for the slow."""

from __future__ import annotations

import asyncio

from pavedroad.core.events import Event, Events


async def _first(events: Events, ready: asyncio.Event, **wanted: str) -> Event:
    stream = events.follow(**wanted)
    pending = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    ready.set()
    try:
        return await pending
    finally:
        await stream.aclose()  # type: ignore[attr-defined]


async def test_a_follower_hears_what_it_asked_for_only() -> None:
    events, ready = Events(), asyncio.Event()
    heard = asyncio.create_task(_first(events, ready, kind="deployment.", subject="api"))
    await ready.wait()
    for kind, subject in [("image.baked", "api"), ("deployment.progress", "web"), ("deployment.done", "api")]:
        events.publish(Event(kind, subject))
    assert (await heard).kind == "deployment.done"


async def test_a_slow_follower_loses_the_oldest_and_holds_nobody_up() -> None:
    events = Events()
    stream = events.follow()
    pending = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    for number in range(3000):
        events.publish(Event("tick", str(number)))
    await pending
    second = await anext(stream)
    assert int(second.subject) > 1000
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_follower_that_leaves_is_forgotten() -> None:
    events, ready = Events(), asyncio.Event()
    heard = asyncio.create_task(_first(events, ready))
    await ready.wait()
    events.publish(Event("any", "thing"))
    await heard
    assert not events._followers
