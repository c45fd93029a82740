"""What Envoy counts of requests tells apart who answered, where, and how fast."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter

from pavedroad.localcloud.measured import Traffic
from pavedroad.localcloud.wanted import Condition, FixedResponse
from tests.localcloud.envoy.conftest import Serve
from tests.localcloud.envoy.services import PORT, Balancer, Heard, front, pool, response, rule, to
from tests.waiting import eventually_async


async def measured(balancer: Balancer) -> Traffic:
    async def answered() -> Traffic | None:
        return await balancer.routing.traffic()

    found = await eventually_async(answered)
    assert found is not None
    return found


def counts(traffic: Traffic) -> dict[tuple[str, int], int]:
    """Answers by who made them and their status."""
    found: Counter[tuple[str, int]] = Counter()
    for it in traffic.answers:
        found[it.by, it.status] += it.count
    return dict(found)


async def test_answers_of_targets_are_told_from_the_balancers_own(balancer: Balancer, service: Serve) -> None:
    async def behave(heard: Heard) -> bytes | None:
        if "/gone " in heard.line:
            return None
        return response("no", "503 Service Unavailable") if "/503 " in heard.line else response("yes")

    one = await service("one", behave)
    targets = pool("web", one.target())
    fixed = rule(FixedResponse(410, "text/plain", "never"), Condition("path-pattern", ("/fixed",)))
    served = await balancer.serve([targets], front(fixed, rule(to(targets), priority=2)))
    for path, times in (("/", 5), ("/503", 2), ("/fixed", 3), ("/gone", 1)):
        for _ in range(times):
            await balancer.get(served, path)
    traffic = await measured(balancer)
    assert counts(traffic) == {
        ("target", 200): 5,
        ("target", 503): 2,
        ("balancer", 410): 3,
        ("balancer", 502): 1,
    }
    assert {it.zone for it in traffic.answers if it.by == "target"} == {one.target().zone}
    assert {it.front_arn for it in traffic.answers} == {served.arn}
    [at] = [it for it in traffic.fronts if it.arn == served.arn]
    assert at.connections >= 1
    assert at.received_bytes > 0
    assert at.sent_bytes > 0
    [target] = traffic.targets
    assert (target.pool_arn, target.address, target.port) == (targets.arn, one.target().address, PORT)
    assert target.taken_bytes > 0
    assert target.given_bytes > 0


async def test_the_time_to_answer_is_kept_value_by_value(balancer: Balancer, service: Serve) -> None:
    async def behave(heard: Heard) -> bytes:
        await asyncio.sleep(0.3 if "/slow " in heard.line else 0)
        return response("yes")

    targets = pool("web", (await service("one", behave)).target())
    served = await balancer.serve([targets], front(rule(to(targets))))
    for path in ("/", "/", "/", "/slow"):
        await balancer.get(served, path)
    [times] = (await measured(balancer)).times
    assert sum(times.seconds.counts) == 4
    assert 0.25 < times.seconds.values[-1] < 3
    assert times.seconds.counts[-1] == 1
    assert times.pool_arn == targets.arn


async def test_another_envoy_is_another_run(balancer: Balancer, service: Serve) -> None:
    targets = pool("web", (await service("one")).target())
    served = await balancer.serve([targets], front(rule(to(targets))))
    await balancer.get(served)
    before = await measured(balancer)
    pid = balancer.routing.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    async def anew() -> bool:
        found = await balancer.routing.traffic()
        return found is not None and found.run != before.run

    await eventually_async(anew, within=40)
