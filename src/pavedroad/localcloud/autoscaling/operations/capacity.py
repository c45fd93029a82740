"""Asking for another desired capacity."""

from __future__ import annotations

from datetime import timedelta

from pavedroad.localcloud.autoscaling import wording
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.errors import ServiceError


def set_desired(call: Call) -> Result:
    group = call.changeable_group()
    desired: int = call.parameters["DesiredCapacity"]
    if desired > group.maximum:
        raise refused(
            f"New SetDesiredCapacity value {desired} is above max value {group.maximum} for the "
            "AutoScalingGroup."
        )
    if desired < group.minimum:
        raise refused(
            f"New SetDesiredCapacity value {desired} is below min value {group.minimum} for the "
            "AutoScalingGroup."
        )
    if call.get("HonorCooldown"):
        _refuse_in_cooldown(call, group)
    if desired != group.desired:
        group.request = wording.desired_set(call.now, group.desired, desired)
    group.desired = desired
    group.forget_failures()
    return None


def _refuse_in_cooldown(call: Call, group: Group) -> None:
    busy = next((member.activity for member in group.members.values() if member.activity), None)
    if busy:
        raise ServiceError(
            "ScalingActivityInProgress", f"Scaling activity {busy.id} is in progress and blocks this action"
        )
    if group.scaled_at and call.now < group.scaled_at + timedelta(seconds=group.cooldown_seconds):
        raise ServiceError(
            "ScalingActivityInProgress",
            f"The Auto Scaling group {group.name} is in its cooldown period, which blocks this action",
        )


OPERATIONS: dict[str, Operation] = {"SetDesiredCapacity": set_desired}
