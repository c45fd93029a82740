"""The time after a scaling activity in which a group is not to be scaled again."""

from __future__ import annotations

from datetime import datetime, timedelta

from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.errors import ServiceError


def refuse_within(group: Group, now: datetime) -> None:
    """Refuse while an activity is under way, or for the cooldown after the last one: the group's own, or
    that of the simple policy which scaled it."""
    busy = next((m.activity for m in group.members.values() if m.activity and not m.is_warmed), None)
    if busy:
        raise ServiceError(
            "ScalingActivityInProgress", f"Scaling activity {busy.id} is in progress and blocks this action"
        )
    own = group.scaling.cooldown_seconds
    seconds = group.cooldown_seconds if own is None else own
    if group.scaled_at and now < group.scaled_at + timedelta(seconds=seconds):
        raise ServiceError(
            "ScalingActivityInProgress",
            f"The Auto Scaling group {group.name} is in its cooldown period, which blocks this action",
        )
