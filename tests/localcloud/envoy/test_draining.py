"""Targets leave without breaking what they are doing; broken ones cost what they were doing at most."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from benchmarks.load import Load
from pavedroad.localcloud.wanted import Pool, TargetStatus
from tests.localcloud.envoy.conftest import Serve, Spawn
from tests.localcloud.envoy.services import PORT, Balancer, Heard, Service, front, pool, response, rule, to
from tests.waiting import eventually_async


def _drain(group: Pool, *ids: str) -> Pool:
    targets = tuple(replace(target, draining=target.id in ids) for target in group.targets)
    return replace(group, targets=targets)


def _is_drained(target_id: str, statuses: list[TargetStatus]) -> bool:
    return all(status.active == 0 for status in statuses if status.target_id == target_id)


async def _heard_slow(service: Service) -> None:
    async def heard() -> bool:
        return any("/slow" in one.line for one in service.heard)

    await eventually_async(heard, within=20)


async def test_a_draining_target_finishes_its_requests_and_gets_no_new_ones(
    balancer: Balancer, service: Serve
) -> None:
    release = asyncio.Event()

    async def slow(heard: Heard) -> bytes:
        if "/slow" in heard.line:
            await release.wait()
        return response("old")

    old, new = await service("old", slow), await service("new")
    group = pool("a", old.target())
    place = await balancer.serve([group], front(rule(to(group))))
    asked = asyncio.create_task(balancer.get(place, "/slow"))
    await _heard_slow(old)

    both = pool("a", old.target(draining=True), new.target())
    await balancer.apply([both], place)
    await balancer.until(lambda statuses: statuses[1].state == "healthy" and statuses[0].active == 1)
    assert await balancer.labels(place, 20) == {"new": 20}

    release.set()
    assert (await asked).text == "old"
    await balancer.until(lambda statuses: statuses[0].active == 0)


async def test_a_removed_target_still_finishes_its_request(balancer: Balancer, service: Serve) -> None:
    release = asyncio.Event()

    async def slow(heard: Heard) -> bytes:
        if "/slow" in heard.line:
            await release.wait()
        return response("old")

    old = await service("old", slow)
    group = pool("a", old.target())
    place = await balancer.serve([group], front(rule(to(group))))
    asked = asyncio.create_task(balancer.get(place, "/slow"))
    await _heard_slow(old)
    await balancer.apply([], replace(place, rules=()))
    await balancer.until(lambda statuses: not statuses)
    release.set()
    assert (await asked).text == "old"


async def test_targets_may_drain_and_come_back_under_load(balancer: Balancer, process: Spawn) -> None:
    three = await process("v1", count=3)
    group = pool("a", *three.targets())
    place = await balancer.serve([group], front(rule(to(group))))
    with Load(place.address, place.port, connections=8) as load:
        for target in group.targets:
            await balancer.apply([_drain(group, target.id)], place)
            await balancer.until(partial(_is_drained, target.id))
            await balancer.serve([group], place)
        report = await asyncio.to_thread(load.stop)
    assert report.failures == {}


async def test_a_killed_target_costs_its_requests_in_flight_at_most(
    balancer: Balancer, process: Spawn
) -> None:
    living, dying = await process("v1", count=2), await process("v1")
    group = pool("a", *living.targets(), *dying.targets())
    place = await balancer.serve([group], front(rule(to(group))))
    connections = 8
    with Load(place.address, place.port, connections=connections) as load:
        await asyncio.sleep(0.5)
        await dying.kill()
        await asyncio.sleep(0.1)
        balancer.routing.guest_gone(dying.addresses[0])
        await asyncio.sleep(0.5)
        report = await asyncio.to_thread(load.stop)
    assert report.failed <= connections, report.failures
    assert set(report.failures) <= {"status 502"}
    lost = next(
        status for status in balancer.routing.statuses() if status.target_id == f"i-{dying.addresses[0]}"
    )
    assert lost.state == "unhealthy"
    assert lost.reason == "Target.FailedHealthChecks"


async def test_a_target_whose_guest_is_gone_comes_back_when_it_answers_again(
    balancer: Balancer, service: Serve
) -> None:
    target = await service("v1")
    group = pool("a", target.target())
    place = await balancer.serve([group], front(rule(to(group))))
    await target.stop()
    balancer.routing.guest_gone(target.address)
    await balancer.until(lambda statuses: statuses[0].state == "unhealthy")
    assert (await balancer.get(place)).status_code == 503
    await target.start()
    await balancer.until(lambda statuses: statuses[0].state == "healthy")
    assert (await balancer.get(place)).text == "v1"


async def test_when_all_targets_are_unhealthy_all_are_tried(balancer: Balancer, service: Serve) -> None:
    healthy = True

    async def sick(heard: Heard) -> bytes:
        checking = "ELB-HealthChecker" in heard.headers.get("user-agent", "")
        return response("sick", "500 Oops" if checking and not healthy else "200 OK")

    services = [await service("a", sick), await service("b", sick)]
    group = pool("a", *(one.target() for one in services))
    place = await balancer.serve([group], front(rule(to(group))))
    healthy = False
    await balancer.until(lambda statuses: all(status.state == "unhealthy" for status in statuses))
    assert balancer.routing.statuses()[0].description == "Health checks failed with these codes: [500]"
    assert balancer.routing.statuses()[0].reason == "Target.ResponseCodeMismatch"
    assert (await balancer.get(place)).text == "sick"


async def test_one_unhealthy_target_gets_nothing_and_an_initial_one_waits(
    balancer: Balancer, service: Serve
) -> None:
    async def sick(heard: Heard) -> bytes:
        return response("sick", "500 Oops")

    good, bad = await service("good"), await service("bad", sick)
    absent = replace(good.target(), id="i-absent", port=PORT + 1, probe_port=PORT + 1)
    group = pool("a", good.target(), bad.target())
    place = await balancer.serve([group], front(rule(to(group))), healthy=False)
    await balancer.until(lambda statuses: [s.state for s in statuses] == ["healthy", "unhealthy"])
    await balancer.apply([replace(group, targets=(*group.targets, absent))], place)
    assert balancer.routing.statuses()[2].state == "initial"
    assert await balancer.labels(place, 20) == {"good": 20}
