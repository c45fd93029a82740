"""The whole way: a process that works, Envoy that serves, and CloudWatch that knows of both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.localcloud.balancing.bench import Bench, weigh
from tests.localcloud.machines import await_state, image_of_command, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually


def statistics(
    cloud: RunningCloud, namespace: str, name: str, dimensions: dict[str, str], **asked: Any
) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        **(asked or {"Statistics": ["Sum", "Average", "SampleCount"]}),
    )
    return answer["Datapoints"]


@pytest.mark.slow
def test_an_instance_over_its_types_memory_says_so_in_its_state_reason(cloud: RunningCloud) -> None:
    if eventually(lambda: cloud.health["limits"], within=30) == "rlimits":
        pytest.skip("without control groups a process is refused memory, and says what it likes")
    grow = "python3 -c 'kept = [bytearray(1 << 20) for n in range(2000)]'"
    [it] = run(cloud, InstanceType="t3.nano", **image_of_command(cloud, grow))
    stopped = await_state(cloud, it, "stopped", within=90)
    assert stopped["StateReason"]["Message"].endswith("killed: over the memory limit of t3.nano (512 MiB)")
    cloud.client("ec2").terminate_instances(InstanceIds=[it])


@pytest.mark.slow
def test_what_an_instance_uses_is_in_cloudwatch_within_two_minutes(cloud: RunningCloud) -> None:
    burn = "#!/bin/sh\nexec python3 -c 'while True: pass'\n"
    [it] = run(cloud, UserData=burn, Monitoring={"Enabled": True})

    def used() -> list[dict[str, Any]]:
        points = statistics(cloud, "AWS/EC2", "CPUUtilization", {"InstanceId": it})
        return [point for point in points if point["Average"] > 1]

    [point, *_] = eventually(used, within=180)
    assert point["Unit"] == "Percent"
    assert point["Average"] <= 100
    assert point["Timestamp"].second == 0
    assert statistics(cloud, "AWS/EC2", "StatusCheckFailed", {"InstanceId": it})
    cloud.client("ec2").terminate_instances(InstanceIds=[it])


@pytest.mark.slow
def test_what_a_balancer_serves_is_in_cloudwatch_within_two_minutes(
    cloud: RunningCloud, bench: Bench
) -> None:
    one = bench.service("one")
    group = bench.group(one)
    balancer = bench.balancer(weigh({group: 1}))
    bench.all_healthy(group)
    for _ in range(20):
        assert balancer.get("/").status_code == 200
    dimensions = {
        "LoadBalancer": balancer.arn.partition(":loadbalancer/")[2],
        "TargetGroup": group.rpartition(":")[2],
    }

    def served() -> float:
        points = statistics(cloud, "AWS/ApplicationELB", "HTTPCode_Target_2XX_Count", dimensions)
        return sum(point["Sum"] for point in points)

    eventually(lambda: served() >= 20, within=180)
    times = statistics(
        cloud, "AWS/ApplicationELB", "TargetResponseTime", dimensions, ExtendedStatistics=["p50", "p99"]
    )
    whole = {"LoadBalancer": dimensions["LoadBalancer"]}
    assert sum(it["Sum"] for it in statistics(cloud, "AWS/ApplicationELB", "NewConnectionCount", whole)) > 0
    assert any(it["Sum"] > 0 for it in statistics(cloud, "AWS/ApplicationELB", "ConsumedLCUs", whole))
    assert all(0 < it["ExtendedStatistics"]["p50"] <= it["ExtendedStatistics"]["p99"] < 30 for it in times)
    assert times
