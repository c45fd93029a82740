"""Messages received, hidden for longer or shorter, and deleted."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.queues.call import Call, Result
from pavedroad.localcloud.queues.contents import md5_of, md5_of_attributes
from pavedroad.localcloud.queues.model import Message, Queue
from pavedroad.localcloud.queues.ready import FifoReady, Ready
from pavedroad.localcloud.queues.refusals import (
    bad_handle,
    bad_value,
    missing,
    not_in_flight,
    unknown_attribute,
)
from pavedroad.localcloud.queues.sending import NOT_OF_THIS_TYPE
from pavedroad.localcloud.queues.settings import redrive, seconds

_LONGEST_HIDDEN_MS = 12 * 3600 * 1000
_MOST_IN_FLIGHT = {False: 120_000, True: 20_000}
_SENDER = "AIDAIT2UOQQY3AUEKVGXU"
_SYSTEM_NAMES = frozenset(
    {
        *("All", "AWSTraceHeader", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount"),
        *("DeadLetterQueueSourceArn", "MessageDeduplicationId", "MessageGroupId", "SenderId"),
        *("SentTimestamp", "SequenceNumber"),
    }
)


def check_names(asked: Iterable[str]) -> None:
    """Refuses names of attributes that no message has."""
    for name in asked:
        if name not in _SYSTEM_NAMES:
            raise unknown_attribute(name)


def receive_message(call: Call) -> Result:
    queue = call.queue()
    most = _within(call.get("MaxNumberOfMessages", 1), "MaxNumberOfMessages", range(1, 11))
    _within(call.get("WaitTimeSeconds", 0), "WaitTimeSeconds", range(21))
    asked = call.get("VisibilityTimeout", seconds(queue, "VisibilityTimeout"))
    hidden = _within(asked, "VisibilityTimeout", range(43_201))
    ready = call.ready(queue)
    attempt = call.get("ReceiveRequestAttemptId")
    if attempt is not None and not isinstance(ready, FifoReady):
        raise bad_value(attempt, "ReceiveRequestAttemptId", NOT_OF_THIS_TYPE)
    received = list(_again(ready, attempt, call.now)) if isinstance(ready, FifoReady) and attempt else []
    if not received:
        if ready.counts(call.now).in_flight >= _MOST_IN_FLIGHT[queue.is_fifo]:
            raise ServiceError("OverLimit", f"Too many messages in flight for queue {queue.name}.", 403)
        received = list(_taken(call, queue, ready, most))
    for message in received:
        message.received += 1
        message.first_received_at = message.first_received_at or call.now
        message.handle = _handle(queue, message)
        ready.hide(message, call.now + hidden * 1000)
    if attempt and received and isinstance(ready, FifoReady):
        ready.attempts[attempt] = (call.now, tuple(message.handle for message in received))
    return {"Messages": [_told(call, message) for message in received]} if received else {}


def _taken(call: Call, queue: Queue, ready: Ready, most: int) -> Iterator[Message]:
    """Those to be received. What has been too often goes to the dead letters, if there are such."""
    policy = redrive(queue)
    dead = call.region.by_arn(policy[0]) if policy else None
    found: list[Message] = []
    for message in ready.visible(call.now):
        if policy and dead and message.received >= policy[1]:
            move(message, ready, call.ready(dead), queue.arn)
            continue
        found.append(message)
        if len(found) == most:
            break
    yield from found


def move(message: Message, source: Ready, target: Ready, dead_letter_of: str | None) -> None:
    """As it is, to the end of another queue."""
    source.remove(message)
    target.queue.numbered += 1
    message.number = target.queue.numbered
    message.visible_at = message.received = 0
    message.first_received_at, message.handle = None, ""
    message.dead_letter_of = dead_letter_of
    target.add(message)


def _again(ready: FifoReady, attempt: str, now: int) -> Iterator[Message]:
    """What an attempt was given whose answer may have been lost: all of it, if nothing became of it yet."""
    handles = ready.attempted(attempt, now)
    messages = [it for it in ready.queue.messages.values() if it.handle in handles]
    if len(messages) == len(handles) and all(it.visible_at > now for it in messages):
        yield from messages


def delete_message(call: Call) -> Result:
    queue, handle = call.queue(), call.get("ReceiptHandle", "")
    message = _by_handle(queue, handle)
    if message is None:
        return {}
    if queue.is_fifo and (message.handle != handle or message.visible_at <= call.now):
        raise bad_value(handle, "ReceiptHandle", "The receipt handle has expired.")
    call.ready(queue).remove(message)
    return {}


def change_message_visibility(call: Call) -> Result:
    queue, handle = call.queue(), call.get("ReceiptHandle", "")
    hidden = call.get("VisibilityTimeout")
    if hidden is None:
        raise missing("VisibilityTimeout")
    if not 0 <= hidden <= _LONGEST_HIDDEN_MS // 1000:
        raise bad_value(hidden, "VisibilityTimeout", "Must be between 0 and 43200.")
    message = _by_handle(queue, handle)
    if message is None or (queue.is_fifo and message.handle != handle):
        raise bad_value(
            handle,
            "ReceiptHandle",
            "Message does not exist or is not available for visibility timeout change.",
        )
    if not message.received or message.visible_at <= call.now:
        raise not_in_flight(handle)
    until = call.now + hidden * 1000
    if until - (message.first_received_at or call.now) > _LONGEST_HIDDEN_MS:
        raise bad_value(
            hidden,
            "VisibilityTimeout",
            "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
        )
    ready = call.ready(queue)
    ready.hide(message, until)
    ready.line.call()
    return {}


def _told(call: Call, message: Message) -> Result:
    """As it is received, with what was asked for of its attributes."""
    asked = {*call.get("AttributeNames", ()), *call.get("MessageSystemAttributeNames", ())}
    attributes = {
        name: it
        for name, it in message.attributes.items()
        if _is_asked(name, call.get("MessageAttributeNames", ()))
    }
    system = {
        name: str(value)
        for name, value in _system(message).items()
        if value is not None and (name in asked or "All" in asked)
    }
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.handle,
        "MD5OfBody": md5_of(message.body),
        "Body": message.body,
        "Attributes": system or None,
        "MD5OfMessageAttributes": md5_of_attributes(attributes) if attributes else None,
        "MessageAttributes": attributes or None,
    }


def _system(message: Message) -> dict[str, Any]:
    return {
        "SenderId": _SENDER,
        "SentTimestamp": message.sent_at,
        "ApproximateReceiveCount": message.received,
        "ApproximateFirstReceiveTimestamp": message.first_received_at,
        "SequenceNumber": message.sequence_number,
        "MessageDeduplicationId": message.deduplication_id,
        "MessageGroupId": message.group,
        "DeadLetterQueueSourceArn": message.dead_letter_of,
        "AWSTraceHeader": message.system_attributes.get("AWSTraceHeader", {}).get("StringValue"),
    }


def _is_asked(name: str, asked: Sequence[str]) -> bool:
    """By its name, by how it begins (`bar.*`), or with all."""
    return any(it in (name, "All") or (it.endswith(".*") and name.startswith(it[:-2])) for it in asked)


def _within(value: int, name: str, allowed: range) -> int:
    if value not in allowed:
        raise bad_value(value, name, f"Must be between {allowed[0]} and {allowed[-1]}, if provided.")
    return value


def _handle(queue: Queue, message: Message) -> str:
    """Another one each time; it says whose it is, so that nothing need be remembered of what was deleted."""
    said = f"{queue.arn} {message.id} {secrets.token_hex(16)}"
    return base64.urlsafe_b64encode(said.encode()).decode()


def _by_handle(queue: Queue, handle: str) -> Message | None:
    """None for a message that is there no more; refuses what was never a handle of this queue."""
    try:
        arn, message_id, _ = base64.urlsafe_b64decode(handle.encode()).decode().split(" ")
    except (binascii.Error, ValueError):
        raise bad_handle(handle) from None
    if arn != queue.arn:
        raise bad_handle(handle)
    return queue.messages.get(message_id)
