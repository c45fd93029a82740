"""Subscribers are told what their filter policies let through; policies that are none are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.running import RunningCloud

_TEXT = {"DataType": "String", "StringValue": "TENNIS"}
_NUMBER = {"DataType": "Number", "StringValue": "1.5e1"}
_LIST = {"DataType": "String.Array", "StringValue": '["football", "rugby"]'}
_BYTES = {"DataType": "Binary", "BinaryValue": b"rugby"}


def _queue(cloud: RunningCloud, name: str) -> tuple[str, str]:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def test_each_subscriber_is_told_what_its_policy_lets_through(cloud: RunningCloud) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name="filtered")["TopicArn"]
    policies: dict[str, tuple[dict[str, Any], str]] = {
        "text": ({"sport": [{"equals-ignore-case": "Tennis"}]}, "MessageAttributes"),
        "number": ({"price": [{"numeric": [">=", 10, "<", 20]}]}, "MessageAttributes"),
        "list": ({"sport": ["rugby"]}, "MessageAttributes"),
        "absent": ({"sport": [{"exists": False}]}, "MessageAttributes"),
        "body": ({"order": {"total": [{"numeric": [">", 1.5]}]}}, "MessageBody"),
    }
    urls: dict[str, str] = {}
    for name, (policy, scope) in policies.items():
        urls[name], arn = _queue(cloud, f"filtered-{name}")
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={
                "RawMessageDelivery": "true",
                "FilterPolicy": json.dumps(policy),
                "FilterPolicyScope": scope,
            },
        )
    for message, attributes in (
        ("a text", {"sport": _TEXT}),
        ("a number", {"price": _NUMBER, "sport": _BYTES}),
        ("a list", {"sport": _LIST}),
        ('{"order": [{"total": 1}, {"total": 2}]}', {"sport": _BYTES}),
    ):
        sns.publish(TopicArn=topic, Message=message, MessageAttributes=attributes)
    told = {
        name: sorted(
            it["Body"] for it in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        )
        for name, url in urls.items()
    }
    order = '{"order": [{"total": 1}, {"total": 2}]}'
    assert told == {
        "text": ["a text"],
        "number": ["a number"],
        "list": ["a list"],
        "absent": ["a number", order],
        "body": [order],
    }
    sns.delete_topic(TopicArn=topic)


def test_a_policy_that_is_none_makes_no_subscription_and_changes_none(cloud: RunningCloud) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="refusing")["TopicArn"]
    _, arn = _queue(cloud, "refusing")
    bad = [
        {"FilterPolicy": '{"a": "text"}'},
        {"FilterPolicy": "no JSON"},
        {"FilterPolicy": '{"a": {"b": ["c"]}}'},
        {"FilterPolicy": '{"a": ["b"]}', "FilterPolicyScope": "Subject"},
        {"Colour": "red"},
    ]
    for attributes in bad:
        with pytest.raises(ClientError) as refused:
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        assert refused.value.response.get("Error", {}).get("Code") == "InvalidParameter"
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    subscription = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": '{"a": {"b": ["c"]}}', "FilterPolicyScope": "MessageBody"},
    )["SubscriptionArn"]
    for name, value in (("FilterPolicyScope", "MessageAttributes"), ("FilterPolicy", "[]")):
        with pytest.raises(ClientError):
            sns.set_subscription_attributes(
                SubscriptionArn=subscription, AttributeName=name, AttributeValue=value
            )
    kept = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert (kept["FilterPolicy"], kept["FilterPolicyScope"]) == ('{"a": {"b": ["c"]}}', "MessageBody")
    sns.delete_topic(TopicArn=topic)
