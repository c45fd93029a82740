"""Metric math's functions, by name: how many arguments each takes, and what it makes of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate, pairwise

from pavedroad.localcloud.monitoring.expressions.grammar import BadExpression
from pavedroad.localcloud.monitoring.expressions.values import (
    Frame,
    Line,
    Lines,
    Value,
    array,
    each,
    each_number,
    number,
    operate,
)
from pavedroad.localcloud.monitoring.retrieval import Points

Arguments = Sequence[Value]
Implementation = Callable[[Arguments, Frame], Value]


def call(name: str, arguments: Arguments, frame: Frame) -> Value:
    known = FUNCTIONS.get(name)
    if known is None:
        raise BadExpression(f"there is no function {name}")
    least, most, implementation = known
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise BadExpression(f"the function {name} takes {wanted} arguments, and has {len(arguments)}")
    return implementation(arguments, frame)


def _folding(name: str, fold: Callable[[Sequence[float]], float], *, zero: bool) -> Implementation:
    """Of a time series a number, of an array a time series."""

    def implementation(arguments: Arguments, _: Frame) -> Value:
        (value,) = arguments
        if isinstance(value, Line):
            return fold(list(value.points.values())) if value.points else math.nan
        lines = array(value, name)
        starts = sorted({at for line in lines for at in line.points})
        points: Points = {}
        for at in starts:
            found = [line.points.get(at, 0.0) for line in lines if zero or at in line.points]
            points[at] = fold(found)
        return Line(name, points, max((line.period for line in lines), default=60))

    return implementation


def _deviation(values: Sequence[float]) -> float:
    return statistics.pstdev(values)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _numeric(name: str, change: Callable[[float], float]) -> Implementation:
    return lambda arguments, _: each_number(arguments[0], change, name)


def _pointwise(name: str, change: Callable[[Points], Points]) -> Implementation:
    return lambda arguments, _: each(arguments[0], change, name)


def _changes(points: Points, compute: Callable[[float, int], float]) -> Points:
    return {
        later: compute(points[later] - points[earlier], later - earlier)
        for earlier, later in pairwise(points)
    }


def _gaps(points: Points) -> Points:
    return {later: float(later - earlier) for earlier, later in pairwise(points)}


def _running(points: Points) -> Points:
    return dict(zip(points, accumulate(points.values()), strict=True))


def _logarithm(log: Callable[[float], float]) -> Callable[[float], float]:
    return lambda value: log(value) if value > 0 else math.nan


def _fill(arguments: Arguments, frame: Frame) -> Value:
    value, filler = arguments
    if isinstance(filler, str) and filler not in ("REPEAT", "LINEAR"):
        raise BadExpression("the function FILL takes a number, a time series, REPEAT or LINEAR")

    def filled(points: Points) -> Points:
        if isinstance(filler, Line):
            return {at: points.get(at, filler.points.get(at, math.nan)) for at in frame.starts}
        if not isinstance(filler, str):
            constant = number(filler, "FILL")
            return {at: points.get(at, constant) for at in frame.starts}
        return _between(points, frame.starts, linear=filler == "LINEAR")

    return each(value, filled, "FILL")


def _between(points: Points, starts: Iterable[int], *, linear: bool) -> Points:
    known = sorted(points)
    found: Points = {}
    place = -1
    for at in starts:
        while place + 1 < len(known) and known[place + 1] <= at:
            place += 1
        if place < 0:
            continue
        before = known[place]
        if not linear or before == at or place + 1 == len(known):
            found[at] = points[before]
            continue
        after = known[place + 1]
        share = (at - before) / (after - before)
        found[at] = points[before] + share * (points[after] - points[before])
    return found


def _if(arguments: Arguments, _: Frame) -> Value:
    condition, then = arguments[0], arguments[1]
    other: Value | None = arguments[2] if len(arguments) == 3 else None
    if isinstance(condition, float):
        chosen = then if condition else other
        if chosen is None:
            raise BadExpression("the function IF needs a third argument where its condition is a number")
        return chosen
    if not isinstance(condition, Line):
        raise BadExpression("the function IF takes a time series or a number as its condition")
    points: Points = {}
    for at, decides in condition.points.items():
        chosen = then if decides else other
        if isinstance(chosen, float):
            points[at] = chosen
        elif isinstance(chosen, Line):
            if at in chosen.points:
                points[at] = chosen.points[at]
        elif chosen is not None:
            raise BadExpression("the function IF chooses between numbers and single time series")
    return condition.with_points(points)


def _slice(arguments: Arguments, _: Frame) -> Value:
    lines = array(arguments[0], "SLICE")
    bounds = [int(number(argument, "SLICE")) for argument in arguments[1:]]
    return Lines(lines[bounds[0] : bounds[1] if len(bounds) == 2 else None])


_SORTS: dict[str, Callable[[Sequence[float]], float]] = {
    "AVG": _mean,
    "MIN": min,
    "MAX": max,
    "SUM": math.fsum,
}


def _sort(arguments: Arguments, _: Frame) -> Value:
    lines = array(arguments[0], "SORT")
    by, order = str(arguments[1]), str(arguments[2])
    if by not in _SORTS or order not in ("ASC", "DESC"):
        raise BadExpression("the function SORT takes AVG, MIN, MAX or SUM, and ASC or DESC")
    most = int(number(arguments[3], "SORT")) if len(arguments) == 4 else None
    full = [line for line in lines if line.points]
    full.sort(key=lambda line: _SORTS[by](list(line.points.values())), reverse=order == "DESC")
    return Lines((*full, *(line for line in lines if not line.points))[:most])


def _end(place: int, name: str) -> Implementation:
    def implementation(arguments: Arguments, _: Frame) -> Value:
        lines = array(arguments[0], name)
        if not lines:
            return Line(name, {}, 60)
        return lines[place]

    return implementation


def _count(arguments: Arguments, _: Frame) -> Value:
    (value,) = arguments
    if isinstance(value, Line):
        return float(len(value.points))
    return _folding("DATAPOINT_COUNT", lambda found: float(len(found)), zero=False)([value], _)


def _period(arguments: Arguments, _: Frame) -> Value:
    if isinstance(arguments[0], Line):
        return float(arguments[0].period)
    raise BadExpression("the function PERIOD takes a time series")


def _series(arguments: Arguments, frame: Frame) -> Value:
    value = number(arguments[0], "TIME_SERIES")
    return Line("TIME_SERIES", dict.fromkeys(frame.starts, value), frame.period)


def _calendar(part: Callable[[datetime], float], name: str) -> Implementation:
    def change(points: Points) -> Points:
        return {at: part(datetime.fromtimestamp(at, UTC)) for at in points}

    return lambda arguments, _: each(arguments[0], change, name)


_FOLDS: dict[str, tuple[Callable[[Sequence[float]], float], bool]] = {
    "AVG": (_mean, True),
    "SUM": (math.fsum, True),
    "MIN": (min, False),
    "MAX": (max, False),
    "STDDEV": (_deviation, True),
}
_CALENDAR: dict[str, Callable[[datetime], float]] = {
    "MINUTE": lambda at: float(at.minute),
    "HOUR": lambda at: float(at.hour),
    "DAY": lambda at: float(at.isoweekday()),
    "DATE": lambda at: float(at.day),
    "MONTH": lambda at: float(at.month),
    "YEAR": lambda at: float(at.year),
    "EPOCH": lambda at: at.timestamp(),
}
FUNCTIONS: dict[str, tuple[int, int, Implementation]] = {
    **{name: (1, 1, _folding(name, fold, zero=zero)) for name, (fold, zero) in _FOLDS.items()},
    **{name: (1, 1, _calendar(part, name)) for name, part in _CALENDAR.items()},
    "ABS": (1, 1, _numeric("ABS", abs)),
    "CEIL": (1, 1, _numeric("CEIL", lambda value: float(math.ceil(value)))),
    "FLOOR": (1, 1, _numeric("FLOOR", lambda value: float(math.floor(value)))),
    "LOG": (1, 1, _numeric("LOG", _logarithm(math.log))),
    "LOG10": (1, 1, _numeric("LOG10", _logarithm(math.log10))),
    "DIFF": (1, 1, _pointwise("DIFF", lambda points: _changes(points, lambda change, _: change))),
    "DIFF_TIME": (1, 1, _pointwise("DIFF_TIME", _gaps)),
    "RATE": (1, 1, _pointwise("RATE", lambda points: _changes(points, lambda change, took: change / took))),
    "RUNNING_SUM": (1, 1, _pointwise("RUNNING_SUM", _running)),
    "FILL": (2, 2, _fill),
    "IF": (2, 3, _if),
    "SLICE": (2, 3, _slice),
    "SORT": (3, 4, _sort),
    "FIRST": (1, 1, _end(0, "FIRST")),
    "LAST": (1, 1, _end(-1, "LAST")),
    "REMOVE_EMPTY": (
        1,
        1,
        lambda arguments, _: Lines(
            tuple(line for line in array(arguments[0], "REMOVE_EMPTY") if line.points)
        ),
    ),
    "METRIC_COUNT": (1, 1, lambda arguments, _: float(len(array(arguments[0], "METRIC_COUNT")))),
    "DATAPOINT_COUNT": (1, 1, _count),
    "PERIOD": (1, 1, _period),
    "TIME_SERIES": (1, 1, _series),
}


def negated(value: Value) -> Value:
    return operate("*", value, -1.0)
