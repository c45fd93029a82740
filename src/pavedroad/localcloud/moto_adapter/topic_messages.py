# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""What a message to a topic has to be before anybody is told, one by one and in batches."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from moto.core.responses import ActionResult
from moto.sns.exceptions import InvalidParameterValue, SNSException
from moto.sns.models import SNSBackend, Topic
from moto.sns.responses import SNSResponse

_LONGEST, _LONGEST_SUBJECT = 262_144, 100
_FIRST_NUMBER = 10**19

_moto_publish = SNSBackend.publish
_moto_answer = SNSResponse.publish
_moto_batch = SNSResponse.publish_batch


class EmptyBatch(SNSException):
    code = "EmptyBatchRequest"
    message = "The batch request doesn't contain any entries."


def install() -> None:
    SNSBackend.publish = _publish
    SNSResponse.publish = _numbered
    SNSResponse.publish_batch = _numbered_batch


def _publish(self: SNSBackend, message: str, arn: str | None, phone_number: str | None = None, **more) -> str:
    topic = self.topics.get(arn or "")
    if topic is None or phone_number:
        return _moto_publish(self, message, arn, phone_number, **more)
    _check(message, more.get("subject"), more.get("message_structure"))
    _check_order(topic, more.get("group_id"), more.get("deduplication_id"))
    if topic.fifo_topic and not more.get("deduplication_id"):
        more["deduplication_id"] = hashlib.sha256(message.encode()).hexdigest()
    return topic.publish(message, **more)


def _check(message: str, subject: str | None, structure: str | None) -> None:
    if not message:
        raise _invalid("Empty message")
    if len(message.encode()) > _LONGEST:
        raise _invalid("Message too long")
    if subject is not None and not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise _invalid("Subject")
    if structure not in (None, "json"):
        raise _invalid("MessageStructure")
    if structure == "json":
        try:
            told = json.loads(message)
        except (ValueError, RecursionError) as error:
            raise _invalid("Message Structure - JSON message body failed to parse") from error
        if not isinstance(told, dict) or not isinstance(told.get("default"), str):
            raise _invalid("Message Structure - No default entry in JSON message body")


def _check_order(topic: Topic, group: str | None, deduplication_id: str | None) -> None:
    if not topic.fifo_topic:
        if deduplication_id:
            raise _invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that "
                "is not valid for this topic type"
            )
        return
    if not group:
        raise _invalid("The MessageGroupId parameter is required for FIFO topics")
    if not deduplication_id and not topic.content_based_deduplication:
        raise _invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
            "provided explicitly"
        )


def _invalid(why: str) -> InvalidParameterValue:
    """Of the one class that moto tells of single messages of a batch."""
    return InvalidParameterValue(f"Invalid parameter: {why}")


def _numbered(self: SNSResponse) -> ActionResult:
    answer = _moto_answer(self)
    _number(self, self._get_param("TargetArn") or self._get_param("TopicArn"), answer.result)
    return answer


def _numbered_batch(self: SNSResponse) -> ActionResult:
    if not self._get_param("PublishBatchRequestEntries"):
        raise EmptyBatch
    answer = _moto_batch(self)
    said: Any = answer.result
    for entry in said["Successful"]:
        _number(self, self._get_param("TopicArn"), entry)
    return answer


def _number(call: SNSResponse, arn: str | None, said: Any) -> None:
    topic = call.backend.topics.get(arn or "")
    if topic is not None and topic.fifo_topic:
        topic.messages = getattr(topic, "messages", 0) + 1
        said["SequenceNumber"] = str(_FIRST_NUMBER + topic.messages)
