"""Messages as they are sent, received, hidden and deleted; what SQS refuses of them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.queues.asking import Queue

_WITHOUT_VALUE = {"DataType": "Binary", "StringValue": "text"}


def refused(queue: Queue, operation: str, **parameters: object) -> tuple[str, str]:
    answer = queue.call(operation, **parameters)
    assert answer.status == 400, answer.body
    said = json.loads(answer.body)
    return said["__type"].rpartition("#")[2], said["message"]


def received(queue: Queue, **parameters: object) -> list[dict[str, Any]]:
    return queue.said("ReceiveMessage", **{"MaxNumberOfMessages": 10, **parameters}).get("Messages", [])


@pytest.fixture
def queue(bench: Bench) -> Queue:
    return Queue(bench)


def test_a_message_comes_as_it_was_sent(queue: Queue) -> None:
    attributes = {
        "text": {"DataType": "String", "StringValue": "ü"},
        "bytes": {"DataType": "Binary.png", "BinaryValue": base64.b64encode(b"\0\1").decode()},
    }
    sent = queue.said(
        "SendMessage",
        MessageBody="hello",
        MessageAttributes=attributes,
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}},
    )
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"hello", usedforsecurity=False).hexdigest()
    [message] = received(queue, MessageAttributeNames=["All"], AttributeNames=["All"])
    assert (message["Body"], message["MessageId"]) == ("hello", sent["MessageId"])
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    system = message["Attributes"]
    assert system["ApproximateReceiveCount"] == "1"
    assert system["AWSTraceHeader"] == "Root=1"
    assert system["SentTimestamp"] <= system["ApproximateFirstReceiveTimestamp"]


def test_only_what_is_asked_for_is_told(queue: Queue) -> None:
    attributes = {name: {"DataType": "String", "StringValue": "x"} for name in ("a.b", "a.c", "d")}
    queue.send(MessageAttributes=attributes)
    for asked, told in ((["a.*"], {"a.b", "a.c"}), (["d"], {"d"}), ([], set[str]())):
        [message] = received(queue, MessageAttributeNames=asked, VisibilityTimeout=0)
        assert set(message.get("MessageAttributes", {})) == told
        assert "Attributes" not in message
    [message] = received(queue, MessageSystemAttributeNames=["ApproximateReceiveCount"])
    assert message["Attributes"] == {"ApproximateReceiveCount": "4"}


def test_what_is_in_flight_is_hidden_until_its_time(bench: Bench, queue: Queue) -> None:
    queue.send()
    [first] = received(queue, VisibilityTimeout=5)
    assert received(queue) == []
    bench.clock.advance(5)
    [second] = received(queue, VisibilityTimeout=5)
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    queue.said("ChangeMessageVisibility", ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=60)
    bench.clock.advance(30)
    assert received(queue) == []
    queue.said("DeleteMessage", ReceiptHandle=first["ReceiptHandle"])
    bench.clock.advance(60)
    assert received(queue) == []
    queue.said("DeleteMessage", ReceiptHandle=second["ReceiptHandle"])


def test_counts_tell_visible_delayed_and_in_flight_apart(bench: Bench, queue: Queue) -> None:
    for delay in (0, 0, 0, 9):
        queue.send(DelaySeconds=delay)
    received(queue, MaxNumberOfMessages=2)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    names.append("ApproximateNumberOfMessagesNotVisible")
    told = queue.said("GetQueueAttributes", AttributeNames=names)["Attributes"]
    assert [told[name] for name in names] == ["1", "1", "2"]
    bench.clock.advance(31)
    told = queue.said("GetQueueAttributes", AttributeNames=names)["Attributes"]
    assert [told[name] for name in names] == ["4", "0", "0"]


def test_messages_are_gone_once_the_queue_keeps_them_no_longer(bench: Bench) -> None:
    queue = Queue(bench, MessageRetentionPeriod="60")
    queue.send("old")
    bench.clock.advance(59)
    queue.send("new")
    bench.clock.advance(1)
    assert [it["Body"] for it in received(queue)] == ["new"]


@pytest.mark.parametrize(
    ("parameters", "code", "said"),
    [
        ({"MessageBody": ""}, "MissingParameter", "MessageBody"),
        ({"MessageBody": "a\0b"}, "InvalidMessageContents", "Invalid characters"),
        ({"MessageBody": "x" * (2**20 + 1)}, "InvalidParameterValue", "must be shorter than 1048576 bytes"),
        ({"DelaySeconds": 901}, "InvalidParameterValue", "DelaySeconds must be >= 0 and <= 900"),
        ({"MessageDeduplicationId": "a"}, "InvalidParameterValue", "not valid for this queue type"),
        ({"MessageGroupId": "a b"}, "InvalidParameterValue", "1 to 128 in length"),
        ({"MessageAttributes": {"AWS.x": {}}}, "InvalidParameterValue", "cannot start with it"),
        ({"MessageAttributes": {"a..b": {}}}, "InvalidParameterValue", "name 'a..b' is invalid"),
        ({"MessageAttributes": {"a": {"DataType": "Float"}}}, "InvalidParameterValue", "type prefixes is"),
        ({"MessageAttributes": {"a": {"DataType": "String"}}}, "InvalidParameterValue", "attribute value"),
        ({"MessageAttributes": {"a": {"DataType": "String.\ud800"}}}, "SerializationException", "not JSON"),
        (
            {"MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String"}}},
            "InvalidParameterValue",
            "",
        ),
        (
            {"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "x"}}},
            "InvalidParameterValue",
            "to a number",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused(
    queue: Queue, parameters: dict[str, Any], code: str, said: str
) -> None:
    found = refused(queue, "SendMessage", **{"MessageBody": "x", **parameters})
    assert found[0] == code
    assert said in found[1]
    assert received(queue) == []


def test_attributes_count_towards_the_size(bench: Bench) -> None:
    queue = Queue(bench, MaximumMessageSize="1024")
    attribute = {"a": {"DataType": "String", "StringValue": "y" * 24}}
    queue.send("x" * 993, MessageAttributes=attribute)
    code, said = refused(queue, "SendMessage", MessageBody="x" * 994, MessageAttributes=attribute)
    assert (code, "1024 bytes" in said) == ("InvalidParameterValue", True)


@pytest.mark.parametrize("handle", ["nonsense", base64.urlsafe_b64encode(b"other id nonce").decode()])
def test_a_handle_that_is_none_is_refused(queue: Queue, handle: str) -> None:
    for operation, more in (("DeleteMessage", {}), ("ChangeMessageVisibility", {"VisibilityTimeout": 1})):
        assert refused(queue, operation, ReceiptHandle=handle, **more)[0] == "ReceiptHandleIsInvalid"


def test_what_is_not_in_flight_cannot_be_hidden_for_longer(bench: Bench, queue: Queue) -> None:
    queue.send()
    handle = queue.take()
    asked = {"ReceiptHandle": handle, "VisibilityTimeout": 43_200}
    bench.clock.advance(1)
    assert "beyond the limit" in refused(queue, "ChangeMessageVisibility", **asked)[1]
    bench.clock.advance(30)
    asked["VisibilityTimeout"] = 1
    assert refused(queue, "ChangeMessageVisibility", **asked)[0] == "MessageNotInflight"
    queue.said("DeleteMessage", ReceiptHandle=handle)
    assert "does not exist" in refused(queue, "ChangeMessageVisibility", **asked)[1]


def test_each_of_a_batch_stands_alone(queue: Queue) -> None:
    entries = [
        {"Id": "good", "MessageBody": "1"},
        {"Id": "late", "MessageBody": "2", "DelaySeconds": 901},
        {"Id": "also", "MessageBody": "3"},
        {"Id": "void", "MessageBody": "4", "MessageAttributes": {"a": _WITHOUT_VALUE}},
    ]
    answer = queue.said("SendMessageBatch", Entries=entries)
    assert [it["Id"] for it in answer["Successful"]] == ["good", "also"]
    assert [it["Id"] for it in answer["Failed"]] == ["late", "void"]
    assert {(it["Code"], it["SenderFault"]) for it in answer["Failed"]} == {("InvalidParameterValue", True)}
    handles = [it["ReceiptHandle"] for it in received(queue)]
    entries = [{"Id": "a", "ReceiptHandle": handles[0]}, {"Id": "b", "ReceiptHandle": "nonsense"}]
    answer = queue.said("DeleteMessageBatch", Entries=entries)
    assert [it["Id"] for it in answer["Successful"]] == ["a"]
    assert [it["Code"] for it in answer["Failed"]] == ["ReceiptHandleIsInvalid"]
    entries = [{"Id": "c", "ReceiptHandle": handles[1], "VisibilityTimeout": 0}]
    assert queue.said("ChangeMessageVisibilityBatch", Entries=entries)["Failed"] == []
    assert [it["Body"] for it in received(queue)] == ["3"]


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "EmptyBatchRequest"),
        ([{"Id": str(number), "MessageBody": "x"} for number in range(11)], "TooManyEntriesInBatchRequest"),
        ([{"Id": "a", "MessageBody": "x"}] * 2, "BatchEntryIdsNotDistinct"),
        ([{"Id": "a b", "MessageBody": "x"}], "InvalidBatchEntryId"),
        ([{"Id": str(number), "MessageBody": "x" * 2**19} for number in range(3)], "BatchRequestTooLong"),
    ],
)
def test_a_batch_that_is_none_is_refused_whole(queue: Queue, entries: list[Any], code: str) -> None:
    assert refused(queue, "SendMessageBatch", Entries=entries)[0] == code
    assert received(queue) == []


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
        ({"MaxNumberOfMessages": 0}, "InvalidParameterValue"),
        ({"WaitTimeSeconds": 21}, "InvalidParameterValue"),
        ({"VisibilityTimeout": 43_201}, "InvalidParameterValue"),
        ({"AttributeNames": ["Colour"]}, "InvalidAttributeName"),
        ({"ReceiveRequestAttemptId": "a"}, "InvalidParameterValue"),
    ],
)
def test_a_receive_that_is_none_is_refused(queue: Queue, parameters: dict[str, Any], code: str) -> None:
    assert refused(queue, "ReceiveMessage", **parameters)[0] == code
