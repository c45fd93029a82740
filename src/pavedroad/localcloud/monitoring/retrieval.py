"""Datapoints of one metric by one statistic, over aligned periods."""

from __future__ import annotations

from dataclasses import dataclass

from pavedroad.localcloud.monitoring.series import MetricId
from pavedroad.localcloud.monitoring.statistics import Statistic, datapoints
from pavedroad.localcloud.monitoring.store import Place, Store

Points = dict[int, float]
"""By the period's start, in seconds since the epoch; oldest first."""

SHORT_PERIODS = (1, 5, 10, 20, 30)
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` (inclusive) to `until` (exclusive)."""

    since: float
    until: float
    now: float

    def origin(self, period: int) -> int:
        """Where the first period begins: AWS rounds the start down, the more the older it is."""
        age = self.now - self.since
        grain = min(60, period) if age < 15 * DAY else 300 if age < 63 * DAY else 3600
        return int(self.since // grain) * grain

    def periods(self, period: int) -> int:
        """How many there are in it."""
        return max(0, -int(-(self.until - self.origin(period)) // period))


def is_period(seconds: int) -> bool:
    return seconds in SHORT_PERIODS or (seconds > 0 and seconds % 60 == 0)


def points(
    store: Store,
    place: Place,
    metric: MetricId,
    wanted: Statistic,
    *,
    unit: str | None,
    period: int,
    span: Span,
) -> Points:
    """All units together, where none is asked for."""
    origin = span.origin(period)
    end = -int(-span.until // 1)
    slices = store.slices(place, metric, unit, origin, end, spreads=wanted.needs_spread)
    return dict(datapoints(slices.values(), wanted, period, origin))
