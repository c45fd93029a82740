"""What there is to choose from, and how much of it."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling import scale_in
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result
from pavedroad.localcloud.autoscaling.collecting import METRICS
from pavedroad.localcloud.autoscaling.notifying import EVENTS
from pavedroad.localcloud.autoscaling.policies.asked import ADJUSTMENTS

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
    return {"AutoScalingNotificationTypes": list(EVENTS)}


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
