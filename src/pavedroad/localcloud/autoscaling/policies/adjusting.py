"""How an adjustment changes a capacity, and which step applies."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pavedroad.localcloud.autoscaling.scaling import Adjustment, Step


def adjusted(capacity: int, kind: Adjustment | None, amount: int, min_magnitude: int | None = None) -> int:
    """The capacity after an adjustment. Percentages are rounded towards zero, but change at least one."""
    if kind == "ExactCapacity":
        return amount
    if kind == "ChangeInCapacity":
        return max(0, capacity + amount)
    change = capacity * amount / 100
    whole = math.trunc(change) if abs(change) >= 1 else math.copysign(math.ceil(abs(change)), change)
    least = min(abs(amount), 1) * (min_magnitude or 0)
    size = max(abs(int(whole)), least)
    return max(0, capacity + (size if amount >= 0 else -size))


def step_for(steps: Iterable[Step], breach: float) -> Step | None:
    """The step whose interval holds `breach`, the metric's distance from the threshold. Above the threshold
    an interval has its lower bound, below it its upper one."""
    found = list(steps)
    if breach >= 0:
        for step in found:
            if _over(step.lower, breach, inclusive=True) and _under(step.upper, breach, inclusive=False):
                return step
    if breach <= 0:
        for step in found:
            if _over(step.lower, breach, inclusive=False) and _under(step.upper, breach, inclusive=True):
                return step
    return None


def _over(bound: float | None, value: float, *, inclusive: bool) -> bool:
    return bound is None or value > bound or (inclusive and value == bound)


def _under(bound: float | None, value: float, *, inclusive: bool) -> bool:
    return bound is None or value < bound or (inclusive and value == bound)
