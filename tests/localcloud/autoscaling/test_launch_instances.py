"""LaunchInstances answers at once with what it has launched, and twice the same to the same token."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import refusal

NO_ROOM = ServiceError("InsufficientInstanceCapacity", "We currently do not have sufficient capacity.")


def launch(bench: Bench, capacity: int = 2, token: str = "t-1", **more: Any) -> dict[str, Any]:
    parameters: dict[str, Any] = {"AvailabilityZones": ["us-east-1b"]}
    return bench.call(
        "LaunchInstances",
        AutoScalingGroupName="web",
        RequestedCapacity=capacity,
        ClientToken=token,
        **(parameters | more),
    )


def test_what_is_launched_is_told_and_desired(bench: Bench, client: Any) -> None:
    bench.create(desired=1)
    bench.settle()
    answer = client.launch_instances(
        AutoScalingGroupName="web",
        RequestedCapacity=2,
        ClientToken="t-1",
        AvailabilityZoneIds=["use1-az2"],
    )
    assert answer["Errors"] == []
    [collection] = answer["Instances"]
    ids = collection.pop("InstanceIds")
    assert collection == {
        "InstanceType": "t3.micro",
        "MarketType": "on-demand",
        "SubnetId": "subnet-us-east-1b",
        "AvailabilityZone": "us-east-1b",
        "AvailabilityZoneId": "use1-az2",
    }
    assert bench.group().desired == 3
    assert {bench.group().members[id_].state for id_ in ids} == {"Pending"}
    bench.settle()
    assert len(bench.members()) == 3


def test_the_same_token_launches_once(bench: Bench) -> None:
    bench.create(desired=0)
    first = launch(bench)
    assert launch(bench) == first
    assert len(bench.group().members) == 2
    with pytest.raises(ServiceError, match="IdempotentParameterMismatch"):
        launch(bench, capacity=3)
    bench.pass_time(9 * 3600)
    assert launch(bench, token="t-1")["Instances"] != first["Instances"]


def test_what_is_refused_is_told_and_retried_only_if_that_was_asked(bench: Bench) -> None:
    bench.create(desired=0)
    bench.compute.refusals["us-east-1b"] = NO_ROOM
    answer = launch(bench)
    assert answer["Instances"] == []
    [error] = answer["Errors"]
    assert (error["ErrorCode"], error["InstanceType"]) == ("InsufficientInstanceCapacity", "t3.micro")
    assert bench.group().desired == 0
    launch(bench, token="t-2", RetryStrategy="retry-with-group-configuration")
    assert bench.group().desired == 2
    bench.settle()
    assert bench.zones() == {"us-east-1a": 1, "us-east-1c": 1}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"RequestedCapacity": 30}, "AutoScalingGroup web has min-size=0, max-size=20, and desired-size=0."),
        ({"AvailabilityZones": []}, "Either AvailabilityZones or SubnetIds must be specified"),
        ({"AvailabilityZones": ["eu-west-1a"]}, "The Availability Zone eu-west-1a is not part of"),
        ({"SubnetIds": ["subnet-us-east-1a"]}, "The subnet subnet-us-east-1a is not part of"),
        ({"AutoScalingGroupName": "none"}, "AutoScalingGroup name not found"),
    ],
)
def test_what_cannot_be_launched_is_refused(
    bench: Bench, client: Any, wrong: dict[str, Any], message: str
) -> None:
    bench.create(desired=0)
    asked = {"AutoScalingGroupName": "web", "RequestedCapacity": 1, "ClientToken": "t"}
    asked |= {"AvailabilityZones": ["us-east-1a"]} | wrong
    code, said = refusal(client.launch_instances, **asked)
    assert (code, said[: len(message)]) == ("ValidationError", message)
    assert bench.group().desired == 0


def test_there_are_no_account_settings(client: Any) -> None:
    assert client.describe_account_settings()["Settings"] == []
    unknown = ("ValidationError", "Account setting not found - There is no account setting with the name any")
    assert refusal(client.describe_account_settings, Name="any") == unknown
    assert refusal(client.put_account_setting, Name="any", Value="enabled") == unknown


def test_a_classic_load_balancer_that_is_not_there_is_refused(bench: Bench, client: Any) -> None:
    bench.create(desired=0)
    assert client.describe_load_balancers(AutoScalingGroupName="web")["LoadBalancers"] == []
    assert refusal(client.attach_load_balancers, AutoScalingGroupName="web", LoadBalancerNames=["old"]) == (
        "ValidationError",
        "Provided Load Balancers may not be valid. Please ensure they exist and try again.",
    )
    assert refusal(client.detach_load_balancers, AutoScalingGroupName="web", LoadBalancerNames=["old"]) == (
        "ValidationError",
        "Trying to remove Load Balancers that are not part of the group",
    )
