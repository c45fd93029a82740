"""Every operation as boto3 calls it and reads it, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.autoscaling.bench import ARN, ZONES, Bench

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient


def create(client: AutoScalingClient, name: str = "web", **more: Any) -> None:
    parameters: dict[str, Any] = {
        "AutoScalingGroupName": name,
        "LaunchTemplate": {"LaunchTemplateName": "web", "Version": "$Latest"},
        "MinSize": 1,
        "MaxSize": 5,
        "DesiredCapacity": 3,
        "AvailabilityZones": list(ZONES),
    }
    client.create_auto_scaling_group(**(parameters | more))


def described(client: AutoScalingClient, name: str = "web") -> Any:
    return client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response: Any = caught.value.response
    error = response["Error"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Code"], error["Message"]


def test_a_group_is_described_as_it_was_created(client: AutoScalingClient, bench: Bench) -> None:
    create(
        client,
        TargetGroupARNs=[ARN],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=30,
        Tags=[{"Key": "team", "Value": "road", "PropagateAtLaunch": True}],
    )
    bench.settle()
    group = described(client)
    assert group["AutoScalingGroupARN"].startswith(
        "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:"
    )
    assert group["AutoScalingGroupARN"].endswith(":autoScalingGroupName/web")
    assert group["LaunchTemplate"] == {
        "LaunchTemplateId": "lt-web",
        "LaunchTemplateName": "web",
        "Version": "$Latest",
    }
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (1, 5, 3)
    assert group["AvailabilityZones"] == list(ZONES)
    assert group["TargetGroupARNs"] == [ARN]
    assert group["CreatedTime"] == bench.clock.now()
    assert group["Tags"] == [
        {
            "ResourceId": "web",
            "ResourceType": "auto-scaling-group",
            "Key": "team",
            "Value": "road",
            "PropagateAtLaunch": True,
        }
    ]
    assert sorted(instance["AvailabilityZone"] for instance in group["Instances"]) == list(ZONES)
    assert group["Instances"][0] == {
        "InstanceId": bench.members()[0].id,
        "InstanceType": "t3.micro",
        "AvailabilityZone": "us-east-1a",
        "LifecycleState": "InService",
        "HealthStatus": "Healthy",
        "ImageId": "ami-1",
        "LaunchTemplate": {"LaunchTemplateId": "lt-web", "LaunchTemplateName": "web", "Version": "1"},
        "ProtectedFromScaleIn": False,
    }


def test_what_is_wrong_is_refused_in_the_words_of_aws(client: AutoScalingClient, bench: Bench) -> None:
    create(client)
    bench.settle()
    assert refusal(client.set_desired_capacity, AutoScalingGroupName="none", DesiredCapacity=1) == (
        "ValidationError",
        "AutoScalingGroup name not found - AutoScalingGroup: none not found",
    )
    assert refusal(client.update_auto_scaling_group, AutoScalingGroupName="web", DesiredCapacity=6) == (
        "ValidationError",
        "Desired capacity:6 must be between the specified min size:1 and max size:5",
    )
    assert refusal(client.put_scaling_policy, AutoScalingGroupName="web", PolicyName="p") == (
        "UnsupportedOperation",
        "PutScalingPolicy is not offered by this cloud yet.",
    )
    assert refusal(client.describe_auto_scaling_groups, NextToken="nonsense")[0] == "InvalidNextToken"
    with pytest.raises(client.exceptions.AlreadyExistsFault):
        create(client)
    with pytest.raises(client.exceptions.ResourceInUseFault):
        client.delete_auto_scaling_group(AutoScalingGroupName="web")
