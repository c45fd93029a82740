"""A real API process under watch: what its services and controllers do with the one lock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.balancing.bench import Bench, fixed
from tests.localcloud.running import RunningCloud, running_cloud
from tests.waiting import eventually

SITE = Path(__file__).with_name("site")


@pytest.mark.slow
def test_nobody_waits_under_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(SITE))
    monkeypatch.setenv("PAVED_TEST_LOCK_WATCH", str(reports))
    with running_cloud(tmp_path / "home") as cloud:
        tour(cloud)
    (report,) = reports.iterdir()
    told = json.loads(report.read_text())
    assert told["holds"].keys() >= {"ec2 RunInstances", "elasticloadbalancing CreateRule", "snapshots"}
    assert told["wrongs"] == {}, "\n\n".join(f"{what}: {who}" for what, who in told["wrongs"].items())


def tour(cloud: RunningCloud) -> None:
    """Something of each service, and time for the controllers to look at it."""
    bench = Bench(cloud)
    balancer = bench.balancer(fixed("default"))
    paths = [{"Field": "path-pattern", "Values": ["/x"]}]
    bench.rule(balancer, 1, paths, fixed("x"))
    ec2, scaling = cloud.client("ec2"), cloud.client("autoscaling")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    launched = ec2.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=1, MaxCount=1)
    scaling.create_launch_configuration(LaunchConfigurationName="l", ImageId=image, InstanceType="t3.nano")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="g",
        LaunchConfigurationName="l",
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=["us-east-1a"],
    )
    topic = cloud.client("sns").create_topic(Name="t")["TopicArn"]
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="a",
        Namespace="n",
        MetricName="m",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )
    cloud.client("cloudwatch").set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="now")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="watched")
    s3.put_object(Bucket="watched", Key="k", Body=b"x" * (5 << 20))
    ec2.create_key_pair(KeyName="k")
    cloud.client("acm").request_certificate(DomainName="watched.example")
    eventually(lambda: _in_service(scaling))
    ec2.terminate_instances(InstanceIds=[launched["Instances"][0]["InstanceId"]])
    scaling.delete_auto_scaling_group(AutoScalingGroupName="g", ForceDelete=True)
    bench.close()


def _in_service(scaling: Any) -> bool:
    group = scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    return [it["LifecycleState"] for it in group["Instances"]] == ["InService"]
