"""Queues and their attributes: byte for byte as they were put; dead letters; pages, tags, permissions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pavedroad.localcloud.queues.model import FORM
from pavedroad.localcloud.queues.service import Queueing
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.queues.asking import Queue
from tests.localcloud.queues.test_messages import received, refused


def told(queue: Queue, *names: str) -> dict[str, str]:
    return queue.said("GetQueueAttributes", AttributeNames=list(names)).get("Attributes", {})


def redrive(target: Queue, count: object = 2) -> str:
    return json.dumps({"maxReceiveCount": count, "deadLetterTargetArn": target.arn()}, indent=1)


def test_defaults_are_told(bench: Bench) -> None:
    queue = Queue(bench)
    found = told(queue, "All")
    assert found["QueueArn"] == f"arn:aws:sqs:us-east-1:123456789012:{queue.name}"
    assert (found["VisibilityTimeout"], found["MaximumMessageSize"]) == ("30", "1048576")
    assert found["SqsManagedSseEnabled"] == "true"
    assert found.keys().isdisjoint({"FifoQueue", "Policy", "RedrivePolicy", "KmsMasterKeyId"})
    assert told(queue) == {}


def test_texts_are_kept_byte_for_byte_and_taken_back_by_empty_ones(bench: Bench) -> None:
    dead, queue = Queue(bench), Queue(bench)
    texts = {
        "RedrivePolicy": redrive(dead, "3"),
        "Policy": '{ "Statement":[],"Version" : "2012-10-17" }',
        "RedriveAllowPolicy": '{"redrivePermission":"denyAll"}',
    }
    for name, text in texts.items():
        queue.said("SetQueueAttributes", Attributes={name: text})
        assert told(queue, name) == {name: text}
    assert texts.items() <= told(queue, "All").items()
    queue.said("SetQueueAttributes", Attributes=dict.fromkeys(texts, ""))
    assert told(queue, "All").keys().isdisjoint(texts)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"VisibilityTimeout": "43201"}, "InvalidAttributeValue"),
        ({"VisibilityTimeout": "٣"}, "InvalidAttributeValue"),
        ({"VisibilityTimeout": "0" * 19 + "43201"}, "InvalidAttributeValue"),
        ({"DelaySeconds": ""}, "InvalidAttributeValue"),
        ({"MaximumMessageSize": "1023"}, "InvalidAttributeValue"),
        ({"SqsManagedSseEnabled": "perhaps"}, "InvalidAttributeValue"),
        ({"Policy": "no JSON"}, "InvalidAttributeValue"),
        ({"Policy": '{"Statement": ["text"]}'}, "InvalidAttributeValue"),
        ({"Colour": "red"}, "InvalidAttributeName"),
        ({"ContentBasedDeduplication": "true"}, "InvalidAttributeName"),
        ({"RedriveAllowPolicy": '{"redrivePermission": "byQueue"}'}, "InvalidParameterValue"),
        ({}, "MissingParameter"),
    ],
)
def test_attributes_that_are_none_change_nothing(bench: Bench, attributes: dict[str, str], code: str) -> None:
    queue = Queue(bench)
    before = told(queue, "All")
    assert refused(queue, "SetQueueAttributes", Attributes={**attributes})[0] == code
    assert told(queue, "All") == before


@pytest.mark.parametrize(
    "policy",
    [
        "nonsense",
        "{}",
        '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:none", "maxReceiveCount": 1}',
        '{"deadLetterTargetArn": "nope", "maxReceiveCount": 1}',
        '{"deadLetterTargetArn": TARGET}',
        *(
            f'{{"deadLetterTargetArn": TARGET, "maxReceiveCount": {count}}}'
            for count in (0, 1001, '"x"', 1.5, f'"000000001{10**20}"')
        ),
        '{"deadLetterTargetArn": FIFO, "maxReceiveCount": 1}',
        '{"deadLetterTargetArn": CLOSED, "maxReceiveCount": 1}',
    ],
)
def test_dead_letters_go_only_where_they_can(bench: Bench, policy: str) -> None:
    for name, target in (
        ("TARGET", Queue(bench)),
        ("FIFO", Queue(bench, ".fifo", FifoQueue="true")),
        ("CLOSED", Queue(bench, RedriveAllowPolicy='{"redrivePermission": "denyAll"}')),
    ):
        policy = policy.replace(name, json.dumps(target.arn()))
    queue = Queue(bench)
    asked = {"Attributes": {"RedrivePolicy": policy}}
    assert refused(queue, "SetQueueAttributes", **asked)[0] == "InvalidParameterValue"
    made = {"QueueName": f"{queue.name}-2", **asked}
    assert refused(queue, "CreateQueue", **made)[0] == "InvalidParameterValue"
    assert refused(queue, "GetQueueUrl", QueueName=made["QueueName"])[0] == "QueueDoesNotExist"


@pytest.mark.parametrize("suffix", ["", ".fifo"])
def test_what_fails_too_often_is_moved_as_it_is(bench: Bench, suffix: str) -> None:
    more = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if suffix else {}
    dead = Queue(bench, suffix, **more)
    queue = Queue(bench, suffix, RedrivePolicy=redrive(dead), **more)
    attributes = {"k": {"DataType": "String", "StringValue": "v"}}
    queue.send("poison", MessageAttributes=attributes, **({"MessageGroupId": "g"} if suffix else {}))
    taken = [received(queue, VisibilityTimeout=0) for _ in range(4)]
    assert [len(found) for found in taken] == [1, 1, 0, 0]
    [message] = received(dead, MessageAttributeNames=["All"], AttributeNames=["All"])
    assert (message["MessageId"], message["Body"]) == (taken[0][0]["MessageId"], "poison")
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == queue.arn()
    assert dead.said("ListDeadLetterSourceQueues")["queueUrls"] == [queue.url]


def test_a_dead_letter_queue_that_is_gone_loses_nothing(bench: Bench) -> None:
    dead = Queue(bench)
    queue = Queue(bench, RedrivePolicy=redrive(dead, 1))
    queue.send()
    dead.said("DeleteQueue")
    assert [len(received(queue, VisibilityTimeout=0)) for _ in range(3)] == [1, 1, 1]


def test_dead_letters_are_sent_back_to_where_they_came_from(bench: Bench) -> None:
    dead = Queue(bench)
    queue = Queue(bench, RedrivePolicy=redrive(dead, 1))
    assert "Dead Letter Queue" in refused(queue, "StartMessageMoveTask", SourceArn=queue.arn())[1]
    queue.send("again")
    received(queue, VisibilityTimeout=0)
    received(queue)
    task = dead.said("StartMessageMoveTask", SourceArn=dead.arn())["TaskHandle"]
    [listed] = dead.said("ListMessageMoveTasks", SourceArn=dead.arn())["Results"]
    assert (listed["Status"], listed["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    assert [it["Body"] for it in received(queue)] == ["again"]
    answer = dead.call("CancelMessageMoveTask", TaskHandle=task)
    assert (answer.status, b"ResourceNotFoundException" in answer.body) == (404, True)


def test_a_queue_is_made_once_and_with_the_same_attributes_again(bench: Bench) -> None:
    queue = Queue(bench, VisibilityTimeout="10")
    name = {"QueueName": queue.name}
    assert queue.said("CreateQueue", **name)["QueueUrl"] == queue.url
    assert queue.said("CreateQueue", **name, Attributes={"VisibilityTimeout": "10"})["QueueUrl"] == queue.url
    code, said = refused(queue, "CreateQueue", **name, Attributes={"VisibilityTimeout": "11"})
    assert (code, "attribute VisibilityTimeout" in said) == ("QueueNameExists", True)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("a b", {}),
        ("", {}),
        ("x" * 81, {}),
        ("plain", {"FifoQueue": "true"}),
        ("order.fifo", {}),
        ("false.fifo", {"FifoQueue": "false"}),
    ],
)
def test_names_that_are_none_make_no_queue(bench: Bench, name: str, attributes: dict[str, str]) -> None:
    queue = Queue(bench)
    refused(queue, "CreateQueue", QueueName=name, Attributes=attributes)
    assert not any(url.endswith(f"/{name}") for url in queue.said("ListQueues")["QueueUrls"] if name)


@pytest.mark.parametrize("address", ["http://[::1", "/", "elsewhere", "//"])
def test_an_address_that_is_none_names_no_queue(bench: Bench, address: str) -> None:
    queue = Queue(bench)
    queue.url = address
    assert refused(queue, "GetQueueAttributes")[0] == "QueueDoesNotExist"


def test_queues_are_listed_by_pages(bench: Bench) -> None:
    made = [Queue(bench, f"-paged-{number}") for number in range(5)]
    prefix = "waited-for-"
    every = made[0].said("ListQueues", QueueNamePrefix=prefix)["QueueUrls"]
    found: list[str] = []
    more: dict[str, Any] = {}
    while True:
        answer = made[0].said("ListQueues", QueueNamePrefix=prefix, MaxResults=2, **more)
        assert len(answer["QueueUrls"]) <= 2
        found += answer["QueueUrls"]
        if "NextToken" not in answer:
            break
        more = {"NextToken": answer["NextToken"]}
    assert found == every
    assert {queue.url for queue in made} <= set(found)


def test_tags_and_permissions(bench: Bench) -> None:
    queue = Queue(bench)
    queue.said("TagQueue", Tags={"a": "1", "b": "2"})
    queue.said("UntagQueue", TagKeys=["a"])
    assert queue.said("ListQueueTags")["Tags"] == {"b": "2"}
    assert "Too many tags" in refused(queue, "TagQueue", Tags={f"t{n}": "" for n in range(50)})[1]
    asked = {"Label": "one", "AWSAccountIds": ["111122223333"], "Actions": ["SendMessage"]}
    queue.said("AddPermission", **asked)
    assert "Already exists" in refused(queue, "AddPermission", **asked)[1]
    [statement] = json.loads(told(queue, "Policy")["Policy"])["Statement"]
    assert (statement["Sid"], statement["Action"]) == ("one", "SQS:SendMessage")
    queue.said("RemovePermission", Label="one")
    assert told(queue, "Policy") == {}
    assert "can't find label" in refused(queue, "RemovePermission", Label="one")[1]


def test_purging_leaves_the_queue(bench: Bench) -> None:
    queue = Queue(bench)
    for _ in range(3):
        queue.send()
    queue.take()
    queue.said("PurgeQueue")
    assert received(queue) == []
    assert (
        told(queue, "ApproximateNumberOfMessagesNotVisible")["ApproximateNumberOfMessagesNotVisible"] == "0"
    )


def test_all_of_it_is_kept(bench: Bench) -> None:
    queue = Queue(bench, ".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    data = {"DataType": "Binary", "BinaryValue": "AAE="}
    queue.send("1", MessageGroupId="a", MessageAttributes={"bytes": data})
    queue.send("2", MessageGroupId="a")
    first = queue.take()
    restarted = Queueing(bench.state, bench.clock)
    restarted.load(FORM.decode(FORM.encode(bench.queues.dump()), FORM.version))
    bench.services["sqs"] = restarted
    try:
        assert received(queue) == []
        queue.said("DeleteMessage", ReceiptHandle=first)
        queue.send("1", MessageGroupId="a")  # it is still known to be the same
        assert [it["Body"] for it in received(queue)] == ["2"]
    finally:
        bench.services["sqs"] = bench.queues


def test_the_older_protocol_has_names_of_its_own(bench: Bench) -> None:
    queue = Queue(bench)
    sent = bench.ask(
        "SendMessage",
        {
            "QueueUrl": queue.url,
            "MessageBody": "a & b",
            "MessageAttribute.1.Name": "n",
            "MessageAttribute.1.Value.DataType": "Number",
            "MessageAttribute.1.Value.StringValue": "5",
            "Version": "2012-11-05",
        },
        service="sqs",
    )
    form = {"QueueUrl": queue.url, "MessageAttributeName.1": "All", "AttributeName.1": "All"}
    found = bench.ask("ReceiveMessage", {**form, "Version": "2012-11-05"}, service="sqs")
    assert found.first("MessageId") == sent.first("MessageId")
    assert b"<Body>a &amp; b</Body>" in found.body
    assert b"<MessageAttribute><Name>n</Name><Value><StringValue>5</StringValue>" in found.body
    assert b"<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>" in found.body
    refusal = bench.send("sqs", b"Action=GetQueueUrl&QueueName=none&Version=2012-11-05")
    assert refusal.status == 400
    assert b"<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in refusal.body
