"""AWS's statistics by their names, and their value over a stretch of a series, period by period."""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from pavedroad.localcloud.monitoring.series import Slice, Spread

_RANK = re.compile(r"(p|tm|wm|tc|ts)([0-9]{1,2}(?:\.[0-9]{0,10})?|100(?:\.0{0,10})?)")
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_BOUNDED = re.compile(rf"(TM|WM|TC|TS|PR)\(({_NUMBER}%?)?:({_NUMBER}%?)?\)")


class UnknownStatistic(ValueError):
    """The name is not one of AWS's statistics."""


@dataclass(slots=True)
class Period:
    """What is known of the values in one period. `spread` is None where the single values are not known."""

    start: int
    count: float
    total: float
    low: float
    high: float
    spread: Spread | None


Fold = Callable[[Slice, int, int], float | None]
"""A statistic over the buckets of a slice from one place to another."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """`compute` gives None where the period has no such value; `fold` is the same without a period made: of
    any slice, or, where it needs the spread, of one that is plain."""

    name: str
    needs_spread: bool
    compute: Callable[[Period], float | None]
    fold: Fold | None = None


@lru_cache(maxsize=4096)
def statistic(name: str) -> Statistic:
    """By AWS's name: `Average`, `p99.9`, `tm90`, `TM(10%:90%)`, `PR(:300)`, `IQM`."""
    if name in _SIMPLE:
        return Statistic(name, False, *_SIMPLE[name])
    if name == "IQM":
        return Statistic(name, True, _spread_over("TM", "25%", "75%"))
    if match := _RANK.fullmatch(name):
        kind, rank = match.groups()
        if kind == "p":
            whole = float(rank)
            return Statistic(
                name, True, _known(lambda values, _: percentile(values, whole)), _plain_percentile(whole)
            )
        return Statistic(name, True, _spread_over(kind.upper(), None, f"{rank}%"))
    if match := _BOUNDED.fullmatch(name):
        kind, low, high = match.groups()
        if (low or high) and not (kind == "PR" and "%" in name):
            ends = [end.endswith("%") for end in (low, high) if end]
            ranks = [float(end[:-1]) for end in (low, high) if end and end.endswith("%")]
            ordered = not (low and high) or float(low.rstrip("%")) < float(high.rstrip("%"))
            if len(set(ends)) == 1 and all(0 <= rank <= 100 for rank in ranks) and ordered:
                return Statistic(name, True, _spread_over(kind, low, high))
    raise UnknownStatistic(name)


def is_percentile(name: str) -> bool:
    return bool(re.fullmatch(r"p[0-9].*", name))


def datapoints(
    slices: Iterable[Slice], wanted: Statistic, period: int, origin: int
) -> list[tuple[int, float]]:
    """The statistic over each period that has a value, oldest first; periods begin at `origin`."""
    pieces = [piece for piece in slices if piece.starts]
    computed: Iterable[tuple[int, float | None]]
    fold = wanted.fold
    if fold is not None and len(pieces) == 1 and (pieces[0].plain or not wanted.needs_spread):
        (piece,) = pieces
        stretches = _stretches(piece.starts, period, origin)
        computed = ((floor, fold(piece, begin, end)) for floor, begin, end in stretches)
    else:
        made = periods(pieces, period, origin, spreads=wanted.needs_spread)
        computed = ((one.start, wanted.compute(one)) for one in made)
    return [(start, value) for start, value in computed if value is not None and math.isfinite(value)]


def periods(slices: Iterable[Slice], period: int, origin: int, *, spreads: bool) -> Iterator[Period]:
    """The periods that have any value, oldest first."""
    by_start: dict[int, Period] = {}
    for piece in slices:
        for floor, begin, end in _stretches(piece.starts, period, origin):
            found = Period(
                floor,
                _sum(piece.counts, begin, end),
                _sum(piece.totals, begin, end),
                _least(piece, begin, end),
                _most(piece, begin, end),
                _spread(piece, begin, end) if spreads else None,
            )
            known = by_start.get(floor)
            by_start[floor] = _merged(known, found) if known else found
    return iter([by_start[start] for start in sorted(by_start)])


def _stretches(starts: array[int], period: int, origin: int) -> Iterator[tuple[int, int, int]]:
    """When each period begins, and which buckets are in it."""
    begin, count = 0, len(starts)
    while begin < count:
        floor = starts[begin] - (starts[begin] - origin) % period
        end = begin + 1
        if end < count and starts[end] < floor + period:
            end = bisect_left(starts, floor + period, end)
        yield floor, begin, end
        begin = end


def _sum(column: array[float], begin: int, end: int) -> float:
    return column[begin] if end - begin == 1 else sum(column[begin:end])


def _least(piece: Slice, begin: int, end: int) -> float:
    return piece.lows[begin] if end - begin == 1 else min(piece.lows[begin:end])


