"""Topics are told of launches and terminations, in AWS's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.autoscaling.bench import TOPIC_ARN, Bench
from tests.localcloud.autoscaling.calls import create, refusal

LAUNCH = "autoscaling:EC2_INSTANCE_LAUNCH"
TERMINATE = "autoscaling:EC2_INSTANCE_TERMINATE"
ALL = [LAUNCH, f"{LAUNCH}_ERROR", TERMINATE, f"{TERMINATE}_ERROR", "autoscaling:TEST_NOTIFICATION"]


def put(bench: Bench, *events: str, topic: str = TOPIC_ARN) -> None:
    bench.call(
        "PutNotificationConfiguration",
        AutoScalingGroupName="web",
        TopicARN=topic,
        NotificationTypes=list(events or ALL),
    )


def told(bench: Bench) -> list[dict[str, Any]]:
    """What came after the test message."""
    return [json.loads(message) for _, message in bench.topics.sent[TOPIC_ARN][1:]]


def desire(bench: Bench, desired: int) -> None:
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=desired)
    bench.settle()


def test_a_topic_is_told_once_that_it_will_be_told(bench: Bench) -> None:
    group = bench.create(desired=0)
    put(bench)
    [(subject, message)] = bench.topics.sent[TOPIC_ARN]
    assert subject == 'Auto Scaling: test notification for group "web"'
    shown = json.loads(message)
    assert shown.pop("RequestId")
    assert shown == {
        "AccountId": "123456789012",
        "AutoScalingGroupARN": group.arn,
        "AutoScalingGroupName": "web",
        "Service": "AWS Auto Scaling",
        "Event": "autoscaling:TEST_NOTIFICATION",
        "Time": "2026-01-02T03:04:05.000Z",
    }


def test_a_launch_is_told_in_the_json_of_aws(bench: Bench) -> None:
    group = bench.create(desired=0)
    put(bench)
    desire(bench, 1)
    [activity] = bench.activities()
    [member] = bench.members()
    assert told(bench) == [
        {
            "Origin": "EC2",
            "Destination": "AutoScalingGroup",
            "Progress": 50,
            "AccountId": "123456789012",
            "Description": f"Launching a new EC2 instance: {member.id}",
            "RequestId": activity.id,
            "EndTime": "2026-01-02T03:04:05.000Z",
            "AutoScalingGroupARN": group.arn,
            "ActivityId": activity.id,
            "StartTime": "2026-01-02T03:04:05.000Z",
            "Service": "AWS Auto Scaling",
            "Time": "2026-01-02T03:04:05.000Z",
            "EC2InstanceId": member.id,
            "StatusCode": "InProgress",
            "StatusMessage": "",
            "Details": {"Subnet ID": member.subnet_id, "Availability Zone": member.zone},
            "AutoScalingGroupName": "web",
            "Cause": activity.cause,
            "Event": LAUNCH,
        }
    ]
    assert bench.topics.sent[TOPIC_ARN][1][0] == 'Auto Scaling: launch for group "web"'


def test_a_termination_is_told_when_the_instance_is_gone(bench: Bench) -> None:
    bench.create(desired=1)
    bench.settle()
    put(bench, TERMINATE)
    bench.compute.slow_to_end = True
    [member] = bench.members()
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=0)
    bench.service.step()
    assert told(bench) == []
    bench.settle()
    [message] = told(bench)
    assert (message["Event"], message["EC2InstanceId"]) == (TERMINATE, member.id)
    assert (message["Origin"], message["Destination"]) == ("AutoScalingGroup", "EC2")
    assert bench.topics.sent[TOPIC_ARN][-1][0] == 'Auto Scaling: termination for group "web"'


def test_a_launch_that_fails_is_told_with_the_reason(bench: Bench) -> None:
    bench.create(desired=0)
    put(bench, f"{LAUNCH}_ERROR")
    bench.compute.refusals["*"] = ServiceError("InvalidAMIID.NotFound", "No such image.")
    desire(bench, 1)
    [message] = told(bench)
    assert message["StatusCode"] == "Failed"
    assert message["StatusMessage"] == "No such image. Launching EC2 instance failed."
    assert message["EC2InstanceId"] == ""


def test_only_what_was_asked_for_is_told_and_each_once(bench: Bench) -> None:
    bench.create(desired=2)
    bench.settle()
    put(bench, TERMINATE)
    desire(bench, 4)
    desire(bench, 1)
    bench.settle()
    assert [message["Event"] for message in told(bench)] == [TERMINATE] * 3
    bench.call("DeleteNotificationConfiguration", AutoScalingGroupName="web", TopicARN=TOPIC_ARN)
    desire(bench, 0)
    assert len(told(bench)) == 3


def test_the_last_termination_of_a_group_that_goes_is_told(bench: Bench) -> None:
    bench.create(desired=2)
    bench.settle()
    put(bench)
    bench.call("DeleteAutoScalingGroup", AutoScalingGroupName="web", ForceDelete=True)
    bench.settle()
    assert not bench.exists()
    assert [message["Event"] for message in told(bench)] == [TERMINATE] * 2


def test_the_ways_into_and_out_of_a_warm_pool_are_told(bench: Bench) -> None:
    bench.create(desired=0, MaxSize=2)
    put(bench)
    bench.call(
        "PutWarmPool",
        AutoScalingGroupName="web",
        MaxGroupPreparedCapacity=1,
        PoolState="Running",
        InstanceReusePolicy={"ReuseOnScaleIn": True},
    )
    bench.settle()
    desire(bench, 1)
    desire(bench, 0)
    bench.call("DeleteAutoScalingGroup", AutoScalingGroupName="web", ForceDelete=True)
    bench.settle()
    ways = [(message["Event"], message["Origin"], message["Destination"]) for message in told(bench)]
    assert ways == [
        (LAUNCH, "EC2", "WarmPool"),
        (LAUNCH, "WarmPool", "AutoScalingGroup"),
        (TERMINATE, "AutoScalingGroup", "WarmPool"),
        (TERMINATE, "WarmPool", "EC2"),
    ]


def test_a_topic_that_has_gone_stops_nothing(bench: Bench) -> None:
    bench.create(desired=0)
    put(bench)
    del bench.topics.sent[TOPIC_ARN]
    desire(bench, 2)
    assert len(bench.members()) == 2


def test_what_cannot_be_told_is_refused(bench: Bench) -> None:
    bench.create(desired=0)
    with pytest.raises(ServiceError, match="Unable to publish test message"):
        put(bench, topic="arn:aws:sns:us-east-1:123456789012:none")
    with pytest.raises(ServiceError, match='"never" is not a valid'):
        put(bench, "never")
    for number in range(10):
        bench.topics.sent[f"{TOPIC_ARN}-{number}"] = []
        put(bench, topic=f"{TOPIC_ARN}-{number}")
    with pytest.raises(ServiceError, match="LimitExceeded"):
        put(bench)


def test_boto3_puts_pages_and_deletes_configurations(client: Any) -> None:
    create(client)
    named: dict[str, Any] = {"AutoScalingGroupName": "web", "TopicARN": TOPIC_ARN}
    client.put_notification_configuration(**named, NotificationTypes=[TERMINATE])
    client.put_notification_configuration(**named, NotificationTypes=[TERMINATE, LAUNCH])
    pages = client.get_paginator("describe_notification_configurations").paginate(
        PaginationConfig={"PageSize": 1}
    )
    assert [page["NotificationConfigurations"] for page in pages] == [
        [{**named, "NotificationType": LAUNCH}],
        [{**named, "NotificationType": TERMINATE}],
    ]
    assert client.describe_auto_scaling_notification_types()["AutoScalingNotificationTypes"] == ALL
    client.delete_notification_configuration(**named)
    assert client.describe_notification_configurations()["NotificationConfigurations"] == []
    code, _ = refusal(client.put_notification_configuration, **named, NotificationTypes=["no"])
    assert code == "ValidationError"
