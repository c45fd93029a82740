"""SQS long polls: whoever waits for a message gets it when it comes, and keeps nobody else waiting."""

from __future__ import annotations

import json

import pytest

from pavedroad.localcloud.api.later import Later
from tests.localcloud.moto_adapter.bench import Bench
from tests.localcloud.queues.asking import LONG, Poll, Queue


@pytest.fixture
def queue(bench: Bench) -> Queue:
    return Queue(bench)


def test_a_message_ends_the_wait(queue: Queue) -> None:
    poll = queue.poll()
    assert poll.later.seconds > LONG / 2
    assert json.loads(poll.later.body) == {}
    assert not poll.called
    queue.send()
    assert poll.called
    assert poll.bodies() == ["hello"]


def test_one_message_is_for_one_of_those_who_wait(queue: Queue) -> None:
    first, second = queue.poll(), queue.poll()
    queue.send("1")
    assert (first.called, second.called) == (True, False)
    queue.send("2")
    assert second.called
    assert first.bodies() + second.bodies() == ["1", "2"]


def test_whoever_takes_some_of_what_came_by_itself_calls_the_next(bench: Bench, queue: Queue) -> None:
    queue.send("1", DelaySeconds=7)
    queue.send("2", DelaySeconds=7)
    first, second = queue.poll(), queue.poll()
    bench.clock.advance(8)
    assert first.bodies() == ["1"]
    assert second.called
    assert second.bodies() == ["2"]


def test_whoever_is_called_and_has_gone_calls_the_next(queue: Queue) -> None:
    gone, stays = queue.poll(), queue.poll()
    queue.send()
    gone.later.place.leave()
    assert stays.called
    assert stays.bodies() == ["hello"]


def test_whoever_has_gone_before_is_not_called(queue: Queue) -> None:
    gone, stays = queue.poll(), queue.poll()
    gone.later.place.leave()
    queue.send()
    assert (gone.called, stays.called) == (False, True)


def test_a_message_that_came_before_anybody_listened_is_heard_of(queue: Queue) -> None:
    answer = queue.call("ReceiveMessage", WaitTimeSeconds=LONG)
    assert isinstance(answer, Later)
    queue.send()
    assert Poll(answer).called


def test_nobody_waits_who_would_not(queue: Queue) -> None:
    assert not isinstance(queue.call("ReceiveMessage"), Later)
    assert not isinstance(queue.call("ReceiveMessage", WaitTimeSeconds=0), Later)


def test_queues_say_how_long_a_receive_waits(bench: Bench) -> None:
    queue = Queue(bench, ReceiveMessageWaitTimeSeconds="5")
    assert 0 < queue.poll(None).later.seconds <= 5
    assert not isinstance(queue.call("ReceiveMessage", WaitTimeSeconds=0), Later)


def test_a_wait_ends_with_nothing(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    poll = queue.poll(1)
    monkeypatch.setattr("pavedroad.localcloud.queues.service.time.monotonic", lambda: float("inf"))
    answer = poll.again()
    assert not isinstance(answer, Later)
    assert (answer.status, json.loads(answer.body)) == (200, {})


def test_the_old_protocol_waits_as_well(bench: Bench, queue: Queue) -> None:
    asked = f"Action=ReceiveMessage&QueueUrl={queue.url}&WaitTimeSeconds={LONG}&Version=2012-11-05"
    answer = bench.send("sqs", asked.encode())
    assert isinstance(answer, Later)
    poll = Poll(answer)
    queue.send()
    assert poll.called
    assert b"<Body>hello</Body>" in poll.again().body


def test_a_message_that_is_given_back_ends_the_wait(queue: Queue) -> None:
    queue.send()
    handle = queue.take()
    poll = queue.poll()
    queue.said("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=0)
    assert poll.called
    assert poll.bodies() == ["hello"]


def test_messages_that_come_by_themselves_are_asked_for_in_time(queue: Queue) -> None:
    queue.send(DelaySeconds=7)
    assert 0 < queue.poll().later.seconds <= 7.01
    queue.send()
    queue.said("ReceiveMessage", VisibilityTimeout=3)
    assert 0 < queue.poll().later.seconds <= 3.01


def test_a_group_is_free_again_when_its_message_is_deleted(bench: Bench) -> None:
    queue = Queue(bench, ".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    queue.send("1", MessageGroupId="a")
    queue.send("2", MessageGroupId="a")
    handle = queue.said("ReceiveMessage", MaxNumberOfMessages=1)["Messages"][0]["ReceiptHandle"]
    poll = queue.poll()
    queue.said("DeleteMessage", ReceiptHandle=handle)
    assert poll.called
    assert poll.bodies() == ["2"]


def test_messages_that_fail_too_often_end_the_wait_for_them(bench: Bench) -> None:
    dead = Queue(bench)
    redrive = json.dumps({"deadLetterTargetArn": dead.arn(), "maxReceiveCount": 1})
    queue = Queue(bench, RedrivePolicy=redrive)
    queue.send()
    queue.said("ReceiveMessage", VisibilityTimeout=0)
    poll = dead.poll()
    queue.said("ReceiveMessage")
    assert poll.called
    assert poll.bodies() == ["hello"]


def test_a_topics_message_ends_the_wait(bench: Bench, queue: Queue) -> None:
    topic = bench.ask("CreateTopic", service="sns", Name=queue.name).first("TopicArn")
    bench.ask("Subscribe", service="sns", TopicArn=topic, Protocol="sqs", Endpoint=queue.arn())
    poll = queue.poll()
    bench.ask("Publish", service="sns", TopicArn=topic, Message="told")
    assert poll.called
    (body,) = poll.bodies()
    assert json.loads(body)["Message"] == "told"


def test_a_deleted_queue_ends_every_wait(queue: Queue) -> None:
    polls = [queue.poll(), queue.poll()]
    queue.said("DeleteQueue")
    for poll in polls:
        assert poll.called
        assert b"QueueDoesNotExist" in poll.again().body
