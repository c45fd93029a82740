"""Lifecycle hooks as boto3 calls for them and reads them, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.autoscaling.bench import QUEUE_ARN, Bench
from tests.localcloud.autoscaling.calls import create, described, refusal

HOOK: Any = {"AutoScalingGroupName": "web", "LifecycleHookName": "ready"}
LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
ROLE = "arn:aws:iam::123456789012:role/hooks"


def test_a_hook_is_put_updated_described_and_deleted(client: Any) -> None:
    create(client)
    client.put_lifecycle_hook(**HOOK, LifecycleTransition=LAUNCHING)
    [hook] = client.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"]
    assert hook == {
        **HOOK,
        "LifecycleTransition": LAUNCHING,
        "HeartbeatTimeout": 3600,
        "GlobalTimeout": 172800,
        "DefaultResult": "ABANDON",
    }
    client.put_lifecycle_hook(**HOOK, HeartbeatTimeout=90, NotificationTargetARN=QUEUE_ARN, RoleARN=ROLE)
    client.put_lifecycle_hook(**HOOK, DefaultResult="CONTINUE")
    [hook] = client.describe_lifecycle_hooks(AutoScalingGroupName="web", LifecycleHookNames=["ready"])[
        "LifecycleHooks"
    ]
    assert (hook["HeartbeatTimeout"], hook["DefaultResult"], hook["RoleARN"]) == (90, "CONTINUE", ROLE)
    assert hook["NotificationTargetARN"] == QUEUE_ARN
    client.put_lifecycle_hook(**HOOK, NotificationTargetARN="")
    [hook] = client.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"]
    assert "NotificationTargetARN" not in hook
    client.delete_lifecycle_hook(**HOOK)
    assert client.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"] == []
    assert refusal(client.delete_lifecycle_hook, **HOOK)[1].startswith("No Lifecycle Hook found")
    assert client.describe_lifecycle_hook_types()["LifecycleHookTypes"] == [
        LAUNCHING,
        "autoscaling:EC2_INSTANCE_TERMINATING",
    ]


def test_who_waits_is_shown_and_goes_on_when_the_action_is_completed(client: Any, bench: Bench) -> None:
    create(
        client,
        DesiredCapacity=1,
        LifecycleHookSpecificationList=[{"LifecycleHookName": "ready", "LifecycleTransition": LAUNCHING}],
    )
    bench.settle()
    [instance] = described(client)["Instances"]
    assert instance["LifecycleState"] == "Pending:Wait"
    client.record_lifecycle_action_heartbeat(**HOOK, InstanceId=instance["InstanceId"])
    arn = described(client)["AutoScalingGroupARN"]
    named: Any = {"LifecycleHookName": "ready", "AutoScalingGroupName": arn}
    client.complete_lifecycle_action(
        **named, InstanceId=instance["InstanceId"], LifecycleActionResult="CONTINUE"
    )
    bench.settle()
    assert described(client)["Instances"][0]["LifecycleState"] == "InService"
    again: Any = {**HOOK, "InstanceId": instance["InstanceId"]}
    assert refusal(client.record_lifecycle_action_heartbeat, **again) == (
        "ValidationError",
        f"No active Lifecycle Action found with instance ID {instance['InstanceId']}",
    )
    token = "0" * 36
    assert refusal(
        client.complete_lifecycle_action, **HOOK, LifecycleActionToken=token, LifecycleActionResult="ABANDON"
    ) == ("ValidationError", f"No active Lifecycle Action found with token {token}")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "LifecycleTransition is required"),
        (
            {"LifecycleTransition": "autoscaling:EC2_INSTANCE_DREAMING"},
            "LifecycleTransition: autoscaling:EC2",
        ),
        ({"LifecycleTransition": LAUNCHING, "HeartbeatTimeout": 29}, "between 30 and 7200 seconds"),
        ({"LifecycleTransition": LAUNCHING, "HeartbeatTimeout": 7201}, "between 30 and 7200 seconds"),
        ({"LifecycleTransition": LAUNCHING, "DefaultResult": "MAYBE"}, "DefaultResult: MAYBE"),
        ({"LifecycleTransition": LAUNCHING, "NotificationTargetARN": QUEUE_ARN}, "RoleARN must be"),
        (
            {"LifecycleTransition": LAUNCHING, "NotificationTargetARN": f"{QUEUE_ARN}.fifo", "RoleARN": ROLE},
            "Unable to publish test message to notification target",
        ),
        (
            {"LifecycleTransition": LAUNCHING, "NotificationTargetARN": "arn:aws:sns:x", "RoleARN": ROLE},
            "Unable to publish test message to notification target",
        ),
        ({"LifecycleTransition": LAUNCHING, "LifecycleHookName": "no spaces"}, "regular expression pattern"),
    ],
)
def test_a_hook_that_cannot_be_is_refused(client: Any, wrong: dict[str, Any], message: str) -> None:
    create(client)
    code, text = refusal(lambda **more: client.put_lifecycle_hook(**(HOOK | more)), **wrong)
    assert code == "ValidationError"
    assert message in text
    assert client.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"] == []


def test_a_group_has_fifty_hooks_at_most(client: Any, bench: Bench) -> None:
    bench.create(desired=0)
    for number in range(50):
        bench.call(
            "PutLifecycleHook",
            AutoScalingGroupName="web",
            LifecycleHookName=f"hook-{number}",
            LifecycleTransition=LAUNCHING,
        )
    assert refusal(client.put_lifecycle_hook, **HOOK, LifecycleTransition=LAUNCHING)[0] == "LimitExceeded"


def test_an_action_is_named_by_its_token_or_its_instance(client: Any) -> None:
    create(client)
    client.put_lifecycle_hook(**HOOK, LifecycleTransition=LAUNCHING)
    assert refusal(client.complete_lifecycle_action, **HOOK, LifecycleActionResult="CONTINUE") == (
        "ValidationError",
        "Either LifecycleActionToken or InstanceId must be specified.",
    )
    assert refusal(
        client.complete_lifecycle_action, **HOOK, InstanceId="i-1", LifecycleActionResult="PERHAPS"
    )[1].startswith("Invalid value for LifecycleActionResult: PERHAPS")
