"""A target that is deregistered finishes what it has begun, and begins nothing new."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.localcloud.balancing.bench import Balancer, Bench, weigh
from tests.localcloud.balancing.service import Service
from tests.waiting import eventually


def _delay(bench: Bench, group: str, seconds: int) -> None:
    attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": str(seconds)}
    bench.api.modify_target_group_attributes(TargetGroupArn=group, Attributes=[attribute])


def _two_targets(bench: Bench, delay: int) -> tuple[Balancer, str, Service, Service]:
    one, two = bench.service("one"), bench.service("two")
    group = bench.group(one, two)
    _delay(bench, group, delay)
    balancer = bench.balancer(weigh({group: 1}))
    bench.all_healthy(group)
    return balancer, group, one, two


def test_a_slow_request_in_flight_ends_well_and_the_target_leaves_once_it_has(bench: Bench) -> None:
    service = bench.service("only")
    group = bench.group(service)
    _delay(bench, group, 120)
    balancer = bench.balancer(weigh({group: 1}))
    bench.all_healthy(group)
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        slow = pool.submit(httpx.get, f"http://{balancer.address}:8080/slow/3", timeout=30, trust_env=False)
        eventually(lambda: service.slow)
        bench.api.deregister_targets(TargetGroupArn=group, Targets=[{"Id": service.address}])
        draining = bench.health(group)[service.address]
        assert draining["State"] == "draining"
        assert draining["Reason"] == "Target.DeregistrationInProgress"
        assert balancer.get("/quick").status_code == 503
        eventually(lambda: bench.health(group) == {}, within=60)
        assert time.monotonic() - began > 2.5
        assert time.monotonic() - began < 60, "it leaves when it is done, not when its time is up"
        assert slow.result().text == "only"


def test_no_request_begun_after_deregistering_meets_the_target(bench: Bench) -> None:
    balancer, group, one, _ = _two_targets(bench, 30)
    assert {balancer.get().text for _ in range(40)} == {"one", "two"}
    bench.api.deregister_targets(TargetGroupArn=group, Targets=[{"Id": one.address}])
    assert {balancer.get().text for _ in range(40)} == {"two"}


@pytest.mark.slow
def test_a_target_leaves_when_its_time_is_up_whatever_it_still_does(bench: Bench) -> None:
    balancer, group, one, two = _two_targets(bench, 3)
    with ThreadPoolExecutor(4) as pool:
        url = f"http://{balancer.address}:8080/slow/8"
        calls = [pool.submit(httpx.get, url, timeout=60, trust_env=False) for _ in range(4)]
        eventually(lambda: len(one.slow) + len(two.slow) == 4)
        targets = [{"Id": one.address}, {"Id": two.address}]
        began = time.monotonic()
        bench.api.deregister_targets(TargetGroupArn=group, Targets=targets)
        eventually(lambda: bench.health(group) == {}, within=20)
        assert time.monotonic() - began >= 2.5
        for call in calls:
            call.exception()


def test_a_target_that_is_registered_again_while_it_drains_comes_back(bench: Bench) -> None:
    balancer, group, one, two = _two_targets(bench, 60)
    bench.api.deregister_targets(TargetGroupArn=group, Targets=[{"Id": two.address}])
    bench.api.register_targets(TargetGroupArn=group, Targets=[{"Id": two.address}])
    bench.all_healthy(group)
    assert set(bench.health(group)) == {one.address, two.address}
    assert {balancer.get().text for _ in range(40)} == {"one", "two"}


def test_without_a_delay_a_target_leaves_at_once(bench: Bench) -> None:
    _, group, one, two = _two_targets(bench, 0)
    bench.api.deregister_targets(TargetGroupArn=group, Targets=[{"Id": one.address}])
    assert set(bench.health(group)) == {two.address}
