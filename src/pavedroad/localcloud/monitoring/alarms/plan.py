"""What a metric alarm reads and how it judges it, made of its settings once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pavedroad.localcloud.monitoring.alarms.verdict import EXTRA_PERIODS, Criterion, Datapoint, Treatment
from pavedroad.localcloud.monitoring.series import MetricId
from pavedroad.localcloud.monitoring.statistics import Statistic, is_percentile, periods, statistic
from pavedroad.localcloud.monitoring.store import Place, Store, metric_id

HIGH_RESOLUTION = (10, 20, 30)


@dataclass(frozen=True, slots=True)
class Reading:
    """Datapoints, newest first, None where a period has none; `few` where they are too few samples for the
    percentile to mean anything."""

    newest_first: tuple[Datapoint | None, ...]
    few: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """For an alarm on one metric."""

    criterion: Criterion
    metric: MetricId
    statistic: Statistic
    unit: str | None
    period: int
    m_of_n: bool
    ignores_few: bool

    @property
    def metrics(self) -> tuple[MetricId, ...]:
        return (self.metric,)

    @property
    def statistic_name(self) -> str | None:
        return self.statistic.name

    def end(self, now: float) -> int:
        return window_end(now, self.period)

    def read(self, store: Store, place: Place, now: float) -> Reading:
        count = self.criterion.periods + EXTRA_PERIODS
        end = self.end(now)
        begin = end - count * self.period
        slices = store.slices(place, self.metric, self.unit, begin, end, spreads=self.statistic.needs_spread)
        found: dict[int, Datapoint] = {}
        for one in periods(slices.values(), self.period, begin, spreads=self.statistic.needs_spread):
            value = self.statistic.compute(one)
            if value is not None:
                found[one.start] = Datapoint(one.start, value, one.count)
        newest_first = tuple(found.get(end - age * self.period) for age in range(1, count + 1))
        few = self.ignores_few and any(
            _is_few(self.statistic.name, point) for point in newest_first[: self.criterion.periods]
        )
        return Reading(newest_first, few)


def window_end(now: float, period: int) -> int:
    """Where the newest whole period ends. Windows slide by the minute, short ones by their own period."""
    grain = period if period in HIGH_RESOLUTION else 60
    return int(now // grain) * grain


def criterion_of(settings: Mapping[str, Any]) -> Criterion:
    count: int = settings["EvaluationPeriods"]
    treatment = cast("Treatment", settings.get("TreatMissingData") or "missing")
    return Criterion(
        settings["ComparisonOperator"],
        settings["Threshold"],
        count,
        settings.get("DatapointsToAlarm") or count,
        treatment,
    )


def plan_of(settings: Mapping[str, Any]) -> Plan:
    """Settings that were checked when they were put."""
    pairs = ((one["Name"], one["Value"]) for one in settings.get("Dimensions") or ())
    return Plan(
        criterion=criterion_of(settings),
        metric=metric_id(settings["Namespace"], settings["MetricName"], pairs),
        statistic=statistic(settings.get("Statistic") or settings["ExtendedStatistic"]),
        unit=settings.get("Unit"),
        period=settings["Period"],
        m_of_n="DatapointsToAlarm" in settings,
        ignores_few=settings.get("EvaluateLowSampleCountPercentile") == "ignore",
    )


def _is_few(name: str, point: Datapoint | None) -> bool:
    """AWS: fewer than 10/(1-p) samples for p >= 0.5, fewer than 10/p below."""
    if point is None or point.samples is None or not is_percentile(name):
        return False
    share = float(name[1:]) / 100
    tail = min(share, 1 - share)
    return tail > 0 and point.samples < round(10 / tail, 6)
