"""What the gate is told to open, and what becomes of connections through it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pavedroad.localcloud.gate.coupling import End
from pavedroad.localcloud.gate.inward import Doors as Opened
from pavedroad.localcloud.gate.machine import Machine
from pavedroad.localcloud.host.network.direct import visited
from pavedroad.localcloud.host.network.doors import Doors
from pavedroad.localcloud.host.network.gated import GatedRouting
from pavedroad.localcloud.host.network.listening import Listening
from pavedroad.localcloud.host.nursery import linux
from pavedroad.localcloud.listening import Elsewhere
from pavedroad.localcloud.measured import Traffic
from pavedroad.localcloud.wanted import Front, Permission, Pool, SecurityGroup, TargetStatus
from tests.waiting import eventually_async

pytestmark = pytest.mark.ordinary

A, B = "127.23.0.4", "127.23.0.5"
MACHINE = ("127.0.0.0/8",)


class Served:
    """A `Routing` whose Envoy is as quick as one can be."""

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self.elsewhere: Callable[[str], Elsewhere] = lambda _: Elsewhere()
        self.routed = 0

    async def start(self) -> None:
        pass

    def apply(self, revision: int, pools: Iterable[Pool], fronts: Iterable[Front]) -> None:
        self.routed = revision

    async def acknowledged(self, revision: int, timeout: float) -> bool:
        return self.routed >= revision

    def statuses(self) -> list[TargetStatus]:
        return []

    def refused(self) -> dict[str, str]:
        return {}

    def impaired(self) -> dict[str, str]:
        return {}

    async def traffic(self) -> Traffic | None:
        return None

    def guest_gone(self, address: str, because: str = "") -> None:
        pass

    async def close(self) -> None:
        pass


@asynccontextmanager
async def gated() -> AsyncGenerator[tuple[GatedRouting, Path]]:
    with tempfile.TemporaryDirectory(prefix="paved-") as folder:
        path = Path(folder) / "gate.sock"
        routing = GatedRouting(Served(), Doors(path))
        await routing.start()
        try:
            yield routing, path
        finally:
            await routing.close()


async def test_a_listener_is_served_once_the_gate_has_opened_it() -> None:
    async with gated() as (routing, path):
        routing.apply(3, [], [])
        assert routing.routed == 3, "nothing to open"
        routing.apply(7, [], [front("one", A, 8080)])
        assert not await routing.acknowledged(7, 0.05)
        assert routing.routed == 3

        reader, writer = await asyncio.open_unix_connection(str(path))
        told = json.loads(await reader.readline())
        assert told["doors"] == [[A, 8080]]
        waiting = asyncio.create_task(routing.acknowledged(7, 10))
        writer.write(json.dumps({"version": told["version"], "refused": []}).encode() + b"\n")
        assert await waiting
        assert routing.routed == 7
        writer.close()


async def test_a_port_that_the_machine_does_not_give_is_refused_in_a_sentence() -> None:
    async with gated() as (routing, path):
        with socket.create_server((A, 0)) as taken:
            port = taken.getsockname()[1]
            routing.apply(1, [], [front("one", A, port)])
            gate = asyncio.create_task(Opened(Machine(), again_seconds=0.1).follow(path))
            await eventually_async(lambda: answer(routing.routed == 1), within=10)
            assert routing.refused() == {"one": f"{A}:{port} is in use by another program."}
        await eventually_async(lambda: answer(not routing.refused()), within=10)
        gate.cancel()


async def answer(truth: bool) -> bool:
    return truth


def front(arn: str, address: str, port: int) -> Front:
    return Front(arn=arn, address=address, port=port, rules=())


@pytest.mark.parametrize(
    ("permission", "ports"),
    [
        (Permission("tcp", 80, 90, MACHINE), {80, 81}),
        (Permission("6", 0, 65535, ("0.0.0.0/0",)), {80, 81, 9000}),
        (Permission("-1", cidrs=("127.0.0.1/32",)), {80, 81, 9000}),
        (Permission("udp", 80, 80, MACHINE), set[int]()),
        (Permission("tcp", 80, 80, ("10.0.0.0/8", "::/0")), set[int]()),
        (Permission("tcp", 80, 80, groups=("other",)), set[int]()),
    ],
)
def test_only_who_lets_the_machine_in_has_a_door(permission: Permission, ports: set[int]) -> None:
    groups = {"web": SecurityGroup("web", (permission,), (), (A,))}
    places = frozenset((address, port) for address in (A, B) for port in (80, 81, 9000))
    assert visited(groups, places) == {(A, port) for port in ports}


async def test_where_guests_listen_is_seen_for_all_kinds_of_sockets() -> None:
    space = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        linux.enter_network(space)
    except PermissionError:
        os.close(space)
        pytest.skip("Only root may go into a network")
    told: list[frozenset[tuple[str, int]]] = []
    looking = Listening(told.append)
    everywhere, own = socket.create_server(("", 0)), socket.create_server((A, 0))
    others = socket.create_server((B, 0))
    try:
        newer = [socket.create_server(("::", 0), family=socket.AF_INET6)]
    except OSError:
        newer = []  # a machine without IPv6
    try:
        await looking.watch(A, space)
        looking.start()
        expected = {(A, it.getsockname()[1]) for it in (everywhere, own, *newer)}
        await eventually_async(lambda: answer(bool(told) and expected <= told[-1]), within=10)
        assert (A, others.getsockname()[1]) not in told[-1]
    finally:
        await looking.close()
        os.close(space)
        for it in (everywhere, own, others, *newer):
            it.close()


async def test_a_coupled_connection_ends_half_by_half_and_loses_nothing() -> None:
    (client, near), (far, server) = socket.socketpair(), socket.socketpair()
    loop = asyncio.get_running_loop()
    _, one = await loop.create_connection(End, sock=near)
    first_reader, first = await asyncio.open_connection(sock=client)
    first.write(b"early ")
    _, other = await loop.create_connection(End, sock=far)
    one.couple(other)
    second_reader, second = await asyncio.open_connection(sock=server)
    first.write(b"x" * 5_000_000)
    first.write_eof()
    assert await second_reader.read() == b"early " + b"x" * 5_000_000
    second.write(b"answer")
    second.close()
    assert await first_reader.read() == b"answer"
    first.close()
