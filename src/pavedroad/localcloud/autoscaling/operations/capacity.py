"""Asking for another desired capacity."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling import cooldown, wording
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused


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
        cooldown.refuse_within(group, call.now)
    if desired != group.desired:
        group.request = wording.desired_set(call.now, group.desired, desired)
    group.desired = desired
    group.scaling.cooldown_seconds = None
    group.forget_failures()
    return None


OPERATIONS: dict[str, Operation] = {"SetDesiredCapacity": set_desired}
