"""Target tracking: the metric that is tracked, and the two alarms that AWS makes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pavedroad.localcloud.autoscaling.call import refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.scaling import Policy

Tracking = Mapping[str, Any]

LEAST_TARGET, GREATEST_TARGET = 8.515920e-109, 1.174271e108
PERIODS = (10, 30, 60)
MOST_QUERIES = 10
HIGH_PERIODS = 3
LOW_MINUTES = 15
LOW_SHARE = 0.9
"""An alarm under this share of the target scales in: between the two, nothing is done."""

_LABEL = re.compile(r"(app/[^/]+/[^/]+)/(targetgroup/[^/]+/[^/]+)")
_ID = re.compile(r"[a-z][A-Za-z0-9_]*")
_GROUP_METRICS = {
    "ASGAverageCPUUtilization": "CPUUtilization",
    "ASGAverageNetworkIn": "NetworkIn",
    "ASGAverageNetworkOut": "NetworkOut",
}


def check(tracking: Tracking, group: Group) -> None:
    """Refuse what AWS does not track."""
    target = float(tracking["TargetValue"])
    if not math.isfinite(target) or not LEAST_TARGET <= target <= GREATEST_TARGET:
        raise refused(f"Target value must be between {LEAST_TARGET} and {GREATEST_TARGET}")
    predefined: Tracking | None = tracking.get("PredefinedMetricSpecification")
    customized: Tracking | None = tracking.get("CustomizedMetricSpecification")
    if (predefined is None) == (customized is None):
        raise refused(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified"
        )
    if predefined is not None:
        check_predefined(predefined, group)
    elif customized is not None:
        _check_customized(customized)


def check_predefined(asked: Tracking, group: Group) -> None:
    """A resource label goes with the load balancer's metrics alone, and names an attached target group."""
    metric: str = asked["PredefinedMetricType"]
    label: str | None = asked.get("ResourceLabel")
    if not metric.startswith("ALB"):
        if label:
            raise refused(f"ResourceLabel must not be specified for the predefined metric type {metric}")
        return
    if not label:
        raise refused(f"ResourceLabel must be specified for the predefined metric type {metric}")
    found = _LABEL.fullmatch(label)
    if not found:
        raise refused(
            f"ResourceLabel {label} is invalid. It must be of the form app/<load-balancer-name>/"
            "<load-balancer-id>/targetgroup/<target-group-name>/<target-group-id>"
        )
    if not any(arn.endswith(f":{found[2]}") for arn in group.target_groups):
        raise refused(f"The target group of ResourceLabel {label} is not attached to the group {group.name}")


def metric(tracking: Tracking) -> Tracking:
    """The metric's specification, whose equality says that two policies track the same."""
    return tracking.get("PredefinedMetricSpecification") or tracking["CustomizedMetricSpecification"]


def alarms(group: Group, policy: Policy, names: Sequence[str]) -> list[dict[str, Any]]:
    """PutMetricAlarm's parameters for the alarm over the target and the one under it."""
    tracking = policy.tracking or {}
    target = float(tracking["TargetValue"])
    measured, period = _measured(tracking, group.name)
    common: dict[str, Any] = {
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
        "ActionsEnabled": True,
        "AlarmActions": [policy.arn],
        **measured,
    }
    over, under = names
    return [
        {
            **common,
            "AlarmName": over,
            "EvaluationPeriods": HIGH_PERIODS,
            "Threshold": target,
            "ComparisonOperator": "GreaterThanThreshold",
        },
        {
            **common,
            "AlarmName": under,
            "EvaluationPeriods": LOW_MINUTES * 60 // period,
            "Threshold": float(f"{target * LOW_SHARE:.12g}"),
            "ComparisonOperator": "LessThanThreshold",
        },
    ]


