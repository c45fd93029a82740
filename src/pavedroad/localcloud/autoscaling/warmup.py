"""Instances that are new to a group: they serve, but count neither as capacity to scale from nor as measured
load until they are warm."""

from __future__ import annotations

from datetime import datetime, timedelta

from pavedroad.localcloud.autoscaling.model import Group, Member
from pavedroad.localcloud.autoscaling.scaling import Policy

REMEMBERED = timedelta(minutes=15)
"""So old may be what a metric of five minutes tells of."""
LATELY = timedelta(minutes=3)
"""How long what is measured each minute, and does not say when, may tell of a capacity that has changed."""


def seconds_of(policy: Policy, group: Group) -> int:
    """The policy's own warm-up, the group's, or its default cooldown."""
    if policy.warmup_seconds is not None:
        return policy.warmup_seconds
    return group.cooldown_seconds if group.default_warmup_seconds is None else group.default_warmup_seconds


def at_launch(group: Group) -> int:
    """The warm-up of an instance that is launched now: of the policy that scales out, or of the group."""
    if group.scaling.warmup_seconds is not None:
        return group.scaling.warmup_seconds
    return group.default_warmup_seconds or 0


def is_warm(member: Member, now: datetime) -> bool:
    if member.state != "InService" or member.in_service_at is None:
        return False
    return now >= member.in_service_at + timedelta(seconds=member.warmup_seconds)


def is_warming(group: Group, now: datetime) -> bool:
    """Whether a scale-out is under way: something is to be launched, comes up, or is not warm yet."""
    return group.capacity < group.desired or any(
        member.in_capacity and not is_warm(member, now) for member in group.members.values()
    )


def serving(group: Group, now: datetime) -> int:
    """The capacity that is in service and warm."""
    return sum(member.units for member in group.members.values() if is_warm(member, now))


def remember(group: Group, now: datetime) -> None:
    """Keep what has served in the last minutes."""
    served = group.scaling.served
    units = serving(group, now)
    if served and served[-1][0] == now:
        served.pop()
    if not served or served[-1][1] != units:
        served.append((now, units))
    while len(served) > 1 and served[1][0] <= now - REMEMBERED:
        del served[0]


def since(group: Group, began: datetime, now: datetime) -> tuple[int, int]:
    """The least and the most capacity that has served since then."""
    remember(group, now)
    served = group.scaling.served
    ends = [later for later, _ in served[1:]]
    units = [units for (_, units), end in zip(served, ends, strict=False) if end > began]
    units.append(served[-1][1])
    return min(units), max(units)
