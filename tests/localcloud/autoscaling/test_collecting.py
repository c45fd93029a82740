"""A group's own metrics are published each minute while somebody wants them."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.autoscaling.collecting import METRICS
from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import create, described, refusal


def collect(bench: Bench, *metrics: str, operation: str = "EnableMetricsCollection") -> None:
    more = {"Granularity": "1Minute"} if operation.startswith("Enable") else {}
    bench.call(operation, AutoScalingGroupName="web", Metrics=list(metrics), **more)


def published(bench: Bench) -> dict[str, float]:
    """The newest value of each metric."""
    for namespace, sample in bench.metrics.samples:
        assert (namespace, sample.dimensions) == ("AWS/AutoScaling", {"AutoScalingGroupName": "web"})
    return {sample.name: sample.values[0] for _, sample in bench.metrics.samples}


def test_nothing_is_published_unasked(bench: Bench) -> None:
    bench.create(desired=2)
    bench.settle()
    bench.pass_time(120)
    assert bench.metrics.samples == []


def test_each_minute_tells_once_how_the_group_is(bench: Bench) -> None:
    bench.create(desired=3, MinSize=1, MaxSize=9)
    bench.settle()
    standing = bench.members()[0].id
    bench.call(
        "EnterStandby",
        AutoScalingGroupName="web",
        InstanceIds=[standing],
        ShouldDecrementDesiredCapacity=True,
    )
    bench.settle()
    collect(bench)
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=4)
    bench.service.step()
    bench.clock.advance(1)
    bench.service.step()
    found = published(bench)
    assert set(found) == set(METRICS)
    assert len(bench.metrics.samples) == len(METRICS), "once a minute"
    told = {name.removeprefix("Group"): value for name, value in found.items() if value}
    assert told == {
        "MinSize": 1,
        "MaxSize": 9,
        "DesiredCapacity": 4,
        "InServiceInstances": 2,
        "InServiceCapacity": 2,
        "PendingInstances": 2,
        "PendingCapacity": 2,
        "StandbyInstances": 1,
        "StandbyCapacity": 1,
        "TotalInstances": 4,
        "TotalCapacity": 4,
        "AndWarmPoolDesiredCapacity": 4,
        "AndWarmPoolTotalCapacity": 4,
    }
    bench.pass_time(60)
    assert len(bench.metrics.samples) == 2 * len(METRICS)


def test_metrics_are_added_and_taken_away_by_name(bench: Bench) -> None:
    bench.create(desired=0)
    collect(bench, "GroupMaxSize")
    collect(bench, "GroupMinSize")
    assert bench.group().collected_metrics == ("GroupMinSize", "GroupMaxSize")
    collect(bench, "GroupMinSize", operation="DisableMetricsCollection")
    assert bench.group().collected_metrics == ("GroupMaxSize",)
    collect(bench, operation="DisableMetricsCollection")
    assert bench.group().collected_metrics == ()
    with pytest.raises(ServiceError, match="GroupMood is not a valid metric"):
        collect(bench, "GroupMood")


def test_boto3_sees_which_are_enabled(client: Any) -> None:
    create(client)
    client.enable_metrics_collection(
        AutoScalingGroupName="web", Metrics=["GroupDesiredCapacity"], Granularity="1Minute"
    )
    assert described(client)["EnabledMetrics"] == [
        {"Metric": "GroupDesiredCapacity", "Granularity": "1Minute"}
    ]
    assert len(client.describe_metric_collection_types()["Metrics"]) == 20
    enable = client.enable_metrics_collection
    assert refusal(enable, AutoScalingGroupName="web", Granularity="1Second")[0] == "ValidationError"
    client.disable_metrics_collection(AutoScalingGroupName="web")
    assert described(client)["EnabledMetrics"] == []
