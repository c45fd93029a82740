"""All metrics' datapoints, under a lock of their own: ingesting and querying never hold the state lock."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pavedroad.localcloud.monitoring.series import MetricId, Series, Slice, Summary

Place = tuple[str, str]
"""Account and region."""

_AT_ONCE = 2000
"""Datapoints for which the lock is held."""


@dataclass(frozen=True, slots=True)
class Point:
    """What is put of one metric at one time (seconds since the epoch): values with their counts, or a summary
    of them. `width` is the seconds of a bucket: 1 or 60."""

    metric: MetricId
    unit: str
    at: float
    width: int
    values: Sequence[float]
    counts: Sequence[float] = ()
    summary: Summary | None = None


class Journal(Protocol):
    """Where what is put is written down. Called with the store's lock held: it only takes note."""

    def opened(self, place: Place, series: Series) -> None: ...

    def added(self, number: int, series: Series, point: Point) -> None: ...


class Store:
    """`journal` may be set once, before the first datapoint."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.journal: Journal | None = None
        self.points = 0
        """How many were ever put; each has its number."""
        self._places: dict[Place, dict[str, dict[MetricId, dict[str, Series]]]] = {}
        self._numbered: dict[int, Series] = {}
        self._opened = 0

    def put(self, place: Place, points: Sequence[Point]) -> None:
        for begin in range(0, len(points), _AT_ONCE):
            with self.lock:
                for point in points[begin : begin + _AT_ONCE]:
                    self._put(place, point)

    def _put(self, place: Place, point: Point) -> None:
        series = self._series(place, point.metric, point.unit)
        self.points += 1
        if self.journal:
            self.journal.added(self.points, series, point)
        apply(series, self.points, point)

    def slices(
        self, place: Place, metric: MetricId, unit: str | None, since: int, until: int, *, spreads: bool
    ) -> dict[str, Slice]:
        """Copies of the buckets that begin in [since, until), by unit."""
        with self.lock:
            units = self._places.get(place, {}).get(metric.namespace, {}).get(metric, {})
            chosen = units if unit is None else {unit: units[unit]} if unit in units else {}
            return {name: series.between(since, until, spreads=spreads) for name, series in chosen.items()}

    def newest(self, place: Place, metrics: Iterable[MetricId]) -> int:
        """The number of the newest datapoint of any of them: it tells whether there are new ones."""
        with self.lock:
            known = self._places.get(place, {})
            return max(
                (
                    series.last_number
                    for metric in metrics
                    for series in known.get(metric.namespace, {}).get(metric, {}).values()
                ),
                default=0,
            )

    def metrics(self, place: Place, namespace: str | None = None) -> list[tuple[MetricId, float]]:
        """Every metric and its newest datapoint's time."""
        with self.lock:
            by_namespace = self._places.get(place, {})
            wanted = by_namespace.values() if namespace is None else [by_namespace.get(namespace, {})]
            return [
                (metric, max(series.newest for series in units.values()))
                for metrics in wanted
                for metric, units in metrics.items()
            ]

    def open(self, place: Place, metric: MetricId, unit: str, number: int) -> Series:
        """A series that was numbered before the restart. With the lock held."""
        series = Series(number, metric, unit)
        self._places.setdefault(place, {}).setdefault(metric.namespace, {}).setdefault(metric, {})[unit] = (
            series
        )
        self._numbered[number] = series
        self._opened = max(self._opened, number)
        return series

    def numbered(self, number: int) -> Series | None:
        return self._numbered.get(number)

    def everything(self) -> Iterator[tuple[Place, Series]]:
        """Every series; with the lock held, or over a list of it."""
        for place, namespaces in self._places.items():
            for metrics in namespaces.values():
                for units in metrics.values():
                    for series in units.values():
                        yield place, series

    def forget(self, place: Place, series: Series) -> None:
        """With the lock held."""
        namespaces = self._places[place]
        metrics = namespaces[series.metric.namespace]
        units = metrics[series.metric]
        del units[series.unit]
        del self._numbered[series.number]
        if not units:
            del metrics[series.metric]
        if not metrics:
            del namespaces[series.metric.namespace]

    def _series(self, place: Place, metric: MetricId, unit: str) -> Series:
        try:
            return self._places[place][metric.namespace][metric][unit]
        except KeyError:
            pass
        series = self.open(place, metric, unit, self._opened + 1)
        if self.journal:
            self.journal.opened(place, series)
        return series


def apply(series: Series, number: int, point: Point) -> None:
    """Put a point into its series."""
    start = int(point.at // point.width) * point.width
    series.last_number = number
    series.newest = max(series.newest, point.at)
    if point.summary is not None:
        series.add_summary(start, point.summary)
    elif point.counts:
        for value, count in zip(point.values, point.counts, strict=True):
            series.add(start, value, count)
    else:
        for value in point.values:
            series.add(start, value)


def metric_id(namespace: str, name: str, dimensions: Iterable[tuple[str, str]]) -> MetricId:
    return MetricId(namespace, name, tuple(sorted(dimensions)))
