"""What scales a group by itself: its policies and scheduled actions, and what they have lately asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

PolicyType = Literal["SimpleScaling", "StepScaling", "TargetTrackingScaling", "PredictiveScaling"]
Adjustment = Literal["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]


@dataclass(frozen=True, slots=True)
class Step:
    """An adjustment for metric values between two bounds, which count from the alarm's threshold."""

    lower: float | None
    upper: float | None
    adjustment: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A scaling policy. What its type does not use is None or empty, as the API shows it."""

    name: str
    arn: str
    type: PolicyType
    enabled: bool = True
    adjustment_type: Adjustment | None = None
    adjustment: int | None = None
    min_magnitude: int | None = None
    cooldown_seconds: int | None = None
    steps: tuple[Step, ...] = ()
    aggregation: str | None = None
    warmup_seconds: int | None = None
    tracking: Mapping[str, Any] | None = None
    """TargetTrackingConfiguration, as it was given."""
    prediction: Mapping[str, Any] | None = None
    """PredictiveScalingConfiguration, as it was given."""
    alarms: tuple[tuple[str, str], ...] = ()
    """Name and ARN of the alarms that the policy owns: over the target first, then under it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The capacity that a policy last asked for, and when."""

    capacity: int
    at: datetime


@dataclass(slots=True)
class ScheduledAction:
    name: str
    arn: str
    start: datetime | None
    end: datetime | None
    recurrence: str | None
    time_zone: str | None
    minimum: int | None
    maximum: int | None
    desired: int | None
    next_at: datetime
    """When it is to be done the next time."""


@dataclass(slots=True)
class Scaling:
    """A group's own. `served` tells how much capacity was in service and warm since when, newest last."""

    policies: dict[str, Policy] = field(default_factory=dict[str, Policy])
    schedule: dict[str, ScheduledAction] = field(default_factory=dict[str, ScheduledAction])
    proposals: dict[str, Proposal] = field(default_factory=dict[str, Proposal])
    """By policy: those that track a target or go by steps."""
    served: list[tuple[datetime, int]] = field(default_factory=list[tuple[datetime, int]])
    warmup_seconds: int | None = None
    """Of the policy that is scaling out, for the instances launched on its behalf."""
    cooldown_seconds: int | None = None
    """Of the simple policy that scaled last, in place of the group's own."""
