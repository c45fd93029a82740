"""Each minute's measurements go to CloudWatch of the place that they were taken in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from pavedroad.core.clock import ManualClock
from pavedroad.core.errors import Unavailable
from pavedroad.localcloud.measured import Measurements
from pavedroad.localcloud.ports import Sample
from pavedroad.localcloud.publishing.controller import Publishing
from pavedroad.localcloud.publishing.views import Outlet
from pavedroad.localcloud.state import State
from tests.localcloud.publishing.measures import (
    BALANCER,
    HERE,
    group,
    guest,
    healthy,
    instance,
    measured,
    traffic,
)


class Recorded:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.samples: dict[tuple[str, str], list[tuple[str, Sample]]] = {}

    def at(self, account: str, region: str) -> Outlet:
        return _Place(self.samples.setdefault((account, region), []))


class _Place:
    def __init__(self, samples: list[tuple[str, Sample]]) -> None:
        self._samples = samples

    def publish(self, namespace: str, samples: Iterable[Sample]) -> None:
        self._samples += [(namespace, sample) for sample in samples]


def test_a_minute_is_published_at_its_beginning_and_what_had_ended_is_not_asked_for_again() -> None:
    clock = ManualClock(datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC))
    recorded = Recorded()
    asked: list[float] = []

    def measure(since: float) -> Measurements:
        asked.append(since)
        now = clock.now().timestamp()
        return measured(guest(30.0 * len(asked)), at=now, traffic=traffic())

    publishing = Publishing(
        State(),
        clock,
        measure,
        recorded.at,
        instances_of=lambda: iter([instance()]),
        balancers_of=lambda: iter([BALANCER]),
        groups_of=lambda: iter([group(healthy())]),
    )
    began = clock.now().timestamp()
    assert publishing.limited_by is None
    publishing.step()
    assert recorded.samples == {}
    assert publishing.limited_by == "cgroup v1"
    clock.advance(60.2)
    publishing.step()
    assert asked == [0.0, began]
    published = recorded.samples[HERE]
    assert {namespace for namespace, _ in published} == {"AWS/EC2", "AWS/ApplicationELB"}
    assert {sample.at for _, sample in published} == {began}


def test_a_host_that_does_not_answer_is_said_so() -> None:
    def measure(since: float) -> Measurements:
        raise Unavailable("The host process does not answer.")

    clock = ManualClock(datetime(2030, 1, 1, tzinfo=UTC))
    nothing: Any = lambda: iter(())  # noqa: E731
    publishing = Publishing(
        State(),
        clock,
        measure,
        Recorded().at,
        instances_of=nothing,
        balancers_of=nothing,
        groups_of=nothing,
    )
    with pytest.raises(Unavailable):
        publishing.step()


def test_many_instances_are_published_in_parts_and_what_they_share_is_told_once() -> None:
    clock, state = ManualClock(datetime(2030, 1, 1, tzinfo=UTC)), State()
    names = [f"i-{number}" for number in range(300)]
    parts: list[list[Sample]] = []

    class Parts:
        def publish(self, namespace: str, samples: Iterable[Sample]) -> None:
            parts.append(list(samples))

    def measure(_since: float) -> Measurements:
        now = clock.now().timestamp()
        return measured(*(guest(now % 1000 / 100, name) for name in names), at=now)

    publishing = Publishing(
        state,
        clock,
        measure,
        lambda *_: Parts(),
        instances_of=lambda: (instance(name) for name in names),
        balancers_of=lambda: iter(()),
        groups_of=lambda: iter(()),
    )
    publishing.step()
    clock.advance(60)
    publishing.step()
    assert max(sum(len(sample.values) for sample in part) for part in parts) <= 500
    samples = [sample for part in parts for sample in part]
    assert {dict(it.dimensions).get("InstanceId") for it in samples} >= set(names)
    [failed] = [it for it in samples if it.name == "StatusCheckFailed" and not it.dimensions]
    assert (failed.values, failed.counts) == ((0.0,), (300.0,))
