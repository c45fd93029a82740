"""Target tracking: the alarms it owns, what it makes of them, and what it refuses to track."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import AlarmSignal
from tests.localcloud.autoscaling.bench import ARN, OTHER_ARN, Bench
from tests.localcloud.autoscaling.tracked import track

LABEL = "app/lb/1234567890abcdef/targetgroup/web/0123456789abcdef"


def test_the_alarms_are_those_of_aws(bench: Bench) -> None:
    bench.create()
    answer = track(bench, target=40.0)
    high, low = (alarm["AlarmName"] for alarm in answer["Alarms"])
    assert high.startswith("TargetTracking-web-AlarmHigh-")
    assert low.startswith("TargetTracking-web-AlarmLow-")
    common = {
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {answer['PolicyARN']}.",
        "ActionsEnabled": True,
        "AlarmActions": [answer["PolicyARN"]],
        "MetricName": "CPUUtilization",
        "Namespace": "AWS/EC2",
        "Statistic": "Average",
        "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "web"}],
        "Period": 60,
    }
    over = {"EvaluationPeriods": 3, "Threshold": 40.0, "ComparisonOperator": "GreaterThanThreshold"}
    under = {"EvaluationPeriods": 15, "Threshold": 36.0, "ComparisonOperator": "LessThanThreshold"}
    assert bench.metrics.alarms == {
        high: {**common, "AlarmName": high, **over},
        low: {**common, "AlarmName": low, **under},
    }
    [shown] = bench.call("DescribePolicies", AutoScalingGroupName="web")["ScalingPolicies"]
    assert shown["Alarms"] == answer["Alarms"]


def test_the_alarms_stay_while_the_metric_does_and_go_with_policy_and_group(bench: Bench) -> None:
    bench.create(desired=0)
    first = track(bench, target=40.0)["Alarms"]
    assert track(bench, target=60.0)["Alarms"] == first
    assert bench.metrics.alarms[first[0]["AlarmName"]]["Threshold"] == 60.0
    other = track(bench, metric="ASGAverageNetworkIn")["Alarms"]
    assert set(bench.metrics.alarms) == {alarm["AlarmName"] for alarm in other}
    assert track(bench, metric="ASGAverageNetworkIn", Enabled=False)["Alarms"] == []
    assert bench.metrics.alarms == {}
    track(bench)
    bench.call("DeletePolicy", AutoScalingGroupName="web", PolicyName="follow")
    assert bench.metrics.alarms == {}
    track(bench)
    bench.call("DeleteAutoScalingGroup", AutoScalingGroupName="web")
    assert bench.metrics.alarms == {}


def test_an_alarm_that_is_refused_leaves_all_as_it_was(bench: Bench) -> None:
    bench.create(desired=0)
    track(bench)
    before = dict(bench.metrics.alarms)
    bench.metrics.refusal = ServiceError("LimitExceeded", "too many")
    with pytest.raises(ServiceError, match="too many"):
        track(bench, metric="ASGAverageNetworkOut")
    assert bench.metrics.alarms == before
    [policy] = bench.call("DescribePolicies")["ScalingPolicies"]
    metric = policy["TargetTrackingConfiguration"]["PredefinedMetricSpecification"]
    assert metric == {"PredefinedMetricType": "ASGAverageCPUUtilization"}


def test_requests_a_target_are_measured_at_the_balancer(bench: Bench) -> None:
    bench.create(TargetGroupARNs=[ARN])
    spec = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": LABEL}
    track(bench, tracking={"PredefinedMetricSpecification": spec}, target=1000.0)
    alarm = next(iter(bench.metrics.alarms.values()))
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (
        "AWS/ApplicationELB",
        "RequestCountPerTarget",
        "Sum",
    )
    assert alarm["Dimensions"] == [
        {"Name": "TargetGroup", "Value": "targetgroup/web/0123456789abcdef"},
        {"Name": "LoadBalancer", "Value": "app/lb/1234567890abcdef"},
    ]


def test_metric_math_becomes_the_alarms_metrics(bench: Bench) -> None:
    bench.create()
    queue = {"Namespace": "AWS/SQS", "MetricName": "Visible", "Dimensions": [{"Name": "Q", "Value": "q"}]}
    queries = [
        {"Id": "m1", "MetricStat": {"Metric": queue, "Stat": "Sum", "Period": 10}, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 / 2", "Label": "backlog"},
    ]
    tracking = {"CustomizedMetricSpecification": {"Metrics": queries}, "TargetValue": 3.0}
    bench.call(
        "PutScalingPolicy",
        AutoScalingGroupName="web",
        PolicyName="backlog",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration=tracking,
    )
    high, low = bench.metrics.alarms.values()
    assert high["Metrics"] == [
        {"Id": "m1", "ReturnData": False, "MetricStat": {"Metric": queue, "Stat": "Sum", "Period": 10}},
        {"Id": "e1", "Expression": "m1 / 2", "Label": "backlog", "ReturnData": True, "Period": 10},
    ]
    assert "MetricName" not in high
    assert low["EvaluationPeriods"] == 90, "fifteen minutes of ten seconds"


def signal(
    bench: Bench, policy: str, side: int, value: float, *, measured_at: datetime | None = None
) -> None:
    """One of the policy's own alarms goes off: 0 over the target, 1 under it."""
    found = bench.group().scaling.policies[policy]
    name, arn = found.alarms[side]
    told = AlarmSignal(name, arn, "ALARM", "crossed", bench.clock.now(), value, 50.0, (value,), measured_at)
    bench.service.alarmed(found.arn, told)


