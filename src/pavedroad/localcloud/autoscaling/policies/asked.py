"""A scaling policy as PutScalingPolicy asks for it."""

from __future__ import annotations

import uuid
from typing import Any

from pavedroad.localcloud.autoscaling.call import Call, refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.policies import predicting, steps, tracking
from pavedroad.localcloud.autoscaling.scaling import Adjustment, Policy, PolicyType

ADJUSTMENTS: tuple[Adjustment, ...] = ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")
AGGREGATIONS = ("Minimum", "Maximum", "Average")

_MAGNITUDES = ("MinAdjustmentMagnitude", "MinAdjustmentStep")
_OWN: dict[PolicyType, tuple[str, ...]] = {
    "SimpleScaling": ("AdjustmentType", "ScalingAdjustment", "Cooldown", *_MAGNITUDES),
    "StepScaling": (
        "AdjustmentType",
        "StepAdjustments",
        "MetricAggregationType",
        "EstimatedInstanceWarmup",
        *_MAGNITUDES,
    ),
    "TargetTrackingScaling": ("TargetTrackingConfiguration", "EstimatedInstanceWarmup"),
    "PredictiveScaling": ("PredictiveScalingConfiguration",),
}
TYPES: tuple[PolicyType, ...] = tuple(_OWN)


def policy(call: Call, group: Group) -> Policy:
    """Checked against AWS's rules; an existing policy of the name keeps its ARN."""
    name: str = call.parameters["PolicyName"]
    kind = _type(call)
    existing = group.scaling.policies.get(name)
    arn = existing.arn if existing else _arn(call, group, name)
    enabled: bool = call.get("Enabled", True)
    if kind == "SimpleScaling":
        adjustment_type = _adjustment_type(call)
        return Policy(
            name,
            arn,
            kind,
            enabled,
            adjustment_type=adjustment_type,
            adjustment=_adjustment(call, adjustment_type),
            min_magnitude=_magnitude(call, adjustment_type),
            cooldown_seconds=_seconds(call, "Cooldown"),
        )
    if kind == "StepScaling":
        adjustment_type = _adjustment_type(call)
        return Policy(
            name,
            arn,
            kind,
            enabled,
            adjustment_type=adjustment_type,
            min_magnitude=_magnitude(call, adjustment_type),
            steps=steps.asked(call.entries("StepAdjustments"), adjustment_type),
            aggregation=_aggregation(call),
            warmup_seconds=_seconds(call, "EstimatedInstanceWarmup"),
        )
    if kind == "TargetTrackingScaling":
        tracked = _required(call, "TargetTrackingConfiguration", kind)
        tracking.check(tracked, group)
        _refuse_second(group, name, tracked)
        warmup_seconds = _seconds(call, "EstimatedInstanceWarmup")
        return Policy(name, arn, kind, enabled, warmup_seconds=warmup_seconds, tracking=tracked)
    predicted = _required(call, "PredictiveScalingConfiguration", kind)
    predicting.check(predicted, group)
    return Policy(name, arn, kind, enabled, prediction=predicting.with_defaults(predicted))


def _type(call: Call) -> PolicyType:
    asked: str = call.get("PolicyType", "SimpleScaling")
    if asked not in TYPES:
        raise refused(f"Policy type {asked} is invalid. Valid policy types are: {', '.join(TYPES)}")
    kind = asked
    for others in _OWN.values():
        for name in others:
            # Terraform sends a cooldown of 0 with whatever it changes; AWS takes that for none.
            if name not in _OWN[kind] and call.get(name) not in (None, [], 0):
                raise refused(f"{name} can't be specified for policies of type {kind}")
    return kind


def _adjustment_type(call: Call) -> Adjustment:
    asked: str | None = call.get("AdjustmentType")
    if asked is None:
        raise refused("AdjustmentType must be specified for policies of type SimpleScaling and StepScaling")
    if asked not in ADJUSTMENTS:
        raise refused(f"Adjustment type {asked} is invalid. Valid types are: {', '.join(ADJUSTMENTS)}")
    return asked


def _adjustment(call: Call, kind: Adjustment) -> int:
    amount: int | None = call.get("ScalingAdjustment")
    if amount is None:
        raise refused("ScalingAdjustment must be specified for policies of type SimpleScaling")
    if kind == "ExactCapacity" and amount < 0:
        raise refused("ScalingAdjustment must be non-negative when the adjustment type is ExactCapacity")
    return amount


def _magnitude(call: Call, kind: Adjustment) -> int | None:
    given = [name for name in _MAGNITUDES if call.get(name) is not None]
    if not given:
        return None
    if len(given) > 1:
        raise refused("MinAdjustmentMagnitude and MinAdjustmentStep can't both be specified")
    if kind != "PercentChangeInCapacity":
        raise refused(f"{given[0]} can be specified only with the adjustment type PercentChangeInCapacity")
    magnitude: int = call.get(given[0])
    if magnitude < 1:
        raise refused(f"{given[0]} must be a positive number")
    return magnitude


def _aggregation(call: Call) -> str:
    asked: str = call.get("MetricAggregationType", "Average")
    if asked not in AGGREGATIONS:
        raise refused(
            f"Metric aggregation type {asked} is invalid. Valid types are: {', '.join(AGGREGATIONS)}"
        )
    return asked


def _seconds(call: Call, name: str) -> int | None:
    seconds: int | None = call.get(name)
    if seconds is not None and seconds < 0:
        raise refused(f"{name} must be greater than or equal to 0")
    return seconds


def _required(call: Call, name: str, kind: PolicyType) -> dict[str, Any]:
    found: dict[str, Any] | None = call.get(name)
    if not found:
        raise refused(f"{name} must be specified for policies of type {kind}")
    return found


def _refuse_second(group: Group, name: str, tracked: dict[str, Any]) -> None:
    for other in group.scaling.policies.values():
        if (
            other.name != name
            and other.tracking
            and tracking.metric(other.tracking) == tracking.metric(tracked)
        ):
            raise refused(
                "Only one TargetTrackingScaling policy for a given metric specification is allowed."
            )


def _arn(call: Call, group: Group, name: str) -> str:
    return (
        f"arn:aws:autoscaling:{call.region.name}:{call.region.account}:scalingPolicy:{uuid.uuid4()}"
        f":autoScalingGroupName/{group.name}:policyName/{name}"
    )
