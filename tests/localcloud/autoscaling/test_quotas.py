"""How many groups and configurations an account may have, and how many a call may name at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import create, refusal

GROUP = {"AutoScalingGroupName": "web"}
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/t{}/0123456789abcdef"


@pytest.mark.parametrize(
    ("operation", "name", "most", "more"),
    [
        ("attach_instances", "InstanceIds", 20, {}),
        ("detach_instances", "InstanceIds", 20, {"ShouldDecrementDesiredCapacity": True}),
        ("enter_standby", "InstanceIds", 20, {"ShouldDecrementDesiredCapacity": True}),
        ("exit_standby", "InstanceIds", 20, {}),
        ("set_instance_protection", "InstanceIds", 50, {"ProtectedFromScaleIn": True}),
        ("attach_load_balancer_target_groups", "TargetGroupARNs", 10, {}),
        ("detach_load_balancer_target_groups", "TargetGroupARNs", 10, {}),
        ("batch_delete_scheduled_action", "ScheduledActionNames", 50, {}),
        ("describe_scheduled_actions", "ScheduledActionNames", 50, {}),
        ("describe_policies", "PolicyNames", 50, {}),
    ],
)
def test_a_call_names_no_more_than_is_documented(
    client: Any, operation: str, name: str, most: int, more: dict[str, Any]
) -> None:
    create(client)
    words = ARN if name == "TargetGroupARNs" else "i-{:017x}" if name == "InstanceIds" else "name-{}"
    named = [words.format(number) for number in range(most + 1)]
    code, message = refusal(getattr(client, operation), **GROUP, **more, **{name: named})
    assert code == "ValidationError"
    assert message.endswith(f"Member must have length less than or equal to {most}")


def test_more_groups_may_be_named_where_more_records_are_asked_for(client: Any) -> None:
    names = [f"group-{number}" for number in range(60)]
    assert refusal(client.describe_auto_scaling_groups, AutoScalingGroupNames=names)[0] == "ValidationError"
    asked = client.describe_auto_scaling_groups(AutoScalingGroupNames=names, MaxRecords=100)
    assert asked["AutoScalingGroups"] == []


def test_the_quotas_that_are_described_hold(client: Any, bench: Bench) -> None:
    limits = client.describe_account_limits()
    groups, configurations = limits["MaxNumberOfAutoScalingGroups"], limits["MaxNumberOfLaunchConfigurations"]
    assert (groups, configurations) == (500, 200)
    for number in range(groups):
        bench.create(f"group-{number}", desired=0)
    assert refusal(lambda: create(client))[0] == "LimitExceeded"
    launched = {"ImageId": "ami-1", "InstanceType": "t3.micro"}
    for number in range(configurations):
        bench.call("CreateLaunchConfiguration", LaunchConfigurationName=f"c-{number}", **launched)
    one_more = refusal(client.create_launch_configuration, LaunchConfigurationName="more", **launched)
    assert one_more[0] == "LimitExceeded"
    counted = client.describe_account_limits()
    assert counted["NumberOfAutoScalingGroups"] == groups
    assert counted["NumberOfLaunchConfigurations"] == configurations