def test_what_was_measured_before_a_change_is_reckoned_with_what_served_then(bench: Bench) -> None:
    """As metrics of five minutes do, which are newest until ten minutes after they began."""
    bench.create(desired=4, MaxSize=50)
    bench.settle()
    bench.pass_time(900)
    track(bench, EstimatedInstanceWarmup=0)
    began = bench.clock.now()
    bench.clock.advance(300)
    signal(bench, "follow", 0, 100.0, measured_at=began)
    bench.settle()
    assert len(bench.members()) == 8
    bench.pass_time(299)
    signal(bench, "follow", 0, 100.0, measured_at=began)
    assert bench.group().desired == 8
    signal(bench, "follow", 0, 100.0, measured_at=began + timedelta(seconds=300))
    assert bench.group().desired == 16


def two_policies(bench: Bench, **more: Any) -> None:
    bench.create(desired=10)
    bench.settle()
    bench.pass_time(400)
    track(bench, PolicyName="cpu", EstimatedInstanceWarmup=0)
    track(bench, PolicyName="net", metric="ASGAverageNetworkIn", EstimatedInstanceWarmup=0, **more)


def test_of_several_policies_the_largest_wins(bench: Bench) -> None:
    two_policies(bench)
    signal(bench, "cpu", 0, 60.0)
    signal(bench, "net", 0, 75.0)
    signal(bench, "cpu", 0, 60.0)
    assert bench.group().desired == 15


def test_a_group_scales_in_only_if_all_who_track_would(bench: Bench) -> None:
    two_policies(bench)
    signal(bench, "cpu", 1, 10.0)
    assert bench.group().desired == 10
    bench.clock.advance(30)
    signal(bench, "net", 1, 10.0)
    assert bench.group().desired == 9
    bench.settle()
    bench.clock.advance(200)
    signal(bench, "cpu", 1, 10.0)
    assert bench.group().desired == 9, "what the other said long ago does not count"


def test_one_that_never_scales_in_has_no_say_in_it(bench: Bench) -> None:
    two_policies(bench, tracking={"DisableScaleIn": True})
    signal(bench, "net", 1, 1.0)
    assert bench.group().desired == 10
    signal(bench, "cpu", 1, 10.0)
    assert bench.group().desired == 9
    bench.settle()
    signal(bench, "net", 0, 100.0)
    assert bench.group().desired > 9


