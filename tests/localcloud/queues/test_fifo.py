"""FIFO queues: order within groups, and the same message once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.queues.asking import Queue
from tests.localcloud.queues.test_messages import received, refused

Make = Callable[..., Queue]


@pytest.fixture
def fifo(bench: Bench) -> Make:
    return lambda **attributes: Queue(bench, ".fifo", **{"FifoQueue": "true", **attributes})


def bodies(queue: Queue, **parameters: object) -> list[str]:
    return [it["Body"] for it in received(queue, **parameters)]


def test_a_group_is_received_in_order_and_by_one_at_a_time(fifo: Make, bench: Bench) -> None:
    queue = fifo(ContentBasedDeduplication="true")
    for body, group in (("1", "a"), ("2", "b"), ("3", "a"), ("4", "b"), ("5", "a")):
        queue.send(body, MessageGroupId=group)
    first = received(queue, MaxNumberOfMessages=2)
    assert [it["Body"] for it in first] == ["1", "3"]
    assert bodies(queue) == ["2", "4"], "the others of group a wait for what is in flight"
    queue.said("DeleteMessage", ReceiptHandle=first[0]["ReceiptHandle"])
    assert bodies(queue) == []
    queue.said("DeleteMessage", ReceiptHandle=first[1]["ReceiptHandle"])
    assert bodies(queue, MaxNumberOfMessages=1) == ["5"]
    bench.clock.advance(31)
    assert bodies(queue) == ["2", "4", "5"], "as they were, once they are visible again"


def test_an_expired_handle_deletes_nothing(fifo: Make, bench: Bench) -> None:
    queue = fifo(ContentBasedDeduplication="true")
    queue.send("1", MessageGroupId="a")
    handle = queue.take()
    bench.clock.advance(31)
    assert "expired" in refused(queue, "DeleteMessage", ReceiptHandle=handle)[1]
    assert bodies(queue) == ["1"]


def test_the_same_is_taken_once_in_five_minutes_even_after_it_was_deleted(fifo: Make, bench: Bench) -> None:
    queue = fifo()
    asked: dict[str, Any] = {"MessageGroupId": "a", "MessageDeduplicationId": "id"}
    first = queue.said("SendMessage", MessageBody="1", **asked)
    queue.said("DeleteMessage", ReceiptHandle=queue.take())
    bench.clock.advance(299)
    again = queue.said("SendMessage", MessageBody="other", **{**asked, "MessageGroupId": "b"})
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert bodies(queue) == []
    bench.clock.advance(1)
    later = queue.said("SendMessage", MessageBody="2", **asked)
    assert int(later["SequenceNumber"]) > int(first["SequenceNumber"])
    assert bodies(queue) == ["2"]


def test_the_scope_may_be_the_group(fifo: Make) -> None:
    queue = fifo(DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    for group in ("a", "b", "a"):
        queue.send(group, MessageGroupId=group, MessageDeduplicationId="id")
    assert sorted(bodies(queue)) == ["a", "b"]


def test_the_body_counts_where_the_queue_says_so(fifo: Make) -> None:
    queue = fifo(ContentBasedDeduplication="true")
    for body in ("1", "1", "2"):
        queue.send(body, MessageGroupId="a")
    queue.send("1", MessageGroupId="a", MessageDeduplicationId="another")
    assert bodies(queue) == ["1", "2", "1"]


def test_an_attempt_whose_answer_was_lost_is_given_the_same_again(fifo: Make, bench: Bench) -> None:
    queue = fifo(ContentBasedDeduplication="true")
    for body in ("1", "2"):
        queue.send(body, MessageGroupId="a")
    asked = {"ReceiveRequestAttemptId": "try", "MaxNumberOfMessages": 1}
    assert bodies(queue, **asked) == ["1"]
    [again] = received(queue, **asked)
    assert again["Body"] == "1"
    queue.said("DeleteMessage", ReceiptHandle=again["ReceiptHandle"])
    assert bodies(queue, **asked) == ["2"]


def test_what_has_no_order_is_refused(fifo: Make) -> None:
    queue = fifo()
    assert refused(queue, "SendMessage", MessageBody="x")[0] == "MissingParameter"
    said = refused(queue, "SendMessage", MessageBody="x", MessageGroupId="a")
    assert "ContentBasedDeduplication enabled" in said[1]
    asked = {"MessageGroupId": "a", "MessageDeduplicationId": "b", "DelaySeconds": 1}
    assert "not valid for this queue type" in refused(queue, "SendMessage", MessageBody="x", **asked)[1]


def test_a_delayed_queue_keeps_its_order(fifo: Make, bench: Bench) -> None:
    queue = fifo(ContentBasedDeduplication="true", DelaySeconds="5")
    queue.send("1", MessageGroupId="a")
    bench.clock.advance(3)
    queue.send("2", MessageGroupId="a")
    assert bodies(queue) == []
    bench.clock.advance(2)
    assert bodies(queue, VisibilityTimeout=0) == ["1"]
    bench.clock.advance(3)
    assert bodies(queue) == ["1", "2"]
