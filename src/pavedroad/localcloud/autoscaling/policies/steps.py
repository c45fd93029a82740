"""AWS's rules for step adjustments: no gaps, no overlaps, open ends where they belong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pavedroad.localcloud.autoscaling.call import refused
from pavedroad.localcloud.autoscaling.scaling import Adjustment, Step
from pavedroad.localcloud.errors import ServiceError

MOST_STEPS = 20


def asked(entries: Sequence[Mapping[str, Any]], kind: Adjustment) -> tuple[Step, ...]:
    """The steps of a policy, as they were given."""
    if not entries:
        raise refused("At least one StepAdjustment must be specified for policies of type StepScaling")
    if len(entries) > MOST_STEPS:
        raise ServiceError(
            "LimitExceeded", f"There can be at most {MOST_STEPS} step adjustments per scaling policy"
        )
    steps = tuple(
        Step(
            entry.get("MetricIntervalLowerBound"),
            entry.get("MetricIntervalUpperBound"),
            entry["ScalingAdjustment"],
        )
        for entry in entries
    )
    for step in steps:
        _check_one(step, kind)
    _check_together(steps)
    return steps


def _check_one(step: Step, kind: Adjustment) -> None:
    if step.lower is None and step.upper is None:
        raise refused("Both lower and upper bounds of a step adjustment cannot be left unspecified")
    if not all(math.isfinite(bound) for bound in (step.lower, step.upper) if bound is not None):
        raise refused("The bounds of a step adjustment must be finite numbers")
    if step.lower is not None and step.upper is not None and step.lower >= step.upper:
        raise refused("The upper bound of a step adjustment must be greater than its lower bound")
    if kind == "ExactCapacity" and step.adjustment < 0:
        raise refused("ScalingAdjustment must be non-negative when the adjustment type is ExactCapacity")


def _check_together(steps: Iterable[Step]) -> None:
    ordered = sorted(steps, key=lambda step: -math.inf if step.lower is None else step.lower)
    for side, bounds in (
        ("lower", [step.lower for step in ordered]),
        ("upper", [step.upper for step in ordered]),
    ):
        unspecified = sum(bound is None for bound in bounds)
        outward = any(bound is not None and (bound < 0 if side == "lower" else bound > 0) for bound in bounds)
        if unspecified > 1:
            raise refused(f"At most one StepAdjustment may have an unspecified {side} bound")
        if outward and not unspecified:
            sign = "negative" if side == "lower" else "positive"
            raise refused(
                f"There must be a StepAdjustment with an unspecified {side} bound (i.e., {side} bound is "
                f"null) when one StepAdjustment has a {sign} {side} bound"
            )
    for left, right in pairwise(ordered):
        if left.upper is None or right.lower is None or left.upper > right.lower:
            raise refused("StepAdjustment intervals can't overlap")
        if left.upper < right.lower:
            raise refused("StepAdjustment intervals can't have gaps between them")
