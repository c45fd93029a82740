"""Messages sent, in queues without an order and with one."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.queues.call import Call, Result
from pavedroad.localcloud.queues.contents import (
    Attributes,
    check_attributes,
    check_body,
    md5_of,
    md5_of_attributes,
    size_of,
)
from pavedroad.localcloud.queues.model import Message, Queue, Sent
from pavedroad.localcloud.queues.ready import Ready
from pavedroad.localcloud.queues.refusals import bad_value, invalid, missing
from pavedroad.localcloud.queues.settings import seconds, setting

NOT_OF_THIS_TYPE = "The request include parameter that is not valid for this queue type."

_DEDUPLICATED_MS = 5 * 60 * 1000
_FIRST_SEQUENCE = 18_849_496_460_467_696_128
_ID = re.compile(r"[!-~]{1,128}")


def send_message(call: Call) -> Result:
    return send(call, call.queue(), call.parameters)


def put(queue: Queue, ready: Ready, now: int, parameters: Mapping[str, Any]) -> Message | Sent:
    """A message that has been checked; the one that was sent before, where it is the same again."""
    body, group = str(parameters["MessageBody"]), parameters.get("MessageGroupId")
    deduplication_id = parameters.get("MessageDeduplicationId")
    key = ""
    if queue.is_fifo:
        deduplication_id = deduplication_id or hashlib.sha256(body.encode()).hexdigest()
        scope = setting(queue, "DeduplicationScope")
        key = f"{deduplication_id} {group}" if scope == "messageGroup" else deduplication_id
        _forget_old(queue, now)
        if before := queue.deduplicated.get(key):
            return before
    queue.numbered += 1
    delay = parameters.get("DelaySeconds")
    delay = seconds(queue, "DelaySeconds") if delay is None or queue.is_fifo else int(delay)
    message = Message(
        id=str(uuid.uuid4()),
        number=queue.numbered,
        body=body,
        sent_at=now,
        attributes=dict(parameters.get("MessageAttributes") or {}),
        system_attributes=dict(parameters.get("MessageSystemAttributes") or {}),
        group=group,
        deduplication_id=deduplication_id,
        sequence_number=str(_FIRST_SEQUENCE + queue.numbered) if queue.is_fifo else None,
        visible_at=now + delay * 1000 if delay else 0,
    )
    if key:
        queue.deduplicated[key] = Sent(now, message.id, message.sequence_number or "")
    ready.add(message)
    return message


def check(queue: Queue, parameters: Mapping[str, Any]) -> None:
    """Refuses what cannot be sent there."""
    body = str(parameters.get("MessageBody") or "")
    attributes: Attributes = parameters.get("MessageAttributes") or {}
    system: Attributes = parameters.get("MessageSystemAttributes") or {}
    check_body(body)
    check_attributes(attributes)
    check_attributes(system)
    for name, attribute in system.items():
        if name != "AWSTraceHeader" or attribute.get("DataType") != "String":
            raise invalid(f"Message system attribute name '{name}' is invalid.")
    most = seconds(queue, "MaximumMessageSize")
    if size_of(body, attributes) > most:
        raise invalid(
            f"One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
        )
    _check_order(queue, parameters)
    delay = parameters.get("DelaySeconds")
    if delay is not None and not 0 <= delay <= 900:
        raise bad_value(delay, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")


def _check_order(queue: Queue, parameters: Mapping[str, Any]) -> None:
    given = {name: parameters.get(name) for name in ("MessageGroupId", "MessageDeduplicationId")}
    for name, value in given.items():
        if value is not None and not _ID.fullmatch(value):
            raise bad_value(
                value,
                name,
                f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length.",
            )
    if not queue.is_fifo:
        if value := given["MessageDeduplicationId"]:
            raise bad_value(value, "MessageDeduplicationId", NOT_OF_THIS_TYPE)
        return
    if not given["MessageGroupId"]:
        raise missing("MessageGroupId")
    if not given["MessageDeduplicationId"] and setting(queue, "ContentBasedDeduplication") != "true":
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
            "provided explicitly"
        )
    if delay := parameters.get("DelaySeconds"):
        raise bad_value(delay, "DelaySeconds", NOT_OF_THIS_TYPE)


def send(call: Call, queue: Queue, parameters: Mapping[str, Any]) -> Result:
    check(queue, parameters)
    sent = put(queue, call.ready(queue), call.now, parameters)
    attributes = parameters.get("MessageAttributes")
    system = parameters.get("MessageSystemAttributes")
    return {
        "MessageId": sent.id if isinstance(sent, Message) else sent.message_id,
        "MD5OfMessageBody": md5_of(parameters["MessageBody"]),
        "MD5OfMessageAttributes": md5_of_attributes(attributes) if attributes else None,
        "MD5OfMessageSystemAttributes": md5_of_attributes(system) if system else None,
        "SequenceNumber": sent.sequence_number,
    }


def _forget_old(queue: Queue, now: int) -> None:
    while queue.deduplicated:
        key = next(iter(queue.deduplicated))
        if now - queue.deduplicated[key].at < _DEDUPLICATED_MS:
            return
        del queue.deduplicated[key]
