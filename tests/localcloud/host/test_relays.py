"""The relays on the way to guests whose network is made to fail, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pavedroad.localcloud.host.faults.network import Relays, Trouble
from pavedroad.localcloud.wanted import Affliction, Pool, Probe, Target

GUEST = "127.0.0.1"
Scenario = Callable[[Relays, int], Coroutine[Any, Any, None]]


def pool(port: int, address: str = GUEST) -> Pool:
    probe = Probe("HTTP", "/", 5, 2, 2, 2, "200")
    return Pool("arn:tg", "HTTP", probe, (Target("i-1", address, port, port, "us-east-1a", False),))


def run(scenario: Scenario) -> None:
    """With a guest that echoes."""

    async def play() -> None:
        relays = Relays()
        async with _echoing() as port, asyncio.timeout(20):
            try:
                await scenario(relays, port)
            finally:
                relays.close()

    asyncio.run(play())


@asynccontextmanager
async def _echoing() -> AsyncIterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, GUEST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def echoed(address: str, port: int, text: bytes = b"hello") -> float:
    """How long it took for all of it to come back."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(address, port)
    sending = asyncio.create_task(_send(writer, text))
    assert await reader.readexactly(len(text)) == text
    await sending
    writer.close()
    return time.monotonic() - began


async def _send(writer: asyncio.StreamWriter, text: bytes) -> None:
    writer.write(text)
    await writer.drain()


def via(relays: Relays, port: int) -> str:
    [target] = relays.reroute(pool(port)).targets
    assert (target.address, target.port) == (GUEST, port)
    return target.reached_at


def test_whose_network_is_well_is_reached_directly() -> None:
    async def scenario(relays: Relays, port: int) -> None:
        relays.have({"127.0.0.9": Trouble(delay_seconds=1)})
        assert via(relays, port) == GUEST

    run(scenario)


def test_answers_are_late_once_a_round_trip_and_in_order() -> None:
    async def scenario(relays: Relays, port: int) -> None:
        relays.have({GUEST: Trouble(delay_seconds=0.3, jitter_seconds=0.1)})
        address = via(relays, port)
        assert address != GUEST
        assert 0.2 <= await echoed(address, port) < 5
        many = bytes(range(256)) * 4000
        assert await echoed(address, port, many) < 10

    run(scenario)


def test_what_is_lost_comes_again_later() -> None:
    async def scenario(relays: Relays, port: int) -> None:
        relays.have({GUEST: Trouble(loss=0.2)})
        address = via(relays, port)
        times = await asyncio.gather(*(echoed(address, port) for _ in range(30)))
        assert max(times) >= 0.2
        assert max(times) >= min(times) + 0.15  # however busy the machine is, some are sent again

    run(scenario)


def test_who_is_cut_off_answers_when_the_cut_is_over() -> None:
    async def scenario(relays: Relays, port: int) -> None:
        relays.have({GUEST: Trouble(cut=True)})
        asking = asyncio.create_task(echoed(via(relays, port), port))
        done, _ = await asyncio.wait([asking], timeout=0.3)
        assert not done
        relays.have({})
        assert await asking >= 0.3
        assert via(relays, port) == GUEST

    run(scenario)


def test_a_cut_in_the_middle_holds_what_is_under_way() -> None:
    async def scenario(relays: Relays, port: int) -> None:
        relays.have({GUEST: Trouble(delay_seconds=0.2)})
        asking = asyncio.create_task(echoed(via(relays, port), port))
        await asyncio.sleep(0.1)
        relays.have({GUEST: Trouble(cut=True)})
        done, _ = await asyncio.wait([asking], timeout=0.4)
        assert not done
        relays.have({})
        await asking

    run(scenario)


def test_nobody_listens_when_it_is_over() -> None:
    async def scenario(relays: Relays, port: int) -> None:
        relays.have({GUEST: Trouble(delay_seconds=0.1)})
        address = via(relays, port)
        relays.have({})
        with pytest.raises(OSError, match=r"onnect"):
            await asyncio.open_connection(address, port)

    run(scenario)


def test_a_guest_where_nobody_listens_hangs_up() -> None:
    async def scenario(relays: Relays, port: int) -> None:
        with socket.create_server((GUEST, 0)) as free:
            closed = free.getsockname()[1]
        relays.have({GUEST: Trouble(delay_seconds=0.01)})
        reader, writer = await asyncio.open_connection(via(relays, closed), closed)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()

    run(scenario)


def test_several_troubles_of_one_guest_are_one() -> None:
    slow = Affliction("fault-1", "network", {"delay_ms": 100, "jitter_ms": 10})
    lossy = Affliction("fault-2", "network", {"delay_ms": 50, "loss_percent": 20})
    assert Trouble.of((slow, lossy)) == Trouble(0.15, 0.01, 0.2)
    assert Trouble.of((Affliction("fault-3", "network", {"loss_percent": 100}),)) == Trouble(loss=1, cut=True)
    assert Trouble.of((Affliction("fault-4", "hung"),)) is None
