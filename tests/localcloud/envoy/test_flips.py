"""A change of weights is one step: no request fails, none is late."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from dataclasses import replace

import pytest

from benchmarks.load import Load
from pavedroad.localcloud.wanted import Condition, FixedResponse, Forward, Front, Pool
from tests.localcloud.envoy.conftest import Spawn
from tests.localcloud.envoy.services import QUICK, Balancer, front, pool, rule, to


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


@pytest.mark.slow
async def test_flips_fail_no_request_while_envoy_and_its_targets_stand_still_now_and_then(
    balancer: Balancer, process: Spawn
) -> None:
    """As on a machine with far more to do than it can: checks time out, acknowledgements are late."""
    old, new = await process("v1", count=3), await process("v2", count=3)
    hasty = replace(QUICK, timeout_seconds=0.1, unhealthy_threshold=2)
    a, b = pool("a", *old.targets(), probe=hasty), pool("b", *new.targets(), probe=hasty)
    place = await balancer.serve([a, b], front(rule(Forward({a.arn: 1, b.arn: 0}))))
    chance = random.Random(7)
    pids = [it.process.pid for it in (old, new) if it.process]

    async def stand_still() -> None:
        while True:
            await asyncio.sleep(chance.uniform(0, 0.1))
            pid = chance.choice([*pids, balancer.routing.pid or pids[0]])
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(chance.choice((0.01, 0.1, 0.3, 0.6)))
            finally:
                os.kill(pid, signal.SIGCONT)
            time.sleep(chance.choice((0, 0.05)))  # and so do we

    with Load(place.address, place.port, connections=8) as load:
        standing_still = asyncio.create_task(stand_still())
        for number in range(40):
            await balancer.apply([a, b], _weights(place, {a.arn: number % 2, b.arn: 1 - number % 2}))
            await asyncio.sleep(chance.uniform(0, 0.2))
        standing_still.cancel()
        await asyncio.wait([standing_still])
        report = await asyncio.to_thread(load.stop)
    assert report.failures == {}
    assert set(report.answers) == {"v1", "v2"}


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
