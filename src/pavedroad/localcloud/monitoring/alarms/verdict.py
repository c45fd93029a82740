"""An alarm's state from its datapoints, as AWS's guide tables it: M out of N, and missing data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pavedroad.localcloud.monitoring.model import StateValue

Treatment = Literal["missing", "ignore", "breaching", "notBreaching"]

EXTRA_PERIODS = 2
"""How many more periods than it evaluates an alarm looks back for datapoints."""

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a datapoint is compared with, and how many of how many must fail."""

    comparison: str
    threshold: float
    periods: int
    to_alarm: int
    treatment: Treatment

    def breaches(self, value: float) -> bool:
        return COMPARISONS[self.comparison](value, self.threshold)


@dataclass(frozen=True, slots=True)
class Datapoint:
    start: float
    value: float
    samples: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state` is None where the present one is retained. `evaluated` are the datapoints, newest first, and
    `missing` is how many were filled in."""

    state: StateValue | None
    evaluated: tuple[Datapoint, ...]
    breaching: tuple[Datapoint, ...]
    missing: int


def judge(test: Criterion, newest_first: Sequence[Datapoint | None]) -> Verdict:
    """`newest_first` has one entry for each period of the evaluation range, None where it has no data."""
    real = [point for point in newest_first if point is not None]
    evaluated = tuple(real[: test.periods])
    breaching = tuple(point for point in evaluated if test.breaches(point.value))
    missing = test.periods - len(evaluated)
    state: StateValue | None
    if not missing:
        state = "ALARM" if len(breaching) >= test.to_alarm else "OK"
    elif test.treatment in ("breaching", "notBreaching"):
        filled = missing if test.treatment == "breaching" else 0
        state = "ALARM" if len(breaching) + filled >= test.to_alarm else "OK"
    elif not real:
        state = "INSUFFICIENT_DATA" if test.treatment == "missing" else None
    elif len(breaching) >= test.to_alarm:
        state = "ALARM"
    elif len(breaching) < len(evaluated):
        state = "OK"
    else:
        state = _all_breach(test, newest_first)
    return Verdict(state, evaluated, breaching, missing)


def _all_breach(test: Criterion, newest_first: Sequence[Datapoint | None]) -> StateValue | None:
    """Too few datapoints, and all of them breach: it is an alarm once the oldest is old enough that nothing
    that is still to come could make it harmless."""
    if test.treatment == "ignore":
        return None
    oldest = max(age for age, point in enumerate(newest_first, start=1) if point is not None)
    return "ALARM" if oldest >= test.to_alarm else None