def _measured(tracking: Tracking, group_name: str) -> tuple[dict[str, Any], int]:
    """What an alarm looks at, and its period."""
    predefined: Tracking | None = tracking.get("PredefinedMetricSpecification")
    if predefined is not None:
        return {**_predefined(predefined, group_name), "Period": 60}, 60
    customized: Tracking = tracking["CustomizedMetricSpecification"]
    queries: Sequence[Tracking] = customized.get("Metrics") or ()
    if queries:
        periods = [_period(query.get("MetricStat") or {}) for query in queries if query.get("MetricStat")]
        period = max(periods, default=60)
        return {"Metrics": [_query(query, period) for query in queries]}, period
    period = _period(customized)
    given = {name: customized[name] for name in ("MetricName", "Namespace", "Statistic")}
    given["Dimensions"] = list(customized.get("Dimensions") or ())
    if customized.get("Unit"):
        given["Unit"] = customized["Unit"]
    return {**given, "Period": period}, period


def _predefined(asked: Tracking, group_name: str) -> dict[str, Any]:
    kind: str = asked["PredefinedMetricType"]
    if kind in _GROUP_METRICS:
        return {
            "MetricName": _GROUP_METRICS[kind],
            "Namespace": "AWS/EC2",
            "Statistic": "Average",
            "Dimensions": [{"Name": "AutoScalingGroupName", "Value": group_name}],
        }
    found = _LABEL.fullmatch(asked["ResourceLabel"])
    balancer, target_group = found.groups() if found else ("", "")
    return {
        "MetricName": "RequestCountPerTarget",
        "Namespace": "AWS/ApplicationELB",
        "Statistic": "Sum",
        "Dimensions": [
            {"Name": "TargetGroup", "Value": target_group},
            {"Name": "LoadBalancer", "Value": balancer},
        ],
    }


def _query(asked: Tracking, period: int) -> dict[str, Any]:
    """A metric data query as CloudWatch has it: its period is required there."""
    query = {name: asked[name] for name in ("Id", "Expression", "Label") if asked.get(name)}
    returned = asked.get("ReturnData")
    query["ReturnData"] = True if returned is None else returned
    stat: Tracking | None = asked.get("MetricStat")
    if stat is None:
        query["Period"] = period
        return query
    query["MetricStat"] = {
        "Metric": dict(stat["Metric"]),
        "Stat": stat["Stat"],
        "Period": _period(stat),
        **({"Unit": stat["Unit"]} if stat.get("Unit") else {}),
    }
    return query


def _check_customized(asked: Tracking) -> None:
    queries: Sequence[Tracking] = asked.get("Metrics") or ()
    simple = [name for name in ("MetricName", "Namespace", "Statistic") if asked.get(name)]
    if queries:
        if simple or asked.get("Dimensions") or asked.get("Unit"):
            raise refused(
                "Metrics can't be combined with MetricName, Namespace, Dimensions, Statistic or Unit in a "
                "CustomizedMetricSpecification"
            )
        check_queries(queries)
        for query in queries:
            _check_period(query.get("MetricStat") or {})
        return
    if len(simple) < 3:
        raise refused(
            "A CustomizedMetricSpecification must have either Metrics, or MetricName, Namespace and Statistic"
        )
    _check_period(asked)


def check_queries(queries: Sequence[Tracking]) -> None:
    """Metric data queries that together give one series."""
    if len(queries) > MOST_QUERIES:
        raise refused(f"At most {MOST_QUERIES} metric data queries can be specified")
    names = [query["Id"] for query in queries]
    for name in names:
        if not _ID.fullmatch(name):
            raise refused(
                f"The metric data query id {name} must begin with a lowercase letter and hold only letters, "
                "numbers and underscores"
            )
    if len(set(names)) < len(names):
        raise refused("The ids of metric data queries must be unique")
    for query in queries:
        if bool(query.get("Expression")) == bool(query.get("MetricStat")):
            raise refused(
                f"The metric data query {query['Id']} must have either Expression or MetricStat, but not both"
            )
    if sum(query.get("ReturnData") is not False for query in queries) != 1:
        raise refused("Exactly one metric data query must return data")


def _period(asked: Tracking) -> int:
    return asked.get("Period") or 60


def _check_period(asked: Tracking) -> None:
    if _period(asked) not in PERIODS:
        raise refused("The period of a metric must be 10, 30 or 60 seconds")
