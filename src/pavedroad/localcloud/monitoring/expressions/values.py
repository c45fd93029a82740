"""What an expression works on: numbers, texts, lines of datapoints, and arrays of lines."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pavedroad.localcloud.monitoring.expressions.grammar import BadExpression
from pavedroad.localcloud.monitoring.retrieval import Points


@dataclass(frozen=True, slots=True)
class Line:
    """A time series. `properties` are what its label may name: `MetricName`, `Dim.Host`, ..."""

    label: str
    points: Points
    period: int
    properties: tuple[tuple[str, str], ...] = ()
    units: tuple[str, ...] = ()
    """Those that the metric has datapoints in, where they are several; the points are of the first."""

    def with_points(self, points: Points) -> Line:
        return replace(self, points=points)


@dataclass(frozen=True, slots=True)
class Lines:
    items: tuple[Line, ...]


Value = float | str | Line | Lines


@dataclass(frozen=True, slots=True)
class Frame:
    """Where an expression is computed: the starts of its periods, and their length."""

    starts: Sequence[int]
    period: int


def _power(left: float, right: float) -> float:
    try:
        found: float | complex = left**right
    except OverflowError:
        return math.inf
    return found if isinstance(found, float) else math.nan


def _divided(left: float, right: float) -> float:
    return left / right if right else math.nan


_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "^": _power,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right),
    "<=": lambda left, right: float(left <= right),
    ">": lambda left, right: float(left > right),
    ">=": lambda left, right: float(left >= right),
    "&&": lambda left, right: float(bool(left) and bool(right)),
    "||": lambda left, right: float(bool(left) or bool(right)),
}


def operate(sign: str, left: Value, right: Value) -> Value:
    """Datapoint by datapoint; one that either side lacks is missing from the result."""
    compute = _OPERATORS[sign]
    if isinstance(left, str) or isinstance(right, str):
        raise BadExpression(f"the operator {sign} does not take a text")
    if isinstance(left, Lines) and isinstance(right, Lines):
        raise BadExpression(f"the operator {sign} does not take two arrays of time series")
    if isinstance(left, Lines):
        return Lines(tuple(cast("Line", operate(sign, line, right)) for line in left.items))
    if isinstance(right, Lines):
        return Lines(tuple(cast("Line", operate(sign, left, line)) for line in right.items))
    if isinstance(left, Line) and isinstance(right, Line):
        both = {
            at: compute(value, right.points[at]) for at, value in left.points.items() if at in right.points
        }
        return left.with_points(_finite(both))
    if isinstance(left, Line):
        return left.with_points(
            _finite({at: compute(value, cast("float", right)) for at, value in left.points.items()})
        )
    if isinstance(right, Line):
        return right.with_points(_finite({at: compute(left, value) for at, value in right.points.items()}))
    return compute(left, right)


def each(value: Value, change: Callable[[Points], Points], name: str) -> Value:
    """The same done to a line, or to every line of an array."""
    if isinstance(value, Line):
        return value.with_points(_finite(change(value.points)))
    if isinstance(value, Lines):
        return Lines(tuple(line.with_points(_finite(change(line.points))) for line in value.items))
    raise BadExpression(f"the function {name} takes a time series")


def each_number(value: Value, change: Callable[[float], float], name: str) -> Value:
    if isinstance(value, float):
        return change(value)
    return each(value, lambda points: {at: change(one) for at, one in points.items()}, name)


def array(value: Value, name: str) -> tuple[Line, ...]:
    if isinstance(value, Lines):
        return value.items
    raise BadExpression(f"the function {name} takes an array of time series")


def number(value: Value, name: str) -> float:
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise BadExpression(f"the function {name} takes a number there")


def _finite(points: Points) -> Points:
    """A division by nought has no result."""
    return {at: value for at, value in points.items() if math.isfinite(value)}
