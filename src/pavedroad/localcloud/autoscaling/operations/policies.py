"""Scaling policies: put, describe, delete, execute, and what there is of forecasts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling import cooldown
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, find_group, refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.autoscaling.policies import asked, deciding, owned_alarms
from pavedroad.localcloud.autoscaling.scaling import Policy, Step
from pavedroad.localcloud.errors import ServiceError

MOST_POLICIES = 50


def put(call: Call) -> Result:
    group = call.changeable_group()
    wanted = asked.policy(call, group)
    policies = group.scaling.policies
    if wanted.name not in policies and len(policies) >= MOST_POLICIES:
        raise ServiceError("LimitExceeded", f"A group has at most {MOST_POLICIES} scaling policies.")
    wanted = owned_alarms.keep(group, wanted, call.metrics)
    policies[wanted.name] = wanted
    group.scaling.proposals.pop(wanted.name, None)
    return {"PolicyARN": wanted.arn, "Alarms": _alarms(wanted.alarms)}


def describe(call: Call) -> Result:
    group_name: str | None = call.get("AutoScalingGroupName")
    groups = call.region.groups
    chosen = (
        [find_group(call.region, group_name)] if group_name else [groups[name] for name in sorted(groups)]
    )
    names, types = frozenset(call.texts("PolicyNames")), frozenset(call.texts("PolicyTypes"))
    for kind in types:
        if kind not in asked.TYPES:
            raise refused(f"Policy type {kind} is invalid. Valid policy types are: {', '.join(asked.TYPES)}")
    shown, token = paging.page(
        (
            (group, policy)
            for group in chosen
            for _, policy in sorted(group.scaling.policies.items())
            if (not names or policy.name in names or policy.arn in names)
            and (not types or policy.type in types)
        ),
        key=lambda pair: (pair[0].name, pair[1].name),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=100),
    )
    return {"ScalingPolicies": [_shown(call, *pair) for pair in shown], "NextToken": token}


def delete(call: Call) -> Result:
    group, policy = _named(call)
    owned_alarms.drop(policy, call.metrics)
    call.metrics.forget_action(policy.arn)
    del group.scaling.policies[policy.name]
    group.scaling.proposals.pop(policy.name, None)
    return None


def execute(call: Call) -> Result:
    group, policy = _named(call)
    if group.deleting:
        raise refused(f"AutoScalingGroup '{group.name}' is pending delete.")
    value, threshold = call.get("MetricValue"), call.get("BreachThreshold")
    because = f"a user request executed policy {policy.name}"
    if policy.type == "SimpleScaling":
        if value is not None or threshold is not None:
            raise refused(
                "MetricValue and BreachThreshold are supported only for policies of type StepScaling"
            )
        if call.get("HonorCooldown"):
            cooldown.refuse_within(group, call.now)
        deciding.adjust_simply(group, policy, because, call.now)
        return None
    if policy.type != "StepScaling":
        raise refused(f"Policies of type {policy.type} can't be executed by ExecutePolicy")
    if call.get("HonorCooldown") is not None:
        raise refused("HonorCooldown is supported only for policies of type SimpleScaling")
    if value is None or threshold is None:
        raise refused("MetricValue and BreachThreshold must be specified for policies of type StepScaling")
    deciding.adjust_by_steps(group, policy, deciding.Breach(value, threshold), because, call.now)
    return None


def forecast(call: Call) -> Result:
    """Nothing is forecast here, so there never is enough data for one."""
    group = call.group()
    policy = group.scaling.policies.get(call.parameters["PolicyName"])
    if policy is None or policy.type != "PredictiveScaling":
        raise refused(
            f"No predictive scaling policy {call.parameters['PolicyName']} found for the Auto Scaling group "
            f"{group.name}"
        )
    start: datetime = call.parameters["StartTime"]
    end: datetime = call.parameters["EndTime"]
    if start >= end or end - start > timedelta(days=30):
        raise refused("StartTime must be before EndTime, by 30 days at most")
    raise refused(
        f"There is no forecast for the policy {policy.name}: not enough data. This cloud keeps predictive "
        "scaling policies and forecasts nothing."
    )


def _named(call: Call) -> tuple[Group, Policy]:
    """The policy that PolicyName names, by its name in the group or by its ARN."""
    named: str = call.parameters["PolicyName"]
    group_name: str | None = call.get("AutoScalingGroupName")
    if group_name:
        groups = [find_group(call.region, group_name)]
    elif named.startswith("arn:"):
        groups = list(call.region.groups.values())
    else:
        raise refused("AutoScalingGroupName must be specified where PolicyName is not an ARN")
    for group in groups:
        for policy in group.scaling.policies.values():
            if named in (policy.name, policy.arn):
                return group, policy
    raise refused(f"Policy name not found - Scaling policy {named} not found")


def _shown(call: Call, group: Group, policy: Policy) -> Mapping[str, Any]:
    return {
        "AutoScalingGroupName": group.name,
        "PolicyName": policy.name,
        "PolicyARN": policy.arn,
        "PolicyType": policy.type,
        "AdjustmentType": policy.adjustment_type,
        "MinAdjustmentMagnitude": policy.min_magnitude,
        "ScalingAdjustment": policy.adjustment,
        "Cooldown": policy.cooldown_seconds,
        "StepAdjustments": [_step(step) for step in policy.steps],
        "MetricAggregationType": policy.aggregation,
        "EstimatedInstanceWarmup": policy.warmup_seconds,
        "Alarms": _alarms(policy.alarms or call.metrics.alarms_naming(policy.arn)),
        "TargetTrackingConfiguration": _tracking(policy),
        "PredictiveScalingConfiguration": policy.prediction,
        "Enabled": policy.enabled,
    }


def _tracking(policy: Policy) -> Mapping[str, Any] | None:
    return None if policy.tracking is None else {"DisableScaleIn": False, **policy.tracking}


def _step(step: Step) -> Mapping[str, Any]:
    return {
        "MetricIntervalLowerBound": step.lower,
        "MetricIntervalUpperBound": step.upper,
        "ScalingAdjustment": step.adjustment,
    }


def _alarms(alarms: Iterable[tuple[str, str]]) -> list[Mapping[str, Any]]:
    return [{"AlarmName": name, "AlarmARN": arn} for name, arn in alarms]


OPERATIONS: dict[str, Operation] = {
    "PutScalingPolicy": put,
    "DescribePolicies": describe,
    "DeletePolicy": delete,
    "ExecutePolicy": execute,
    "GetPredictiveScalingForecast": forecast,
}
