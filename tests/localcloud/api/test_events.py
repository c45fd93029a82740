"""EventBridge's rules bring events to queues and topics, by boto3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pavedroad.localcloud.moto_adapter.stored.inputs import told
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

_REGION = "eu-north-1"


class Heard:
    """A queue, and what it has been told."""

    def __init__(self, cloud: RunningCloud, name: str) -> None:
        self._sqs = cloud.client("sqs", _REGION)
        self.url: str = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.arn: str = asked["Attributes"]["QueueArn"]

    def close(self) -> None:
        self._sqs.delete_queue(QueueUrl=self.url)

    def told(self) -> list[str]:
        received = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        messages = received.get("Messages", [])
        for it in messages:
            self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=it["ReceiptHandle"])
        return [it["Body"] for it in messages]


@pytest.fixture
def heard(cloud: RunningCloud) -> Iterator[Heard]:
    queue = Heard(cloud, "heard")
    yield queue
    queue.close()


def rule(cloud: RunningCloud, after: ExitStack, target: dict[str, Any], **settings: Any) -> None:
    events = cloud.client("events", _REGION)
    events.put_rule(Name="heard", **settings)
    after.callback(events.delete_rule, Name="heard")
    put = events.put_targets(Rule="heard", Targets=[{"Id": "one", **target}])
    assert put["FailedEntryCount"] == 0
    after.callback(events.remove_targets, Rule="heard", Ids=["one"])


def put(cloud: RunningCloud, *details: dict[str, Any], source: str = "shop") -> None:
    entries = [{"Source": source, "DetailType": "order", "Detail": json.dumps(it)} for it in details]
    answer = cloud.client("events", _REGION).put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 0


def test_events_that_match_reach_a_queue_whole(cloud: RunningCloud, heard: Heard) -> None:
    pattern = {"source": ["shop"], "detail": {"price": [{"numeric": [">", 10]}], "kind": [{"suffix": "k"}]}}
    with ExitStack() as after:
        rule(cloud, after, {"Arn": heard.arn}, EventPattern=json.dumps(pattern))
        put(cloud, {"price": 11, "kind": "book"}, {"price": 9, "kind": "book"}, {"price": 11, "kind": "cd"})
        put(cloud, {"price": 11, "kind": "book"}, source="other")
        [event] = map(json.loads, eventually(heard.told))
        assert event["detail"] == {"price": 11, "kind": "book"}
        assert (event["source"], event["detail-type"], event["region"]) == ("shop", "order", _REGION)
        assert event["time"].endswith("Z")
        assert heard.told() == []


def test_a_target_is_told_what_it_asks_for(cloud: RunningCloud, heard: Heard) -> None:
    transformer = {
        "InputPathsMap": {"kind": "$.detail.kind", "price": "$.detail.price"},
        "InputTemplate": '{"text": "a <kind> for <price>", "price": <price>, "kind": <kind>}',
    }
    with ExitStack() as after:
        target = {"Arn": heard.arn, "InputTransformer": transformer}
        rule(cloud, after, target, EventPattern='{"source": ["shop"]}')
        put(cloud, {"price": 11, "kind": 'bo"ok'})
        [body] = eventually(heard.told)
        assert json.loads(body) == {"text": 'a bo"ok for 11', "price": 11, "kind": 'bo"ok'}


def test_a_topic_passes_events_on(cloud: RunningCloud, heard: Heard) -> None:
    sns = cloud.client("sns", _REGION)
    with ExitStack() as after:
        topic = sns.create_topic(Name="heard")["TopicArn"]
        after.callback(sns.delete_topic, TopicArn=topic)
        sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=heard.arn, Attributes={"RawMessageDelivery": "true"}
        )
        rule(cloud, after, {"Arn": topic, "InputPath": "$.detail"}, EventPattern='{"source": ["shop"]}')
        put(cloud, {"price": 3})
        assert [json.loads(body) for body in eventually(heard.told)] == [{"price": 3}]


@pytest.mark.parametrize(
    "settings",
    [
        {"ScheduleExpression": "rate(5 minutes)"},
        {"EventPattern": '{"source": ["shop"]}', "State": "DISABLED"},
    ],
)
def test_rules_of_schedules_and_disabled_ones_pass_nothing_on(
    cloud: RunningCloud, heard: Heard, settings: dict[str, str]
) -> None:
    with ExitStack() as after:
        rule(cloud, after, {"Arn": heard.arn}, **settings)
        put(cloud, {"price": 3})
        assert heard.told() == []


def test_targets_that_cannot_be_reached_hinder_nobody(cloud: RunningCloud, heard: Heard) -> None:
    events = cloud.client("events", _REGION)
    with ExitStack() as after:
        rule(
            cloud,
            after,
            {"Arn": "arn:aws:lambda:eu-north-1:123456789012:function:f"},
            EventPattern='{"source": ["shop"]}',
        )
        events.put_targets(Rule="heard", Targets=[{"Id": "two", "Arn": heard.arn}])
        after.callback(events.remove_targets, Rule="heard", Ids=["two"])
        put(cloud, {"price": 3})
        assert eventually(heard.told)


def test_patterns_are_tried_and_refused_by_the_same_rules(cloud: RunningCloud) -> None:
    events = cloud.client("events", _REGION)
    event = json.dumps({"id": "1", "source": "shop", "detail": {"a": ["x", "y"]}})
    assert events.test_event_pattern(EventPattern='{"detail": {"a": ["y"]}}', Event=event)["Result"]
    assert not events.test_event_pattern(EventPattern='{"detail": {"a": ["z"]}}', Event=event)["Result"]
    for pattern in ('{"source": "shop"}', '{"detail": {"a": [{"nonsense": 1}]}}', "{"):
        with pytest.raises(ClientError, match="InvalidEventPatternException"):
            events.put_rule(Name="wrong", EventPattern=pattern)


_EVENT = {"time": "2026-01-01T00:00:00Z", "resources": ["r1"], "detail": {"a": {"b": [1]}, "s": "x"}}
_RULE = {"arn": "arn:rule", "name": "rule"}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"Input": '{"fixed": true}'}, '{"fixed": true}'),
        ({"InputPath": "$.detail.a"}, '{"b":[1]}'),
        ({"InputPath": "$.resources[0]"}, '"r1"'),
        ({"InputPath": "$.none.at.all"}, "null"),
        ({"InputTransformer": {"InputTemplate": '"by <aws.events.rule-name>"'}}, '"by rule"'),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"a": "$.detail.a"},
                    "InputTemplate": '{"a": <a>, "b": <none>}',
                }
            },
            '{"a": {"b":[1]}, "b": <none>}',
        ),
    ],
)
def test_what_a_target_is_told(target: dict[str, Any], said: str) -> None:
    assert told(target, _EVENT, _RULE) == said
