"""All metrics' datapoints, under a lock of their own: ingesting and querying never hold the state lock."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from pavedroad.localcloud.monitoring.series import MetricId, Series, Slice, Summary

Place = tuple[str, str]
"""Account and region."""

_AT_ONCE = 500
"""Datapoints for which the lock is held."""


class Point(NamedTuple):
    """What is put of one metric at one time (seconds since the epoch): values with their counts, or a summary
    of them. `width` is the seconds of a bucket: 1 or 60. A tuple, because there are many."""

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

    def added(self, first: int, series: Sequence[int], points: Sequence[Point]) -> None:
        """`series` has the number of each point's series; `first` is the first point's own."""
        ...


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
        self._changes = 0
        """How many series have come and gone."""
        self._sorted: dict[tuple[Place, str | None], list[MetricId]] = {}
        self._whole = threading.Event()
        self._whole.set()
        self._early: list[tuple[Place, Sequence[Point]]] = []

    @property
    def is_whole(self) -> bool:
        """Not while what was put before a restart is still being read."""
        return self._whole.is_set()

    def wait_whole(self) -> None:
        self._whole.wait()

    def await_past(self) -> None:
        """What is put from now on waits for what was put before the restart: until `has_past`."""
        self._whole.clear()

    def has_past(self) -> None:
        with self.lock:
            for place, points in self._early:
                self._put(place, points)
            self._early.clear()
            self._whole.set()

    def put(self, place: Place, points: Sequence[Point]) -> None:
        """Never waits for long: the cloud's own parts put with the state lock held."""
        for begin in range(0, len(points), _AT_ONCE):
            some = points[begin : begin + _AT_ONCE]
            with self.lock:
                if self._whole.is_set():
                    self._put(place, some)
                else:
                    self._early.append((place, some))

    def _put(self, place: Place, points: Sequence[Point]) -> None:
        namespaces = self._places.setdefault(place, {})
        chosen: list[int] = []
        first = self.points + 1
        for number, point in enumerate(points, first):
            metric = point.metric
            try:
                series = namespaces[metric.namespace][metric][point.unit]
            except KeyError:
                series = self._first(place, metric, point.unit)
            chosen.append(series.number)
            apply(series, number, point)
        self.points += len(points)
        if self.journal:
            self.journal.added(first, chosen, points)

    def units(self, place: Place, metric: MetricId) -> list[str]:
        """In which the metric has datapoints."""
        return list(self._places.get(place, {}).get(metric.namespace, {}).get(metric, {}))

    def slices(
        self, place: Place, metric: MetricId, unit: str | None, since: int, until: int, *, spreads: bool
    ) -> dict[str, Slice]:
        """Copies of the buckets that begin in [since, until), by unit."""
        with self.lock:
            units = self._places.get(place, {}).get(metric.namespace, {}).get(metric, {})
            chosen = units if unit is None else {unit: units[unit]} if unit in units else {}
            return {name: series.between(since, until, spreads=spreads) for name, series in chosen.items()}

    def newest(self, place: Place, metrics: Iterable[MetricId]) -> int:
        """The number of the newest datapoint of any of them: it tells whether there are new ones.

        Without the lock: thousands of alarms ask, again and again, and an older number is as good."""
        known = self._places.get(place, {})
        return max(
            (
                series.last_number
                for metric in metrics
                for series in list(known.get(metric.namespace, {}).get(metric, {}).values())
            ),
            default=0,
        )

    def metrics(self, place: Place, namespace: str | None = None) -> Sequence[MetricId]:
        """Every metric, in their order; not to be changed."""
        with self.lock:
            if (known := self._sorted.get((place, namespace))) is not None:
                return known
            by_namespace = self._places.get(place, {})
            wanted = by_namespace.values() if namespace is None else [by_namespace.get(namespace, {})]
            found = [metric for metrics in wanted for metric in metrics]
            changes = self._changes
        found.sort()
        with self.lock:
            if changes == self._changes:
                self._sorted[(place, namespace)] = found
        return found

    def last_seen(self, place: Place, metric: MetricId) -> float:
        """The time of its newest datapoint."""
        units = self._places.get(place, {}).get(metric.namespace, {}).get(metric, {})
        return max((series.newest for series in list(units.values())), default=-math.inf)

    def open(self, place: Place, metric: MetricId, unit: str, number: int) -> Series:
        """A series that was numbered before the restart. With the lock held."""
        series = Series(number, metric, unit)
        self._places.setdefault(place, {}).setdefault(metric.namespace, {}).setdefault(metric, {})[unit] = (
            series
        )
        self._numbered[number] = series
        self._changed()
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
        self._changed()
        namespaces = self._places[place]
        metrics = namespaces[series.metric.namespace]
        units = metrics[series.metric]
        del units[series.unit]
        del self._numbered[series.number]
        if not units:
            del metrics[series.metric]
        if not metrics:
            del namespaces[series.metric.namespace]

    def _changed(self) -> None:
        self._changes += 1
        self._sorted.clear()

    def _first(self, place: Place, metric: MetricId, unit: str) -> Series:
        """The series of a metric's first datapoint in that unit."""
        series = self.open(place, metric, unit, self._opened + 1)
        if self.journal:
            self.journal.opened(place, series)
        return series


def apply(series: Series, number: int, point: Point) -> None:
    """Put a point into its series."""
    _, _, at, width, values, counts, summary = point
    start = int(at // width) * width
    series.last_number = number
    series.newest = max(series.newest, at)
    if summary is not None:
        series.add_summary(start, summary)
    elif counts:
        for value, count in zip(values, counts, strict=True):
            series.add(start, value, count)
    else:
        for value in values:
            series.add(start, value)


def metric_id(namespace: str, name: str, dimensions: Iterable[tuple[str, str]]) -> MetricId:
    return MetricId(namespace, name, tuple(sorted(dimensions)))
