"""Listeners that hand connections on as they are: any protocol, TLS before them, who is said to connect."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from pavedroad.localcloud.wanted import Pool, Probe, Stickiness, Target
from tests.localcloud.envoy.conftest import Serve
from tests.localcloud.envoy.services import PORT, Balancer, fresh_address, front, pool, rule, to
from tests.localcloud.envoy.test_tls import certificate, terms

_QUICK = Probe("TCP", "", 0.2, 1.0, 2, 2, "")


@dataclass
class Echo:
    """Says its name, then what it is told, in capitals."""

    name: str
    address: str = field(default_factory=fresh_address)
    heard: list[bytes] = field(default_factory=list[bytes])
    server: asyncio.Server | None = None

    async def start(self) -> Echo:
        self.server = await asyncio.start_server(self._serve, self.address, PORT)
        return self

    def target(self) -> Target:
        return Target(f"i-{self.address}", self.address, PORT, PORT, "us-east-1a", draining=False)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{self.name}\n".encode())
        with suppress(ConnectionError):  # health checks leave without a word
            while line := await reader.readline():
                self.heard.append(line)
                writer.write(line.upper())
        writer.close()


@pytest.fixture
async def echoes() -> AsyncIterator[list[Echo]]:
    started = [await Echo(name).start() for name in ("one", "two")]
    yield started
    for it in started:
        assert it.server
        it.server.close()


def stream(name: str, echoes: list[Echo], *, proxy: bool = False) -> Pool:
    made = pool(name, *(it.target() for it in echoes), probe=_QUICK)
    return replace(made, protocol="TCP", proxy_protocol=proxy)


async def told(address: str, *lines: str, tls: ssl.SSLContext | None = None) -> list[str]:
    """What a client hears that says these lines and then no more."""
    reader, writer = await asyncio.open_connection(address, PORT, ssl=tls)
    try:
        heard = [await reader.readline()]
        for line in lines:
            writer.write(f"{line}\n".encode())
            heard.append(await reader.readline())
        return [it.decode().strip() for it in heard]
    finally:
        writer.close()


async def test_what_is_no_http_goes_both_ways_and_to_each_target_in_turn(
    balancer: Balancer, echoes: list[Echo]
) -> None:
    group = stream("a", echoes)
    place = await balancer.serve([group], replace(front(rule(to(group))), streams=True))
    answers = [await told(place.address, "hello", "again") for _ in range(6)]
    assert {tuple(it[1:]) for it in answers} == {("HELLO", "AGAIN")}
    assert {it[0] for it in answers} == {"one", "two"}


async def test_a_target_that_ends_gets_no_more_connections(balancer: Balancer, echoes: list[Echo]) -> None:
    group = stream("a", echoes)
    place = await balancer.serve([group], replace(front(rule(to(group))), streams=True))
    assert echoes[0].server
    echoes[0].server.close()
    assert [(await told(place.address))[0] for _ in range(6)] == ["two"] * 6
    await balancer.until(lambda statuses: "unhealthy" in {it.state for it in statuses})


async def test_tls_ends_at_a_listener_that_has_a_certificate(balancer: Balancer, echoes: list[Echo]) -> None:
    group, mine = stream("a", echoes), certificate("db.example")
    policy = terms("ELBSecurityPolicy-2016-08", mine)
    place = await balancer.serve([group], replace(front(rule(to(group))), streams=True, tls=policy))
    trusting = ssl.create_default_context(cadata=mine.chain)
    trusting.check_hostname = False
    assert (await told(place.address, "hello", tls=trusting))[1] == "HELLO"
    trusting.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection(place.address, PORT, ssl=trusting)
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() is None
    writer.close()


async def test_targets_are_told_by_a_line_who_connects_where_they_want_to_know(
    balancer: Balancer, echoes: list[Echo]
) -> None:
    group = stream("a", echoes[:1], proxy=True)
    place = await balancer.serve([group], replace(front(rule(to(group))), streams=True))
    assert (await told(place.address, "hello"))[0] == "one"
    first = echoes[0].heard[0].decode().split()
    assert first[:2] == ["PROXY", "TCP4"]
    assert first[3] == place.address


async def test_bytes_of_connections_are_counted(balancer: Balancer, echoes: list[Echo]) -> None:
    group = stream("a", echoes)
    place = await balancer.serve([group], replace(front(rule(to(group))), streams=True))
    await told(place.address, "hello")
    found = await balancer.routing.traffic()
    assert found
    assert sum(it.connections for it in found.fronts) == 1


async def test_a_classic_cookie_keeps_its_client_as_long_as_its_session(
    balancer: Balancer, service: Serve
) -> None:
    services = [await service(f"v{number}") for number in range(4)]
    stays = Stickiness("lb_cookie", 0, classic=True)
    group = replace(pool("a", *(it.target() for it in services)), stickiness=stays)
    place = await balancer.serve([group], front(rule(to(group))))
    first = await balancer.get(place)
    assert first.headers["set-cookie"].endswith(";PATH=/")
    balancer.client.cookies.clear()
    cookie = f"AWSELB={first.cookies['AWSELB']}"
    assert {(await balancer.get(place, cookie=cookie)).text for _ in range(8)} == {first.text}
    balancer.client.cookies.clear()
    await balancer.serve([replace(group, stickiness=replace(stays, seconds=60))], place)
    assert (await balancer.get(place)).headers["set-cookie"].endswith(";PATH=/;MAX-AGE=60")
