"""Groups as boto3 calls for them and reads them, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.localcloud.autoscaling.bench import ARN, ZONES, Bench
from tests.localcloud.autoscaling.calls import create, described, refusal
from tests.localcloud.signing import ANYBODY, by

ILL_FORMED = "You must use a valid fully-formed launch template."


def test_a_group_is_described_as_it_was_created(client: Any, bench: Bench) -> None:
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
        "AvailabilityZoneId": "use1-az1",
        "LifecycleState": "InService",
        "HealthStatus": "Healthy",
        "ImageId": "ami-1",
        "LaunchTemplate": {"LaunchTemplateId": "lt-web", "LaunchTemplateName": "web", "Version": "1"},
        "ProtectedFromScaleIn": False,
    }


def test_what_is_wrong_is_refused_in_the_words_of_aws(client: Any, bench: Bench) -> None:
    create(client)
    bench.settle()
    assert refusal(client.set_desired_capacity, AutoScalingGroupName="none", DesiredCapacity=1) == (
        "ValidationError",
        "AutoScalingGroup name not found - AutoScalingGroup: none not found",
    )
    assert refusal(client.update_auto_scaling_group, AutoScalingGroupName="none", MinSize=1) == (
        "ValidationError",
        "AutoScalingGroup name not found - null",
    )
    tag = {"ResourceType": "auto-scaling-group", "ResourceId": "none", "Key": "team", "Value": "edge"}
    assert refusal(client.create_or_update_tags, Tags=[tag | {"PropagateAtLaunch": True}]) == (
        "ValidationError",
        "AutoScalingGroup not found - AutoScaling Group none not found",
    )
    assert refusal(client.update_auto_scaling_group, AutoScalingGroupName="web", DesiredCapacity=6) == (
        "ValidationError",
        "Desired capacity:6 must be between the specified min size:1 and max size:5",
    )
    assert refusal(client.describe_auto_scaling_groups, NextToken="nonsense")[0] == "InvalidNextToken"
    with pytest.raises(client.exceptions.AlreadyExistsFault):
        create(client)
    with pytest.raises(client.exceptions.ResourceInUseFault):
        client.delete_auto_scaling_group(AutoScalingGroupName="web")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"MinSize": 3, "MaxSize": 2}, "Max bound, 2, must be greater than or equal to min bound, 3"),
        (
            {"DesiredCapacity": 0},
            "Desired capacity:0 must be between the specified min size:1 and max size:5",
        ),
        ({"AvailabilityZones": []}, "At least one Availability Zone or VPC Subnet is required."),
        ({"AvailabilityZones": ["us-east-1q"]}, "Invalid availability zones: [us-east-1q]"),
        ({"VPCZoneIdentifier": "subnet-none"}, "The subnet ID 'subnet-none' does not exist"),
        (
            {"VPCZoneIdentifier": "subnet-us-east-1a"},
            "The availability zones of the specified subnets and the Auto Scaling group do not match",
        ),
        (
            {"LaunchTemplate": {"LaunchTemplateName": "none"}},
            f"{ILL_FORMED} The specified launch template, with template ID none, does not exist.",
        ),
        (
            {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "7"}},
            f"{ILL_FORMED} Could not find the specified version 7 for the launch template with ID lt-web.",
        ),
        (
            {"LaunchTemplate": {"Version": "1"}},
            "Valid requests must contain either launchTemplateId or LaunchTemplateName",
        ),
        (
            {"TargetGroupARNs": ["arn:none"]},
            "Provided Target Groups may not be valid. Please ensure they exist and try again.",
        ),
        (
            {"LoadBalancerNames": ["classic"]},
            "Provided Load Balancers may not be valid. Please ensure they exist and try again.",
        ),
        (
            {"LaunchConfigurationName": "old"},
            (
                "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or "
                "MixedInstancesPolicy parameter."
            ),
        ),
        ({"TerminationPolicies": ["Any"]}, "The termination policy Any is invalid."),
        (
            {"Tags": [{"Key": "aws:mine", "Value": "no"}]},
            "Tag keys that begin with aws: are reserved for system use.",
        ),
        (
            {"AutoScalingGroupName": "x" * 256},
            (
                f"1 validation error detected: Value '{'x' * 256}' at 'autoScalingGroupName' failed to "
                "satisfy constraint: Member must have length less than or equal to 255"
            ),
        ),
    ],
)
def test_a_group_that_cannot_be_is_not_created(client: Any, wrong: dict[str, Any], message: str) -> None:
    assert refusal(lambda **more: create(client, **more), **wrong) == ("ValidationError", message)
    assert client.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_what_is_missing_or_no_number_is_refused_by_the_endpoint_itself(endpoint: str) -> None:
    def post(**parameters: str) -> httpx.Response:
        return httpx.post(endpoint, data=parameters, auth=by(ANYBODY, "autoscaling"))

    missing = post(Action="CreateAutoScalingGroup", AutoScalingGroupName="web", MaxSize="1")
    assert missing.status_code == 400
    assert "<Code>ValidationError</Code>" in missing.text
    assert (
        "1 validation error detected: Value null at 'minSize' failed to satisfy constraint: "
        "Member must not be null"
    ) in missing.text
    malformed = post(Action="SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity="many")
    assert (malformed.status_code, "<Code>MalformedInput</Code>" in malformed.text) == (400, True)
    unknown = post(Action="MakeCoffee")
    assert (unknown.status_code, "<Code>InvalidAction</Code>" in unknown.text) == (400, True)


def test_pages_survive_what_changes_between_them(client: Any) -> None:
    for number in range(7):
        create(client, f"group-{number}", MinSize=0, DesiredCapacity=0)
    first = client.describe_auto_scaling_groups(MaxRecords=3)
    assert [group["AutoScalingGroupName"] for group in first["AutoScalingGroups"]] == [
        "group-0",
        "group-1",
        "group-2",
    ]
    client.delete_auto_scaling_group(AutoScalingGroupName="group-2")
    client.delete_auto_scaling_group(AutoScalingGroupName="group-4")
    second = client.describe_auto_scaling_groups(MaxRecords=3, NextToken=first["NextToken"])
    assert [group["AutoScalingGroupName"] for group in second["AutoScalingGroups"]] == [
        "group-3",
        "group-5",
        "group-6",
    ]
    assert "NextToken" not in second
    pages = client.get_paginator("describe_auto_scaling_groups").paginate(PaginationConfig={"PageSize": 2})
    assert [
        group["AutoScalingGroupName"][-1] for page in pages for group in page["AutoScalingGroups"]
    ] == list("01356")


def test_groups_are_found_by_name_and_by_tag(client: Any) -> None:
    for name, team in [("one", "road"), ("two", "road"), ("three", "rail")]:
        create(client, name, Tags=[{"Key": "team", "Value": team}, {"Key": name, "Value": ""}])

    def found(**parameters: Any) -> list[str]:
        answer = client.describe_auto_scaling_groups(**parameters)
        return [group["AutoScalingGroupName"] for group in answer["AutoScalingGroups"]]

    assert found(AutoScalingGroupNames=["two", "none"]) == ["two"]
    assert found(Filters=[{"Name": "tag:team", "Values": ["road"]}]) == ["one", "two"]
    assert found(Filters=[{"Name": "tag-key", "Values": ["three", "two"]}]) == ["three", "two"]
    assert found(
        Filters=[{"Name": "tag-value", "Values": ["road"]}, {"Name": "tag-key", "Values": ["two"]}]
    ) == ["two"]
    assert refusal(client.describe_auto_scaling_groups, Filters=[{"Name": "colour", "Values": ["red"]}])[
        0
    ] == ("ValidationError")


def test_a_group_is_deleted_only_when_nothing_is_left_in_it(client: Any, bench: Bench) -> None:
    create(client, MinSize=0)
    bench.compute.slow_to_end = True
    bench.settle()
    client.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=0)
    bench.service.step()
    with pytest.raises(client.exceptions.ScalingActivityInProgressFault):
        client.delete_auto_scaling_group(AutoScalingGroupName="web")
    bench.settle()
    client.delete_auto_scaling_group(AutoScalingGroupName="web")
    assert client.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_a_forced_delete_shows_that_it_is_in_progress(client: Any, bench: Bench) -> None:
    create(client)
    bench.settle()
    client.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    assert described(client)["Status"] == "Delete in progress"
    with pytest.raises(client.exceptions.AlreadyExistsFault, match="pending delete"):
        create(client)
    bench.settle()
    create(client)
    assert "Status" not in described(client)
