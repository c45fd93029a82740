"""Target tracking follows a load: out in proportion, in gradually, and without flapping."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import cast

import pytest

from pavedroad.localcloud.autoscaling.memory_metrics import MemoryMetrics
from pavedroad.localcloud.monitoring.alarms.actions import Outlets
from pavedroad.localcloud.monitoring.service import Monitoring
from tests.localcloud.autoscaling.bench import ACCOUNT, REGION, Bench
from tests.localcloud.autoscaling.loaded import Loaded
from tests.localcloud.autoscaling.tracked import track


class NoMachines:
    """No alarm here acts on any."""

    def act(self, instance_id: str, action: str) -> None:
        raise AssertionError(f"{action} {instance_id}")


def three_times_between(start: float, end: float) -> Callable[[float], float]:
    """Of ten instances at half their use."""
    return lambda minute: 15.0 if start <= minute < end else 5.0


@pytest.mark.parametrize(
    ("most", "warmup", "warm_only"),
    [(100, 60, True), (1e9, 300, True), (1e9, 60, False)],
    ids=["saturating", "unbounded", "all measured"],
)
def test_a_load_that_triples_and_falls_back_is_followed_without_flapping(
    bench: Bench, most: float, warmup: int, *, warm_only: bool
) -> None:
    bench.create(desired=10, MaxSize=100)
    bench.settle()
    track(bench, EstimatedInstanceWarmup=warmup)
    world = Loaded(bench, three_times_between(10, 70), most=most, warm_only=warm_only)
    world.run(10)
    assert set(world.desired) == {10}
    world.run(60)
    assert world.desired[-1] == len(bench.members()) == 30
    assert max(world.desired) == 30, "no more than the load takes"
    assert world.uses[-2] == pytest.approx(50)
    world.run(80)
    assert world.desired[-1] == len(bench.members()) == 11, "within a tenth of the target nothing is done"
    assert min(world.desired) == 10, "no fewer than the load takes"
    assert world.turns == 1, "out, and then in"
    steps = [before - after for before, after in pairwise(world.desired) if after < before]
    assert max(steps) <= 3, "in gradually"


@pytest.mark.parametrize(
    ("every", "warmup"), [(1, 0), (5, 120)], ids=["detailed monitoring", "basic monitoring"]
)
def test_the_clouds_own_cloudwatch_makes_it_follow_just_so(bench: Bench, every: int, warmup: int) -> None:
    outlets = Outlets(lambda *_: bench.service, lambda *_: bench.topics, lambda *_: NoMachines())
    cloudwatch = Monitoring(bench.state, bench.clock, outlets)
    bench.metrics = cast("MemoryMetrics", cloudwatch.metrics(ACCOUNT, REGION))
    bench.create(desired=10, MaxSize=100)
    bench.settle()
    track(bench, EstimatedInstanceWarmup=warmup)
    world = Loaded(bench, three_times_between(30, 120), every=every, cloudwatch=cloudwatch)
    world.run(30)
    assert set(world.desired) == {10}
    world.run(90)
    assert 30 <= world.desired[-1] == len(bench.members()) <= 33
    assert max(world.desired) <= 33, "no more than the load takes, and a tenth"
    world.run(150)
    assert 10 <= world.desired[-1] == len(bench.members()) <= 11
    assert min(world.desired) == 10, "no fewer than the load takes"
    assert world.turns == 1, "out, and then in"


def test_a_load_that_wavers_a_little_moves_nothing(bench: Bench) -> None:
    bench.create(desired=10, MaxSize=100)
    bench.settle()
    track(bench)
    world = Loaded(bench, lambda minute: 4.75 + 0.24 * (-1) ** int(minute))
    world.run(90)
    assert set(world.desired) == {10}
