"""A change of weights is one step: no request fails, none is late."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from benchmarks.load import Load
from pavedroad.localcloud.wanted import Condition, FixedResponse, Forward, Front, Pool
from tests.localcloud.envoy.conftest import Spawn
from tests.localcloud.envoy.services import Balancer, front, pool, rule, to


async def _two_pools(balancer: Balancer, process: Spawn) -> tuple[Pool, Pool, Front]:
    old, new = await process("v1", count=3), await process("v2", count=3)
    a, b = pool("a", *old.targets()), pool("b", *new.targets())
    place = await balancer.serve([a, b], front(rule(Forward({a.arn: 1, b.arn: 0}))))
    return a, b, place


def _weights(place: Front, weights: dict[str, int]) -> Front:
    return replace(place, rules=(rule(Forward(weights)),))


async def test_twenty_flips_under_load_fail_no_request(balancer: Balancer, process: Spawn) -> None:
    a, b, place = await _two_pools(balancer, process)
    late: list[float] = []
    flips: list[tuple[float, str]] = []
    with Load(place.address, place.port, connections=8) as load:
        await asyncio.sleep(0.5)
        for number in range(20):
            new = number % 2 == 0
            flips.append((time.monotonic(), "v1" if new else "v2"))
            await balancer.apply([a, b], _weights(place, {a.arn: int(not new), b.arn: int(new)}))
            await asyncio.sleep(0.1)
        report = await asyncio.to_thread(load.stop)
    assert report.failures == {}
    assert report.requests > 200
    for (called, old), (until, _) in zip(flips, [*flips[1:], (float("inf"), "")], strict=True):
        last = report.last(old, called, until)
        late.append((last - called) if last else 0.0)
    assert sorted(late)[10] < 0.1, late


async def test_a_flip_to_a_pool_that_comes_with_it_fails_no_request(
    balancer: Balancer, process: Spawn
) -> None:
    """The new pool's cluster and endpoints must be there before the routes that use it; the old goes last."""
    a, b, place = await _two_pools(balancer, process)
    await balancer.apply([a], _weights(place, {a.arn: 1}))
    with Load(place.address, place.port, connections=8) as load:
        await asyncio.sleep(0.3)
        for number in range(10):
            chosen = pool(f"fresh-{number}", *(b if number % 2 else a).targets)
            await balancer.apply([chosen], _weights(place, {chosen.arn: 1}))
            await balancer.until(lambda statuses: all(status.state == "healthy" for status in statuses))
        report = await asyncio.to_thread(load.stop)
    # Between the flip and its first good probe a pool has no target: that alone may answer 503.
    assert set(report.failures) <= {"status 503"}, report.failures


async def test_other_listeners_may_come_and_go_under_load(balancer: Balancer, process: Spawn) -> None:
    a, b, place = await _two_pools(balancer, process)
    with Load(place.address, place.port, connections=8) as load:
        until = time.monotonic() + 3.0  # on a busy machine the load takes its time to begin
        rounds = 0
        while rounds < 5 or time.monotonic() < until:
            rounds += 1
            other = front(rule(to(b)))
            await balancer.apply([a, b], place, other)
            assert (await balancer.get(other)).text == "v2"
            await balancer.apply([a, b], place)
        report = await asyncio.to_thread(load.stop)
    assert report.failures == {}
    assert set(report.answers) == {"v1"}


async def test_a_listener_answers_as_soon_as_it_is_acknowledged(balancer: Balancer, process: Spawn) -> None:
    a, _, place = await _two_pools(balancer, process)
    for _ in range(10):
        other = front(rule(to(a)))
        await balancer.apply([a], place, other)
        assert (await balancer.get(other)).text == "v1"


async def test_rules_change_without_closing_connections(balancer: Balancer, process: Spawn) -> None:
    a, b, place = await _two_pools(balancer, process)
    reader, writer = await asyncio.open_connection(place.address, place.port)
    for number in range(5):
        special = rule(
            FixedResponse(200, "text/plain", f"special {number}"), Condition("path-pattern", ("/s",))
        )
        changed = replace(place, rules=(special, rule(to(b), priority=2)))
        await balancer.apply([a, b], changed)
        writer.write(b"GET /s HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"connection: close" not in head.lower()
        assert await reader.readexactly(9) == f"special {number}".encode()
    writer.close()