def test_nothing_is_taken_while_a_scale_out_is_under_way_or_notifications_are_suspended(bench: Bench) -> None:
    bench.create(desired=4)
    bench.settle()
    track(bench, EstimatedInstanceWarmup=100)
    signal(bench, "follow", 0, 75.0)
    assert bench.group().desired == 6
    bench.settle()
    signal(bench, "follow", 0, 75.0)
    assert bench.group().desired == 6, "those that warm up are on their way already"
    signal(bench, "follow", 1, 1.0)
    assert bench.group().desired == 6
    bench.pass_time(101)
    signal(bench, "follow", 1, 1.0)
    assert bench.group().desired == 5
    bench.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["AlarmNotification"])
    signal(bench, "follow", 0, 500.0)
    assert bench.group().desired == 5


def test_an_activity_names_alarm_and_policy(bench: Bench) -> None:
    bench.create(desired=1)
    bench.settle()
    track(bench)
    high = bench.group().scaling.policies["follow"].alarms[0][0]
    signal(bench, "follow", 0, 100.0)
    bench.settle()
    assert bench.activities()[-1].cause.startswith(
        f"At 2026-01-02T03:04:05Z a monitor alarm {high} in state ALARM triggered policy follow changing the "
        "desired capacity from 1 to 2.  At "
    )


@pytest.mark.parametrize(
    ("tracking", "complaint"),
    [
        ({"TargetValue": 0.0}, "Target value"),
        ({"TargetValue": float("nan")}, "Target value"),
        ({"TargetValue": float("inf")}, "Target value"),
        ({"PredefinedMetricSpecification": None}, "Exactly one"),
        ({"CustomizedMetricSpecification": {"MetricName": "x"}}, "Exactly one"),
        (
            {"PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"}},
            "ResourceL",
        ),
        (
            {
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ALBRequestCountPerTarget",
                    "ResourceLabel": "x",
                }
            },
            "ResourceLabel x is invalid",
        ),
        (
            {
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ALBRequestCountPerTarget",
                    "ResourceLabel": LABEL,
                }
            },
            "not attached",
        ),
        (
            {
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ASGAverageNetworkIn",
                    "ResourceLabel": LABEL,
                }
            },
            "must not be specified",
        ),
    ],
)
def test_what_cannot_be_tracked_is_refused(bench: Bench, tracking: dict[str, Any], complaint: str) -> None:
    bench.create(desired=0, TargetGroupARNs=[OTHER_ARN])
    with pytest.raises(ServiceError, match=complaint):
        track(bench, tracking=tracking)
    assert not bench.group().scaling.policies
    assert not bench.metrics.alarms


@pytest.mark.parametrize(
    "customized",
    [
        {"MetricName": "m", "Namespace": "n"},
        {"MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 20},
        {"Metrics": [{"Id": "M1", "Expression": "1"}]},
        {"Metrics": [{"Id": "m1", "Expression": "1"}, {"Id": "m1", "Expression": "2", "ReturnData": False}]},
        {"Metrics": [{"Id": "m1", "Expression": "1"}, {"Id": "m2", "Expression": "2"}]},
        {"Metrics": [{"Id": "m1"}]},
        {"Metrics": [{"Id": "m1", "Expression": "1"}], "Statistic": "Sum"},
        {"Metrics": [{"Id": f"m{n}", "Expression": "1", "ReturnData": n == 0} for n in range(11)]},
    ],
)
def test_a_customized_metric_must_be_whole(bench: Bench, customized: dict[str, Any]) -> None:
    bench.create(desired=0)
    whole = {"PredefinedMetricSpecification": None, "CustomizedMetricSpecification": customized}
    with pytest.raises(ServiceError, match="ValidationError"):
        track(bench, tracking=whole)


def test_a_metric_is_tracked_by_one_policy(bench: Bench) -> None:
    bench.create(desired=0)
    track(bench)
    with pytest.raises(ServiceError, match="Only one TargetTrackingScaling policy for a given metric"):
        track(bench, PolicyName="again")
