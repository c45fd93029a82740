"""The datapoints of one metric in one unit, folded into buckets of a second or a minute as they come.

A bucket is five numbers in flat arrays, or two for as long as each bucket of the series has seen one value.
One with several different values keeps how often each was seen, for percentiles: exactly up to `MOST_VALUES`
of them, and to half a percent beyond.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, cast

MOST_VALUES = 256
_MANTISSA_STEPS = 256
_NUMBER_BYTES = 8
_FOLDED_AT_ONCE = 4000

Spread = dict[float, float]
"""Value to how often it was seen."""
Frozen: TypeAlias = "array[float]"
"""A spread that does not change any more: its values, and then how often each was seen."""


_NONE: array[float] = array("d")
"""Of the columns that a series does without."""


class MetricId(NamedTuple):
    """Dimensions are sorted by name. A tuple, because it is looked up for every datapoint."""

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
    spreads: Mapping[int, Spread | Frozen | None] = field(default_factory=dict[int, "Spread | Frozen | None"])
    plain: bool = False
    """Each bucket has seen one value, once."""

    def spread(self, at: int) -> Spread | None:
        """A copy of the values in the bucket at that place."""
        start = self.starts[at]
        if start in self.spreads:
            return thawed(self.spreads[start])
        return {self.lows[at]: self.counts[at]}


class Series:
    """Not safe for threads: the store's lock guards it.

    While it is `plain`, each bucket is one value seen once: that is its total, and the columns of counts,
    lows and highs are empty.
    """

    __slots__ = (
        "_aligned",
        "_spreads",
        "counts",
        "highs",
        "last_number",
        "lows",
        "metric",
        "newest",
        "number",
        "plain",
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
        self.plain = True
        self.starts = array("q")
        self.totals = array("d")
        self.counts = self.lows = self.highs = _NONE
        self._spreads: dict[int, Spread | Frozen | None] = {}
        self._aligned: dict[int, int] = {}
        """By width: the buckets that begin before that time are of the width, or wider."""

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def size(self) -> int:
        """Bytes, about."""
        columns = 2 if self.plain else 5
        return _NUMBER_BYTES * columns * len(self.starts) + sum(
            160 + (16 * len(found) if found else 0) for found in self._spreads.values()
        )

    def add(self, start: int, value: float, count: float = 1.0) -> None:
        starts = self.starts
        if self.plain:
            if count == 1.0 and (not starts or start > starts[-1]):
                starts.append(start)
                self.totals.append(value)
                return
            self._widen()
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
        if self.plain:
            self._widen()
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
        return self._slice(bisect_left(self.starts, since), bisect_left(self.starts, until), spreads=spreads)

    def _slice(self, begin: int, end: int, *, spreads: bool) -> Slice:
        starts, totals = self.starts[begin:end], self.totals[begin:end]
        if self.plain:
            return Slice(starts, array("d", (1.0,)) * len(starts), totals, totals, totals, plain=True)
        found: dict[int, Spread | Frozen | None] = {}
        if spreads and self._spreads and starts:
            known = self._spreads
            few = known if len(known) < len(starts) else starts
            within = (start for start in few if start in known and starts[0] <= start <= starts[-1])
            found = {start: _kept(known[start]) for start in within}
        return Slice(
            starts, self.counts[begin:end], totals, self.lows[begin:end], self.highs[begin:end], found
        )

    def coarsen(self, before: int, width: int) -> bool:
        """Fold some of the buckets that begin before `before` into ones of `width` seconds. Says whether
        there are more: a long series is folded a stretch at a time."""
        end = bisect_left(self.starts, before)
        begin = bisect_left(self.starts, self._aligned.get(width, -(2**62)))
        uneven = next((at for at in range(begin, end) if self.starts[at] % width), None)
        if uneven is None:
            if end:
                self._aligned[width] = self.starts[end - 1] // width * width
            return False
        begin = bisect_left(self.starts, self.starts[uneven] // width * width)
        last = min(begin + _FOLDED_AT_ONCE, end) - 1
        # A bucket is folded whole.
        end = min(end, bisect_left(self.starts, (self.starts[last] // width + 1) * width))
        self._aligned[width] = self.starts[end - 1] // width * width
        self._replace(begin, end, self._folded(begin, end, width))
        return True

    def _folded(self, begin: int, end: int, width: int) -> Series:
        old = self._slice(begin, end, spreads=True)
        kept = Series(self.number, self.metric, self.unit)
        for at, start in enumerate(old.starts):
            floor = start - start % width
            spread = old.spread(at)
            if spread is None:
                kept.add_summary(floor, Summary(old.counts[at], old.totals[at], old.lows[at], old.highs[at]))
            else:
                for value, count in spread.items():
                    kept.add(floor, value, count)
        kept.freeze()
        return kept

    def _replace(self, begin: int, end: int, other: Series) -> None:
        for one in (self, other):
            if one.plain and not (self.plain and other.plain):
                one._widen()
        for start in self.starts[begin:end]:
            self._spreads.pop(start, None)
        self._spreads.update(other._spreads)
        for mine, theirs in zip(self._columns(), other._columns(), strict=True):
            cast("array[float]", mine)[begin:end] = cast("array[float]", theirs)

    def drop(self, before: int) -> None:
        end = bisect_left(self.starts, before)
        for start in self.starts[:end]:
            self._spreads.pop(start, None)
        for column in self._columns():
            del column[:end]

    def freeze(self) -> None:
        """Keep what is known of single values in the least memory."""
        for start, found in self._spreads.items():
            if isinstance(found, dict):
                self._spreads[start] = _frozen(found)

    def _columns(self) -> tuple[array[int] | array[float], ...]:
        if self.plain:
            return (self.starts, self.totals)
        return (self.starts, self.counts, self.totals, self.lows, self.highs)

    def _widen(self) -> None:
        self.plain = False
        self.counts = array("d", (1.0,)) * len(self.starts)
        self.lows, self.highs = self.totals[:], self.totals[:]

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
            self._aligned.clear()
        return at

    def _append(self, start: int, count: float, total: float, low: float, high: float) -> None:
        if self.starts:
            last = self.starts[-1]
            spread = self._spreads.get(last)
            if isinstance(spread, dict):
                self._spreads[last] = _frozen(spread)
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
            self._spreads[start] = spread = thawed(spread) or {}
        if len(spread) >= MOST_VALUES and value not in spread:
            value = coarse(value)
            if value not in spread:
                spread = _coarsened(spread)
                self._spreads[start] = spread
        spread[value] = spread.get(value, 0.0) + count

    def dump(self) -> tuple[object, ...]:
        """Plain data, for the file."""
        spreads = {
            start: None if found is None else (_frozen(found) if isinstance(found, dict) else found).tobytes()
            for start, found in self._spreads.items()
        }
        columns = tuple(column.tobytes() for column in self._columns())
        return (self.last_number, self.newest, columns, spreads)

    def load(self, dumped: tuple[int, float, tuple[bytes, ...], dict[int, bytes | None]]) -> None:
        self.last_number, self.newest, columns, spreads = dumped
        if len(columns) > 2:
            self._widen()
        for column, data in zip(self._columns(), columns, strict=True):
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


def _frozen(spread: Spread) -> Frozen:
    return array("d", (*spread.keys(), *spread.values()))


def _kept(spread: Spread | Frozen | None) -> Spread | Frozen | None:
    """What does not change while somebody reads it."""
    return dict(spread) if isinstance(spread, dict) else spread


def thawed(spread: Spread | Frozen | None) -> Spread | None:
    """A copy, by value."""
    if spread is None:
        return None
    if isinstance(spread, dict):
        return dict(spread)
    half = len(spread) // 2
    return dict(zip(spread[:half], spread[half:], strict=True))
