"""What an alarm on metric math reads: the one query of its Metrics that returns data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pavedroad.localcloud.monitoring.alarms.plan import Reading, criterion_of, window_end
from pavedroad.localcloud.monitoring.alarms.verdict import EXTRA_PERIODS, Criterion, Datapoint
from pavedroad.localcloud.monitoring.expressions import queries
from pavedroad.localcloud.monitoring.expressions.queries import Evaluation, Query
from pavedroad.localcloud.monitoring.refusals import refused
from pavedroad.localcloud.monitoring.retrieval import Span
from pavedroad.localcloud.monitoring.series import MetricId
from pavedroad.localcloud.monitoring.store import Place, Store

MOST_METRICS = 10


@dataclass(frozen=True, slots=True)
class MathPlan:
    criterion: Criterion
    queries: Mapping[str, Query]
    returned: Query
    period: int
    m_of_n: bool
    unit: str | None = None
    statistic_name: str | None = None

    @property
    def metrics(self) -> tuple[MetricId, ...]:
        return tuple(query.stat.metric for query in self.queries.values() if query.stat)

    def end(self, now: float) -> int:
        return window_end(now, self.period)

    def read(self, store: Store, place: Place, now: float) -> Reading:
        count = self.criterion.periods + EXTRA_PERIODS
        end = self.end(now)
        span = Span(end - count * self.period, end, now)
        lines = Evaluation(self.queries, store, place, span).lines(self.returned)
        found = lines[0].points if lines else {}
        starts = [end - age * self.period for age in range(1, count + 1)]
        return Reading(tuple(Datapoint(at, found[at]) if at in found else None for at in starts))


def math_plan(settings: Mapping[str, Any]) -> MathPlan:
    """Refuses what is no alarm: it takes one time series, of at most ten metrics."""
    given: Sequence[Mapping[str, Any]] = settings["Metrics"]
    asked = queries.read(given)
    if sum(query.stat is not None for query in asked.values()) > MOST_METRICS:
        raise refused(f"An alarm can have at most {MOST_METRICS} metrics.")
    returned = [query for query in asked.values() if query.returned]
    if len(returned) != 1:
        raise refused("Exactly one element of the metrics list should return data.")
    empty = Evaluation(asked, Store(), ("", ""), Span(0, 0, 0))
    if len(empty.lines(returned[0])) != 1:
        raise refused("The expression of an alarm must give a single time series.")
    period = empty.period(returned[0])
    return MathPlan(criterion_of(settings), asked, returned[0], period, "DatapointsToAlarm" in settings)
