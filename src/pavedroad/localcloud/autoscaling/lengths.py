"""How many a call may name at once: AWS's documentation says so, where its model does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.constraints import Constraints
from pavedroad.localcloud.errors import ServiceError

_CONSTRAINTS = Constraints("autoscaling")
_MOST = {
    "AttachInstances": ("InstanceIds", 20),
    "AttachLoadBalancerTargetGroups": ("TargetGroupARNs", 10),
    "AttachLoadBalancers": ("LoadBalancerNames", 10),
    "AttachTrafficSources": ("TrafficSources", 10),
    "BatchDeleteScheduledAction": ("ScheduledActionNames", 50),
    "BatchPutScheduledUpdateGroupAction": ("ScheduledUpdateGroupActions", 50),
    "DescribeAutoScalingGroups": ("AutoScalingGroupNames", 50),
    "DescribeAutoScalingInstances": ("InstanceIds", 50),
    "DescribePolicies": ("PolicyNames", 50),
    "DescribeScalingActivities": ("ActivityIds", 50),
    "DescribeScheduledActions": ("ScheduledActionNames", 50),
    "DetachInstances": ("InstanceIds", 20),
    "DetachLoadBalancerTargetGroups": ("TargetGroupARNs", 10),
    "DetachLoadBalancers": ("LoadBalancerNames", 10),
    "DetachTrafficSources": ("TrafficSources", 10),
    "EnterStandby": ("InstanceIds", 20),
    "ExitStandby": ("InstanceIds", 20),
    "SetInstanceProtection": ("InstanceIds", 50),
}


def check(operation: str, parameters: Mapping[str, Any]) -> None:
    """Refuse what the model or the documentation does not allow."""
    _CONSTRAINTS.check(operation, parameters)
    name, most = _MOST.get(operation, ("", 0))
    given: list[Any] = parameters.get(name) or []
    if operation == "DescribeAutoScalingGroups":
        most = max(most, parameters.get("MaxRecords") or 0)  # which raises it, as AWS says
    if len(given) > most:
        path = name[0].lower() + name[1:]
        raise ServiceError(
            "ValidationError",
            f"1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must have "
            f"length less than or equal to {most}",
        )
