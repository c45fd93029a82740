"""How targets are chosen: by what is outstanding, at random, slowly at first, all when few do well."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pavedroad.localcloud.wanted import Least
from tests.localcloud.envoy.conftest import Serve
from tests.localcloud.envoy.services import Balancer, Heard, front, pool, response, rule, to
from tests.waiting import eventually_async


async def _broken(_: Heard) -> bytes:
    return response("broken", "500 Internal Server Error")


async def test_least_outstanding_requests_avoids_the_busy(balancer: Balancer, service: Serve) -> None:
    async def hang(heard: Heard) -> bytes:
        if "/hang" in heard.line:
            await asyncio.sleep(20)
        return response("busy")

    busy, idle = await service("busy", hang), await service("idle")
    group = replace(pool("a", busy.target(), idle.target()), algorithm="least_outstanding_requests")
    place = await balancer.serve([group], front(rule(to(group))))
    hanging: list[asyncio.Task[object]] = []

    async def is_busy() -> bool:
        hanging.append(asyncio.create_task(balancer.get(place, "/hang")))
        await asyncio.sleep(0.05)
        return any("/hang" in it.line for it in busy.heard)

    await eventually_async(is_busy)
    assert set(await balancer.labels(place, 20)) == {"idle"}
    for one in hanging:
        one.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_weighted_random_reaches_all(balancer: Balancer, service: Serve) -> None:
    services = [await service(f"v{number}") for number in range(3)]
    group = replace(
        pool("a", *(it.target() for it in services)), algorithm="weighted_random", anomaly_mitigation=True
    )
    place = await balancer.serve([group], front(rule(to(group))))
    counts = await balancer.labels(place, 150)
    assert all(25 < counts[f"v{number}"] < 80 for number in range(3)), counts


@pytest.mark.slow
async def test_a_newly_healthy_target_starts_slowly(balancer: Balancer, service: Serve) -> None:
    old = [await service(f"old{number}") for number in range(2)]
    new = await service("new")
    before = replace(pool("a", *(it.target() for it in old)), slow_start_seconds=5)
    place = await balancer.serve([before], front(rule(to(before))))
    assert set(await balancer.labels(place, 10)) == {"old0", "old1"}
    await asyncio.sleep(5.2)  # till they have started
    joined = replace(before, targets=(*before.targets, new.target()))
    await balancer.serve([joined], place)
    counts = await balancer.labels(place, 45)
    assert counts.get("new", 0) < 12, counts


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        (Least(1), {"v0"}),
        (Least(2), {"v0", "broken"}),
        (Least(1, 34), {"v0", "broken"}),
        (Least(1, 33), {"v0"}),
    ],
)
async def test_with_too_few_healthy_targets_all_are_tried(
    balancer: Balancer, service: Serve, least: Least, expected: set[str]
) -> None:
    services = [await service(f"v{number}", _broken if number else None) for number in range(3)]
    group = replace(pool("a", *(it.target() for it in services)), fail_open=least)
    place = await balancer.serve([group], front(rule(to(group))), healthy=False)
    await balancer.until(
        lambda found: sorted(it.state for it in found) == ["healthy", "unhealthy", "unhealthy"]
    )
    assert set(await balancer.labels(place, 12)) == expected
