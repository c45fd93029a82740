"""Policies are described as they were put, over the wire and over a restart."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.autoscaling.model import FORM
from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import create, refusal

OUT = [
    {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 0},
    {"MetricIntervalLowerBound": 10.0, "MetricIntervalUpperBound": 20.0, "ScalingAdjustment": 10},
    {"MetricIntervalLowerBound": 20.0, "ScalingAdjustment": 30},
]


def test_predictive_policies_are_kept_and_forecast_nothing(bench: Bench) -> None:
    bench.create(desired=1)
    pair = {"PredefinedMetricType": "ASGCPUUtilization"}
    configuration: dict[str, Any] = {
        "MetricSpecifications": [{"TargetValue": 50.0, "PredefinedMetricPairSpecification": pair}]
    }

    def put(**more: Any) -> Any:
        return bench.call(
            "PutScalingPolicy",
            AutoScalingGroupName="web",
            PolicyName="ahead",
            PolicyType="PredictiveScaling",
            PredictiveScalingConfiguration=configuration | more,
        )

    put()
    [shown] = bench.call("DescribePolicies", PolicyTypes=["PredictiveScaling"])["ScalingPolicies"]
    assert shown["PredictiveScalingConfiguration"] == {
        **configuration,
        "Mode": "ForecastOnly",
        "SchedulingBufferTime": 300,
        "MaxCapacityBreachBehavior": "HonorMaxCapacity",
    }
    for wrong in (
        {"SchedulingBufferTime": 3600},
        {"MaxCapacityBuffer": 10},
        {"MaxCapacityBreachBehavior": "IncreaseMaxCapacity"},
        {"MetricSpecifications": []},
        {"MetricSpecifications": [{"TargetValue": 50.0}]},
    ):
        with pytest.raises(ServiceError, match="ValidationError"):
            put(**wrong)
    with pytest.raises(ServiceError, match="not enough data"):
        bench.call(
            "GetPredictiveScalingForecast",
            AutoScalingGroupName="web",
            PolicyName="ahead",
            StartTime=bench.clock.now().replace(hour=1),
            EndTime=bench.clock.now(),
        )


def test_boto3_puts_describes_executes_and_deletes_policies(client: Any, bench: Bench) -> None:
    create(client, DesiredCapacity=1)
    arn = client.put_scaling_policy(
        AutoScalingGroupName="web",
        PolicyName="by steps",
        PolicyType="StepScaling",
        AdjustmentType="PercentChangeInCapacity",
        MinAdjustmentMagnitude=1,
        StepAdjustments=OUT,
    )["PolicyARN"]
    client.put_scaling_policy(
        AutoScalingGroupName="web", PolicyName="exactly", AdjustmentType="ExactCapacity", ScalingAdjustment=2
    )
    bench.metrics.alarms["mine"] = {"AlarmActions": [arn]}
    steps, exactly = client.describe_policies(AutoScalingGroupName="web")["ScalingPolicies"]
    mine = {"AlarmName": "mine", "AlarmARN": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:mine"}
    assert steps == {
        "AutoScalingGroupName": "web",
        "PolicyName": "by steps",
        "PolicyARN": arn,
        "PolicyType": "StepScaling",
        "AdjustmentType": "PercentChangeInCapacity",
        "MinAdjustmentMagnitude": 1,
        "StepAdjustments": OUT,
        "MetricAggregationType": "Average",
        "Alarms": [mine],
        "Enabled": True,
    }
    assert (exactly["ScalingAdjustment"], exactly["Alarms"]) == (2, [])
    client.execute_policy(AutoScalingGroupName="web", PolicyName="exactly")
    assert client.describe_auto_scaling_groups()["AutoScalingGroups"][0]["DesiredCapacity"] == 2
    assert client.describe_policies(PolicyNames=["exactly", "none"], PolicyTypes=["SimpleScaling"])[
        "ScalingPolicies"
    ] == [exactly]
    assert refusal(client.describe_policies, AutoScalingGroupName="none")[0] == "ValidationError"
    assert refusal(client.delete_policy, PolicyName="exactly")[0] == "ValidationError"
    client.delete_policy(PolicyName=arn)
    client.delete_policy(AutoScalingGroupName="web", PolicyName="exactly")
    assert client.describe_policies()["ScalingPolicies"] == []


def test_all_that_boto3_puts_is_described_as_it_was_put_and_kept_over_a_restart(
    client: Any, bench: Bench
) -> None:
    create(client, DesiredCapacity=1)
    metric = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "D", "Value": "v"}]}
    named = {"AutoScalingGroupName": "web"}
    tracking = {
        "CustomizedMetricSpecification": {
            "Metrics": [
                {
                    "Id": "m1",
                    "MetricStat": {"Metric": metric, "Stat": "Sum", "Unit": "Count"},
                    "ReturnData": False,
                },
                {"Id": "e1", "Expression": "m1 / 2", "Label": "half", "ReturnData": True},
            ]
        },
        "TargetValue": 3.5,
        "DisableScaleIn": True,
    }
    prediction = {
        "MetricSpecifications": [
            {
                "TargetValue": 40.0,
                "PredefinedScalingMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
                "CustomizedLoadMetricSpecification": {
                    "MetricDataQueries": [{"Id": "m1", "MetricStat": {"Metric": metric, "Stat": "Sum"}}]
                },
            }
        ],
        "Mode": "ForecastAndScale",
        "SchedulingBufferTime": 0,
        "MaxCapacityBreachBehavior": "IncreaseMaxCapacity",
        "MaxCapacityBuffer": 10,
    }
    client.put_scaling_policy(
        **named,
        PolicyName="track",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration=tracking,
        EstimatedInstanceWarmup=7,
        Enabled=True,
    )
    client.put_scaling_policy(
        **named,
        PolicyName="predict",
        PolicyType="PredictiveScaling",
        PredictiveScalingConfiguration=prediction,
    )
    client.put_scheduled_update_group_action(
        **named, ScheduledActionName="s", Recurrence="0 8 * * *", MinSize=1
    )
    bench.service.load(FORM.decode(FORM.encode(bench.service.dump()), FORM.version))
    predicted, tracked = client.describe_policies(**named)["ScalingPolicies"]
    assert predicted["PredictiveScalingConfiguration"] == prediction
    assert tracked["TargetTrackingConfiguration"] == tracking
    assert (tracked["EstimatedInstanceWarmup"], len(tracked["Alarms"])) == (7, 2)
    assert len(client.describe_scheduled_actions()["ScheduledUpdateGroupActions"]) == 1
    code, message = refusal(
        client.get_predictive_scaling_forecast,
        **named,
        PolicyName="predict",
        StartTime=bench.clock.now(),
        EndTime=bench.clock.now().replace(day=3),
    )
    assert code == "ValidationError"
    assert "not enough data" in message
