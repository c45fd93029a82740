"""Measurements as a host would send them, and what is known of what was measured."""

from __future__ import annotations

from pavedroad.localcloud.measured import (
    AnswerMeasure,
    FrontMeasure,
    GuestMeasure,
    Histogram,
    LinkMeasure,
    Measurements,
    PoolMeasure,
    TargetMeasure,
    TimeMeasure,
    Traffic,
)
from pavedroad.localcloud.ports import Sample
from pavedroad.localcloud.publishing.views import BalancerView, GroupView, InstanceView, MemberView, Place

HERE: Place = ("123456789012", "us-east-1")
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/web/1/2"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/3"
BALANCER = BalancerView(HERE, "app/web/1", ("us-east-1a", "us-east-1b"), frozenset({LISTENER}))
LB = ("LoadBalancer", "app/web/1")
TG = ("TargetGroup", "targetgroup/web/3")
ZONE_A = ("AvailabilityZone", "us-east-1a")


def instance(
    name: str = "i-1", *, group: str | None = "web", detailed: bool = True, impaired: bool = False
) -> InstanceView:
    return InstanceView(
        HERE, name, "t3.micro", "ami-1", group, f"127.0.0.{name[2:]}", 2.0, detailed, impaired
    )


def guest(
    cpu: float,
    name: str = "i-1",
    *,
    boot: int = 1,
    read: int | None = 0,
    written: int | None = 0,
    running: bool = True,
    link: LinkMeasure | None = None,
    operations: tuple[int, int] | None = None,
) -> GuestMeasure:
    reads, writes = operations or (None, None)
    return GuestMeasure(name, boot, 0.0, running, cpu, 1 << 20, read, written, link, reads, writes)


def measured(
    *guests: GuestMeasure, at: float, traffic: Traffic | None = None, epoch: str = "epoch"
) -> Measurements:
    return Measurements(epoch, at, "cgroup v1", guests, traffic)


def traffic(
    answers: tuple[AnswerMeasure, ...] = (),
    times: tuple[TimeMeasure, ...] = (),
    fronts: tuple[FrontMeasure, ...] = (),
    pools: tuple[PoolMeasure, ...] = (),
    targets: tuple[TargetMeasure, ...] = (),
    run: str = "run",
) -> Traffic:
    return Traffic(run, fronts, answers, times, pools, targets)


def answered(status: int, count: int, *, zone: str = "us-east-1a", pool: str = GROUP) -> AnswerMeasure:
    return AnswerMeasure(LISTENER, "", pool, zone, "target", status, count)


def own_answer(status: int, count: int, *, zone: str = "", pool: str = GROUP) -> AnswerMeasure:
    return AnswerMeasure(LISTENER, "", pool, zone, "balancer", status, count)


def timed(*bins: tuple[float, int], zone: str = "us-east-1a") -> TimeMeasure:
    values, counts = tuple(value for value, _ in bins), tuple(count for _, count in bins)
    return TimeMeasure(LISTENER, "", GROUP, zone, Histogram(values, counts))


def group(*members: MemberView, paths: tuple[str, ...] = ("app/web/1",)) -> GroupView:
    return GroupView(HERE, GROUP, paths, members)


def healthy(zone: str = "us-east-1a", address: str = "127.0.0.1") -> MemberView:
    return MemberView(zone, address, 8000, "healthy")


def unhealthy(zone: str = "us-east-1b", address: str = "127.0.0.2") -> MemberView:
    return MemberView(zone, address, 8000, "unhealthy")


class Published:
    """Samples by metric and dimensions."""

    def __init__(self, samples: dict[Place, list[Sample]]) -> None:
        self._samples = {(it.name, frozenset(it.dimensions.items())): it for it in samples.get(HERE, [])}
        assert len(self._samples) == len(samples.get(HERE, []))

    def get(self, name: str, *dimensions: tuple[str, str]) -> Sample | None:
        return self._samples.get((name, frozenset(dimensions)))

    def total(self, name: str, *dimensions: tuple[str, str]) -> float:
        """The statistic `Sum`."""
        sample = self.get(name, *dimensions)
        assert sample is not None, sorted(self.names)
        counts = sample.counts or (1.0,) * len(sample.values)
        return sum(value * count for value, count in zip(sample.values, counts, strict=True))

    def average(self, name: str, *dimensions: tuple[str, str]) -> float:
        sample = self.get(name, *dimensions)
        assert sample is not None, sorted(self.names)
        return self.total(name, *dimensions) / (sum(sample.counts) or len(sample.values))

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self._samples}