def _most(piece: Slice, begin: int, end: int) -> float:
    return piece.highs[begin] if end - begin == 1 else max(piece.highs[begin:end])


def _spread(piece: Slice, begin: int, end: int) -> Spread | None:
    """How often each value was seen; None where one bucket's values are not known."""
    found: Spread = {}
    for at in range(begin, end):
        if piece.starts[at] in piece.spreads:
            several = piece.spread(at)
            if several is None:
                return None
            _add(found, several)
        else:
            value = piece.lows[at]
            found[value] = found.get(value, 0.0) + piece.counts[at]
    return found


def _add(spread: Spread, more: Spread) -> None:
    for value, count in more.items():
        spread[value] = spread.get(value, 0.0) + count


def _merged(one: Period, other: Period) -> Period:
    """The same period of two series."""
    if one.spread is not None and other.spread is not None:
        _add(one.spread, other.spread)
    else:
        one.spread = None
    one.count += other.count
    one.total += other.total
    one.low = min(one.low, other.low)
    one.high = max(one.high, other.high)
    return one


_Values = list[tuple[float, float]]
"""Value and how often it was seen, in the order of the values."""


def percentile(values: _Values, rank: float) -> float | None:
    """The smallest value that `rank` percent of all are not above."""
    wanted = sum(count for _, count in values) * rank / 100
    seen = 0.0
    for value, count in values:
        seen += count
        # What is a rounding error short of the rank has come to it.
        if seen >= wanted * (1 - 1e-12):
            return value
    return values[-1][0] if values else None


def _plain_percentile(rank: float) -> Fold:
    def fold(piece: Slice, begin: int, end: int) -> float | None:
        values = sorted(piece.totals[begin:end])
        place = max(1, math.ceil(len(values) * rank / 100 * (1 - 1e-12)))
        return None if values[0] < 0 else values[place - 1]

    return fold


def _known(compute: Callable[[_Values, Period], float | None]) -> Callable[[Period], float | None]:
    def over(period: Period) -> float | None:
        if period.low < 0:
            return None
        if period.spread is None:
            if period.count != 1 and period.low != period.high:
                return None
            return compute([(period.low, period.count)], period)
        values = sorted((value, count) for value, count in period.spread.items() if count > 0)
        return compute(values, period) if values else None

    return over


def _spread_over(kind: str, low: str | None, high: str | None) -> Callable[[Period], float | None]:
    by_rank = (low or high or "").endswith("%")

    def compute(values: _Values, period: Period) -> float | None:
        inside = _by_rank(values, low, high) if by_rank else _by_value(values, low, high)
        count = sum(times for _, times in inside)
        if kind == "TC":
            return count
        if kind == "PR":
            return 100 * count / period.count if period.count else None
        if kind == "TS":
            return sum(value * times for value, times in inside)
        if kind == "WM":
            return _winsorized(values, inside)
        return sum(value * times for value, times in inside) / count if count else None

    return _known(compute)


def _by_rank(values: _Values, low: str | None, high: str | None) -> _Values:
    """The values between two ranks; one that lies across a rank counts in part."""
    whole = sum(count for _, count in values)
    begin = whole * float((low or "0%")[:-1]) / 100
    end = whole * float((high or "100%")[:-1]) / 100
    inside: _Values = []
    seen = 0.0
    for value, count in values:
        share = min(seen + count, end) - max(seen, begin)
        if share > 0:
            inside.append((value, share))
        seen += count
    return inside


def _by_value(values: _Values, low: str | None, high: str | None) -> _Values:
    """The lower bound is not inside, the upper is."""
    begin = float(low) if low else -math.inf
    end = float(high) if high else math.inf
    return [(value, count) for value, count in values if begin < value <= end]


def _winsorized(values: _Values, inside: _Values) -> float | None:
    """The mean with what is outside taken as the nearest value inside."""
    if not inside:
        return None
    least, most = inside[0][0], inside[-1][0]
    whole = sum(count for _, count in values)
    return sum(min(max(value, least), most) * count for value, count in values) / whole


def _divided(total: float, count: float) -> float | None:
    return total / count if count else None


_SIMPLE: dict[str, tuple[Callable[[Period], float | None], Fold]] = {
    "SampleCount": (
        lambda period: period.count,
        lambda piece, begin, end: _sum(piece.counts, begin, end),
    ),
    "Average": (
        lambda period: _divided(period.total, period.count),
        lambda piece, begin, end: _divided(_sum(piece.totals, begin, end), _sum(piece.counts, begin, end)),
    ),
    "Sum": (
        lambda period: period.total,
        lambda piece, begin, end: _sum(piece.totals, begin, end),
    ),
    "Minimum": (lambda period: period.low, _least),
    "Maximum": (lambda period: period.high, _most),
}
