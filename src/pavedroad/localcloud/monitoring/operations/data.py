"""Put datapoints, and get them back: PutMetricData, GetMetricStatistics, GetMetricData, ListMetrics."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from pavedroad.localcloud import paging
from pavedroad.localcloud.monitoring import ingest
from pavedroad.localcloud.monitoring.call import Call, Operation, Result
from pavedroad.localcloud.monitoring.refusals import contradictory, invalid, missing, token_as_parameter
from pavedroad.localcloud.monitoring.retrieval import is_period, points
from pavedroad.localcloud.monitoring.series import MetricId
from pavedroad.localcloud.monitoring.statistics import UnknownStatistic, statistic
from pavedroad.localcloud.monitoring.store import metric_id

MOST_DATAPOINTS = 1440
METRICS_A_PAGE = 500
LISTED_FOR = timedelta(days=14)
RECENT = timedelta(hours=3)


def put(call: Call) -> Result:
    call.store.put(call.place, ingest.points(call.parameters, call.now))
    return None


def get_statistics(call: Call) -> Result:
    for name in ("Namespace", "MetricName", "StartTime", "EndTime", "Period"):
        if call.get(name) is None:
            raise missing(name)
    names = [*call.texts("Statistics"), *call.texts("ExtendedStatistics")]
    if not names:
        raise contradictory("Must specify either Statistics or ExtendedStatistics")
    if call.texts("Statistics") and call.texts("ExtendedStatistics"):
        raise contradictory(
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified "
            "both."
        )
    try:
        wanted = [statistic(name) for name in names]
    except UnknownStatistic as error:
        raise invalid(f"The value {error} for parameter ExtendedStatistics is invalid.") from error
    period: int = call.parameters["Period"]
    if not is_period(period):
        raise invalid(f"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, and is {period}.")
    span = call.span
    if span.since >= span.until:
        raise invalid("The parameter StartTime must be less than the parameter EndTime.")
    if span.periods(period) > MOST_DATAPOINTS:
        raise contradictory(
            f"You have requested up to {span.periods(period):,} datapoints, which exceeds the limit of "
            f"{MOST_DATAPOINTS:,}. You may reduce the datapoints requested by increasing Period, or "
            "decreasing the time range."
        )
    metric = metric_of(call.parameters)
    found: list[dict[str, Any]] = []
    for unit in [call.get("Unit")] if call.get("Unit") else call.store.units(call.place, metric):
        by_start: dict[int, dict[str, Any]] = {}
        for one in wanted:
            values = points(call.store, call.place, metric, one, unit=unit, period=period, span=span)
            for begin, value in values.items():
                shown = by_start.setdefault(
                    begin, {"Timestamp": datetime.fromtimestamp(begin, UTC), "Unit": unit}
                )
                if call.texts("ExtendedStatistics"):
                    shown.setdefault("ExtendedStatistics", {})[one.name] = value
                else:
                    shown[one.name] = value
        found += by_start.values()
    return {"Label": call.parameters["MetricName"], "Datapoints": found}


def list_metrics(call: Call) -> Result:
    active_since = call.now - (RECENT if call.get("RecentlyActive") else LISTED_FOR)
    with token_as_parameter():
        shown, token = paging.page(
            _listed(call, active_since.timestamp()),
            key=_key,
            token=call.get("NextToken"),
            limit=METRICS_A_PAGE,
        )
    return {"Metrics": [metric_view(metric) for metric in shown], "NextToken": token}


def _listed(call: Call, active_since: float) -> Iterator[MetricId]:
    name: str | None = call.get("MetricName")
    filters = [(one["Name"], one.get("Value")) for one in call.entries("Dimensions")]
    known = call.store.metrics(call.place, call.get("Namespace"))
    last = paging.last_shown(call.get("NextToken"))
    for metric in islice(known, bisect_right(known, last, key=_key) if last else 0, None):
        if name not in (None, metric.name) or call.store.last_seen(call.place, metric) < active_since:
            continue
        if filters:
            has = dict(metric.dimensions)
            if not all(key in has and value in (None, has[key]) for key, value in filters):
                continue
        yield metric


def _key(metric: MetricId) -> paging.Key:
    flat = (part for pair in metric.dimensions for part in pair)
    return (metric.namespace, metric.name, *flat)


def metric_of(given: Mapping[str, Any]) -> MetricId:
    """The metric that Namespace, MetricName and Dimensions name."""
    pairs = ((one["Name"], one["Value"]) for one in given.get("Dimensions") or ())
    return metric_id(given["Namespace"], given["MetricName"], pairs)


def metric_view(metric: MetricId) -> dict[str, Any]:
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }


OPERATIONS: dict[str, Operation] = {
    "PutMetricData": put,
    "GetMetricStatistics": get_statistics,
    "ListMetrics": list_metrics,
}
