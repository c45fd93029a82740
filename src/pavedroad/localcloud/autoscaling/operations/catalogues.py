"""What there is to choose from, and how much of it."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling import scale_in
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result

ADJUSTMENTS = ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")
NOTIFICATIONS = (
    "autoscaling:EC2_INSTANCE_LAUNCH",
    "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
    "autoscaling:EC2_INSTANCE_TERMINATE",
    "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
    "autoscaling:TEST_NOTIFICATION",
)
METRICS = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupInServiceCapacity",
    "GroupPendingInstances",
    "GroupPendingCapacity",
    "GroupTerminatingInstances",
    "GroupTerminatingCapacity",
    "GroupStandbyInstances",
    "GroupStandbyCapacity",
    "GroupTotalInstances",
    "GroupTotalCapacity",
    "WarmPoolDesiredCapacity",
    "WarmPoolWarmedCapacity",
    "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity",
    "WarmPoolTotalCapacity",
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
)
MOST_GROUPS = 500
MOST_LAUNCH_CONFIGURATIONS = 200


def account_limits(call: Call) -> Result:
    return {
        "MaxNumberOfAutoScalingGroups": MOST_GROUPS,
        "MaxNumberOfLaunchConfigurations": MOST_LAUNCH_CONFIGURATIONS,
        "NumberOfAutoScalingGroups": len(call.region.groups),
        "NumberOfLaunchConfigurations": len(call.region.configurations),
    }


def adjustment_types(_call: Call) -> Result:
    return {"AdjustmentTypes": [{"AdjustmentType": name} for name in ADJUSTMENTS]}


def notification_types(_call: Call) -> Result:
    return {"AutoScalingNotificationTypes": list(NOTIFICATIONS)}


def termination_policy_types(_call: Call) -> Result:
    return {"TerminationPolicyTypes": list(scale_in.POLICIES)}


def metric_collection_types(_call: Call) -> Result:
    return {
        "Metrics": [{"Metric": name} for name in METRICS],
        "Granularities": [{"Granularity": "1Minute"}],
    }


OPERATIONS: dict[str, Operation] = {
    "DescribeAccountLimits": account_limits,
    "DescribeAdjustmentTypes": adjustment_types,
    "DescribeAutoScalingNotificationTypes": notification_types,
    "DescribeTerminationPolicyTypes": termination_policy_types,
    "DescribeMetricCollectionTypes": metric_collection_types,
}
