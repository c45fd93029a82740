"""The datapoints of one metric in one unit, folded into buckets of a second or a minute as they come.

A bucket is five numbers in flat arrays. One with several different values keeps how often each was seen,
for percentiles: exactly up to `MOST_VALUES` of them, and to half a percent beyond.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_VALUES = 256
_MANTISSA_STEPS = 256
BUCKET_BYTES = 40

Spread = dict[float, float]
"""Value to how often it was seen."""


@dataclass(frozen=True, slots=True)
class MetricId:
    """Dimensions are sorted by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """A statistic set: what is known of values that were not told one by one."""

    count: float
    total: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Slice:
    """A copy of a stretch of a series. `spreads` has, by start, the buckets of several values; None is for
    those whose values are not known."""

    starts: array[int]
    counts: array[float]
    totals: array[float]
    lows: array[float]
    highs: array[float]
    spreads: Mapping[int, Spread | None] = field(default_factory=dict[int, "Spread | None"])


class Series:
    """Not safe for threads: the store's lock guards it."""

    __slots__ = (
        "_spreads",
        "counts",
        "highs",
        "last_number",
        "lows",
        "metric",
        "newest",
        "number",
        "starts",
        "totals",
        "unit",
    )

    def __init__(self, number: int, metric: MetricId, unit: str) -> None:
        self.number = number
        self.metric = metric
        self.unit = unit
        self.last_number = 0
        """Of the last datapoint that is in here: the journal's later ones are to be replayed."""
        self.newest = -math.inf
        """The newest datapoint's own time, not its bucket's."""
        self.starts = array("q")
        self.counts = array("d")
        self.totals = array("d")
        self.lows = array("d")
        self.highs = array("d")
        self._spreads: dict[int, Spread | array[float] | None] = {}

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def size(self) -> int:
        """Bytes, about."""
        return BUCKET_BYTES * len(self.starts) + sum(
            160 + (16 * len(found) if found else 0) for found in self._spreads.values()
        )

    def add(self, start: int, value: float, count: float = 1.0) -> None:
        at = self._bucket(start)
        if at is None:
            self._append(start, count, value * count, value, value)
            return
        low, high = self.lows[at], self.highs[at]
        if not (low == high == value):
            if start in self._spreads:
                self._count(start, value, count)
            elif low == high:
                self._spreads[start] = {low: self.counts[at]}
                self._count(start, value, count)
            self.lows[at] = min(low, value)
            self.highs[at] = max(high, value)
        elif start in self._spreads:
            self._count(start, value, count)
        self.counts[at] += count
        self.totals[at] += value * count

    def add_summary(self, start: int, summary: Summary) -> None:
        if summary.low == summary.high and summary.count:
            # All the values are known after all.
            self.add(start, summary.low, summary.count)
            return
        at = self._bucket(start)
        if at is None:
            self._append(start, summary.count, summary.total, summary.low, summary.high)
        else:
            self.counts[at] += summary.count
            self.totals[at] += summary.total
            self.lows[at] = min(self.lows[at], summary.low)
            self.highs[at] = max(self.highs[at], summary.high)
        self._spreads[start] = None

    def between(self, since: int, until: int, *, spreads: bool) -> Slice:
        """A copy of the buckets that begin in [since, until)."""
        begin, end = bisect_left(self.starts, since), bisect_left(self.starts, until)
        starts = self.starts[begin:end]
        found: dict[int, Spread | None] = {}
        if spreads and self._spreads:
            for start in starts:
                if start in self._spreads:
                    found[start] = _thawed(self._spreads[start])
        return Slice(
            starts,
            self.counts[begin:end],
            self.totals[begin:end],
            self.lows[begin:end],
            self.highs[begin:end],
            found,
        )

    def coarsen(self, before: int, width: int) -> None:
        """Fold the buckets that begin before `before` into ones of `width` seconds."""
        end = bisect_left(self.starts, before)
        if not any(start % width for start in self.starts[:end]):
            return
        old = self.between(-(2**62), 2**62, spreads=True)
        kept = Series(self.number, self.metric, self.unit)
        for at, start in enumerate(old.starts):
            floor = start - start % width if at < end else start
            spread = old.spreads.get(start, {old.lows[at]: old.counts[at]})
            if spread is None:
                kept.add_summary(floor, Summary(old.counts[at], old.totals[at], old.lows[at], old.highs[at]))
            else:
                for value, count in spread.items():
                    kept.add(floor, value, count)
        self._take(kept)

    def drop(self, before: int) -> None:
        end = bisect_left(self.starts, before)
        for start in self.starts[:end]:
            self._spreads.pop(start, None)
        for column in (self.starts, self.counts, self.totals, self.lows, self.highs):
            del column[:end]

    def _take(self, other: Series) -> None:
        self.starts, self.counts, self.totals = other.starts, other.counts, other.totals
        self.lows, self.highs, self._spreads = other.lows, other.highs, other._spreads

    def _bucket(self, start: int) -> int | None:
        """Where the bucket is; None where it is to be appended."""
        starts = self.starts
        if not starts or start > starts[-1]:
            return None
        if starts[-1] == start:
            return len(starts) - 1
        at = bisect_left(starts, start)
        if starts[at] != start:
            starts.insert(at, start)
            self.counts.insert(at, 0.0)
            self.totals.insert(at, 0.0)
            self.lows.insert(at, math.inf)
            self.highs.insert(at, -math.inf)
            self._spreads[start] = {}
        return at

    def _append(self, start: int, count: float, total: float, low: float, high: float) -> None:
        if self.starts:
            last = self.starts[-1]
            spread = self._spreads.get(last)
            if isinstance(spread, dict):
                self._spreads[last] = array("d", (*spread.keys(), *spread.values()))
        self.starts.append(start)
        self.counts.append(count)
        self.totals.append(total)
        self.lows.append(low)
        self.highs.append(high)

    def _count(self, start: int, value: float, count: float) -> None:
        spread = self._spreads[start]
        if spread is None:
            return
        if not isinstance(spread, dict):
            self._spreads[start] = spread = _thawed(spread) or {}
        if len(spread) >= MOST_VALUES and value not in spread:
            value = coarse(value)
            if value not in spread:
                spread = _coarsened(spread)
                self._spreads[start] = spread
        spread[value] = spread.get(value, 0.0) + count

    def dump(self) -> tuple[object, ...]:
        """Plain data, for the file."""
        columns = (self.starts, self.counts, self.totals, self.lows, self.highs)
        spreads = {
            start: None
            if found is None
            else array("d", (*found.keys(), *found.values())).tobytes()
            if isinstance(found, dict)
            else found.tobytes()
            for start, found in self._spreads.items()
        }
        return (self.last_number, self.newest, tuple(column.tobytes() for column in columns), spreads)

    def load(self, dumped: tuple[int, float, tuple[bytes, ...], dict[int, bytes | None]]) -> None:
        self.last_number, self.newest, columns, spreads = dumped
        for column, data in zip(
            (self.starts, self.counts, self.totals, self.lows, self.highs), columns, strict=True
        ):
            column.frombytes(data)
        for start, data in spreads.items():
            self._spreads[start] = None if data is None else array("d", data)


def coarse(value: float) -> float:
    """The value to about half a percent: neighbours fall together."""
    if not value:
        return value
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * _MANTISSA_STEPS) / _MANTISSA_STEPS, exponent)


def _coarsened(spread: Spread) -> Spread:
    folded: Spread = {}
    for value, count in spread.items():
        near = coarse(value)
        folded[near] = folded.get(near, 0.0) + count
    return folded


def _thawed(spread: Spread | array[float] | None) -> Spread | None:
    if spread is None:
        return None
    if isinstance(spread, dict):
        return dict(spread)
    half = len(spread) // 2
    return dict(zip(spread[:half], spread[half:], strict=True))
