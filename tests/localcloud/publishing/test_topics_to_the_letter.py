"""Topics refuse what AWS refuses, and what cannot be brought is not lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.running import RunningCloud


def _queue(cloud: RunningCloud, name: str, **attributes: str) -> tuple[str, str]:
    sqs = cloud.client("sqs")
    if name.endswith(".fifo"):
        attributes["FifoQueue"] = "true"
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _fifo(cloud: RunningCloud, name: str, **attributes: str) -> str:
    told = {"FifoTopic": "true", **attributes}
    return cloud.client("sns").create_topic(Name=name, Attributes=told)["TopicArn"]


@pytest.mark.parametrize(
    "more",
    [
        {"Message": ""},
        {"Message": "é" * 140_000},
        {"Message": "x", "Subject": "s" * 101},
        {"Message": '{"sqs": "only"}', "MessageStructure": "json"},
        {"Message": "no JSON", "MessageStructure": "json"},
        {"Message": "x", "MessageDeduplicationId": "1"},
    ],
)
def test_a_message_that_is_none_is_refused(cloud: RunningCloud, more: dict[str, Any]) -> None:
    sns = cloud.client("sns")
    with pytest.raises(ClientError) as refused:
        sns.publish(TopicArn=sns.create_topic(Name="strict")["TopicArn"], **more)
    assert refused.value.response["Error"]["Code"] == "InvalidParameter"


def test_each_of_a_batch_stands_alone_and_a_batch_has_some(cloud: RunningCloud) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="batches")["TopicArn"]
    entries = [{"Id": "good", "Message": "x"}, {"Id": "bad", "Message": "x", "Subject": "s" * 101}]
    said = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [it["Id"] for it in said["Successful"]] == ["good"]
    assert [(it["Id"], it["Code"]) for it in said["Failed"]] == [("bad", "InvalidParameter")]
    with pytest.raises(ClientError) as refused:
        sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[])
    assert refused.value.response["Error"]["Code"] == "EmptyBatchRequest"


def test_a_fifo_topic_numbers_its_messages_and_tells_queues_of_both_kinds(cloud: RunningCloud) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = _fifo(cloud, "ordered.fifo", ContentBasedDeduplication="true")
    urls: list[str] = []
    for name in ("told-in-order.fifo", "told"):
        url, arn = _queue(cloud, name)
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        urls.append(url)
    numbers = [
        sns.publish(TopicArn=topic, Message=text, MessageGroupId="g")["SequenceNumber"] for text in "ab"
    ]
    assert numbers == sorted(set(numbers))
    for url in urls:
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert sorted(it["Body"] for it in received) == ["a", "b"]
    with pytest.raises(ClientError) as refused:
        sns.publish(TopicArn=topic, Message="x")
    assert refused.value.response["Error"]["Code"] == "InvalidParameter"


def test_a_subscription_is_made_once_and_only_as_it_can_be(cloud: RunningCloud) -> None:
    sns = cloud.client("sns")
    topic, (_, arn) = sns.create_topic(Name="once")["TopicArn"], _queue(cloud, "once")
    raw = {"RawMessageDelivery": "true"}

    def subscribe(endpoint: str = arn, protocol: str = "sqs", **attributes: str) -> str:
        return sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)[
            "SubscriptionArn"
        ]

    made = subscribe(**raw)
    assert subscribe(**raw) == subscribe() == made
    for refuse in (
        lambda: subscribe(RawMessageDelivery="false"),
        lambda: subscribe(FilterPolicy='{"a": ["b"]}'),
        lambda: subscribe(_queue(cloud, "never.fifo")[1]),
        lambda: subscribe("x", "pigeon"),
        lambda: subscribe(_queue(cloud, "other")[1], RedrivePolicy="no JSON"),
    ):
        with pytest.raises(ClientError) as refused:
            refuse()
        assert refused.value.response["Error"]["Code"] == "InvalidParameter"
    assert sns.get_subscription_attributes(SubscriptionArn=made)["Attributes"]["RawMessageDelivery"] == "true"


def test_a_policy_that_is_emptied_is_gone(cloud: RunningCloud) -> None:
    sns = cloud.client("sns")
    topic, (_, arn) = sns.create_topic(Name="emptied")["TopicArn"], _queue(cloud, "emptied")
    made = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": '{"a": ["b"]}'}
    )["SubscriptionArn"]
    sns.set_subscription_attributes(SubscriptionArn=made, AttributeName="FilterPolicy", AttributeValue="")
    kept = sns.get_subscription_attributes(SubscriptionArn=made)["Attributes"]
    assert not {"FilterPolicy", "FilterPolicyScope"} & set(kept)


def test_what_a_queue_that_is_gone_was_to_get_is_among_the_dead_letters(cloud: RunningCloud) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name="lossless")["TopicArn"]
    (gone, arn), (dead, dead_arn) = _queue(cloud, "soon-gone"), _queue(cloud, "dead-of-sns")
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={
            "RawMessageDelivery": "true",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn}),
        },
    )
    sqs.delete_queue(QueueUrl=gone)
    sns.publish(TopicArn=topic, Message="kept")
    assert [it["Body"] for it in sqs.receive_message(QueueUrl=dead)["Messages"]] == ["kept"]
