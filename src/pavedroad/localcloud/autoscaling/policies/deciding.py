"""What a policy makes of an alarm, or of being executed: another desired capacity, or none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from pavedroad.localcloud.autoscaling import cooldown, warmup, wording
from pavedroad.localcloud.autoscaling.call import refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.policies import adjusting
from pavedroad.localcloud.autoscaling.scaling import Policy, Proposal
from pavedroad.localcloud.ports import AlarmSignal

LIVE = timedelta(seconds=90)
"""An alarm that stays is told every minute: what a policy asked for longer ago, it no longer asks for."""
SCALE_IN_SHARE = 10
"""Tracking a target takes out at most a tenth at a time, and at least one."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A metric's value, and the threshold of the alarm that looked at it."""

    value: float
    threshold: float


def on_alarm(group: Group, policy: Policy, signal: AlarmSignal, now: datetime) -> bool:
    """Whether the desired capacity was changed."""
    if group.deleting or group.suspends("AlarmNotification") or not policy.enabled:
        return False
    because = f"a monitor alarm {signal.name} in state {signal.state} triggered policy {policy.name}"
    if policy.type == "SimpleScaling":
        cooldown.refuse_within(group, now)
        return adjust_simply(group, policy, because, now)
    if policy.type == "StepScaling":
        if signal.value is None or signal.threshold is None:
            raise refused(f"The alarm {signal.name} has no metric value to choose a step adjustment by")
        breach = Breach(_aggregate(policy, signal.values or (signal.value,)), signal.threshold)
        return adjust_by_steps(group, policy, breach, because, now)
    if policy.type == "TargetTrackingScaling" and signal.state == "ALARM" and signal.value is not None:
        owned = [name for name, _ in policy.alarms]
        if signal.name in owned[:1]:
            return _follow_up(group, policy, signal, because, now)
        if signal.name in owned[1:]:
            return _follow_down(group, policy, signal, because, now)
    return False


def adjust_simply(group: Group, policy: Policy, because: str, now: datetime) -> bool:
    wanted = adjusting.adjusted(
        group.desired, policy.adjustment_type, policy.adjustment or 0, policy.min_magnitude
    )
    if not _move(group, wanted, because, now):
        return False
    group.scaling.cooldown_seconds = policy.cooldown_seconds
    return True


def adjust_by_steps(group: Group, policy: Policy, breach: Breach, because: str, now: datetime) -> bool:
    step = adjusting.step_for(policy.steps, breach.value - breach.threshold)
    if step is None:
        raise refused(
            f"No step adjustment found for metric value {breach.value} and breach threshold "
            f"{breach.threshold}"
        )

    def after(capacity: int) -> int:
        return adjusting.adjusted(capacity, policy.adjustment_type, step.adjustment, policy.min_magnitude)

    if after(group.desired) >= group.desired:
        # What is on its way counts as if it were there: one breach, however often told, scales out once.
        return _out(group, policy, after(warmup.serving(group, now)), because, now)
    if warmup.is_warming(group, now):
        return False
    leaving = sum(m.units for m in group.members.values() if m.state.startswith("Terminating"))
    wanted = after(max(group.desired, group.capacity + leaving))
    group.scaling.proposals[policy.name] = Proposal(wanted, now)
    return _in(group, policy, wanted, because, now)


def _follow_up(group: Group, policy: Policy, signal: AlarmSignal, because: str, now: datetime) -> bool:
    """As much more as the metric is over its target. The metric may be of before the last change: reckoned
    with the least that has served since, it never asks for more than it takes."""
    least, _ = warmup.since(group, signal.measured_at or now - warmup.LATELY, now)
    if group.desired == 0:
        least = 1
    return _out(group, policy, _proportional(policy, least, signal), because, now)


def _follow_down(group: Group, policy: Policy, signal: AlarmSignal, because: str, now: datetime) -> bool:
    """As much less, reckoned with the most that has served since; never while a scale-out is under way, and
    only if everyone who tracks a target would."""
    if warmup.is_warming(group, now) or _scales_in_never(policy):
        return False
    _, most = warmup.since(group, signal.measured_at or now - warmup.LATELY, now)
    wanted = _proportional(policy, most, signal)
    group.scaling.proposals[policy.name] = Proposal(wanted, now)
    for other in group.scaling.policies.values():
        if other.type == "TargetTrackingScaling" and other.enabled and not _scales_in_never(other):
            proposal = _live(group, other.name, now)
            if proposal is None or proposal.capacity >= group.desired:
                return False
    gradual = group.desired - max(1, group.desired // SCALE_IN_SHARE)
    return _in(group, policy, max(wanted, gradual), because, now)


def _out(group: Group, policy: Policy, wanted: int, because: str, now: datetime) -> bool:
    group.scaling.proposals[policy.name] = Proposal(wanted, now)
    if wanted <= group.desired or not _move(group, wanted, because, now):
        return False
    group.scaling.warmup_seconds = warmup.seconds_of(policy, group)
    return True


def _in(group: Group, policy: Policy, wanted: int, because: str, now: datetime) -> bool:
    """Of several policies the one with the largest capacity wins."""
    others = [_live(group, name, now) for name in group.scaling.policies if name != policy.name]
    largest = max([wanted, *(other.capacity for other in others if other)])
    return largest < group.desired and _move(group, largest, because, now)


def _move(group: Group, wanted: int, because: str, now: datetime) -> bool:
    desired = min(max(wanted, group.minimum), group.maximum)
    if desired == group.desired:
        return False
    group.request = wording.by_policy(now, because, group.desired, desired)
    group.desired = desired
    group.scaling.warmup_seconds = group.scaling.cooldown_seconds = None
    group.forget_failures()
    return True


def _live(group: Group, name: str, now: datetime) -> Proposal | None:
    proposal = group.scaling.proposals.get(name)
    return proposal if proposal and now - proposal.at <= LIVE else None


def _proportional(policy: Policy, capacity: int, signal: AlarmSignal) -> int:
    target = float((policy.tracking or {})["TargetValue"])
    wanted = capacity * (signal.value or 0.0) / target
    if not math.isfinite(wanted):
        return capacity
    # A metric that is its target but for the last binary digit needs no instance more.
    return max(0, math.ceil(min(wanted, 1e9) - 1e-9))


def _scales_in_never(policy: Policy) -> bool:
    return bool((policy.tracking or {}).get("DisableScaleIn"))


def _aggregate(policy: Policy, values: tuple[float, ...]) -> float:
    if policy.aggregation == "Minimum":
        return min(values)
    if policy.aggregation == "Maximum":
        return max(values)
    return sum(values) / len(values)
