# pyright: basic, reportAttributeAccessIssue=false
"""Queues of states that were saved while moto had them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from moto.sqs.models import Message as MotoMessage
from moto.sqs.models import Queue as MotoQueue

from pavedroad.localcloud.queues.model import Message, Queue, Region
from pavedroad.localcloud.queues.settings import setting

_NUMBERS = {
    "DelaySeconds": "delay_seconds",
    "MaximumMessageSize": "maximum_message_size",
    "MessageRetentionPeriod": "message_retention_period",
    "ReceiveMessageWaitTimeSeconds": "receive_message_wait_time_seconds",
    "VisibilityTimeout": "visibility_timeout",
}
_FIFO = {
    "ContentBasedDeduplication": "content_based_deduplication",
    "DeduplicationScope": "deduplication_scope",
    "FifoThroughputLimit": "fifo_throughput_limit",
}


def kept_queues(accounts: dict[str, dict[str, Any]]) -> tuple[Region, ...]:
    """moto's backends by account and region, as this cloud keeps them."""
    return tuple(
        Region(account, name, {it.name: it for it in map(_queue, backend.queues.values())})
        for account, regions in accounts.items()
        for name, backend in regions.items()
    )


def _queue(kept: MotoQueue) -> Queue:
    created, changed = int(kept.created_timestamp * 1000), int(kept.last_modified_timestamp * 1000)
    queue = Queue(kept.name, kept.queue_arn, created, changed, tags=dict(kept.tags))
    for name, value in _settings(kept):
        if value and setting(queue, name) != value:
            queue.settings[name] = value
    for number, message in enumerate(kept._messages, start=1):
        queue.messages[message.id] = _message(message, number)
    queue.numbered = len(kept._messages)
    return queue


def _settings(kept: MotoQueue) -> Iterator[tuple[str, str]]:
    fields = {**_NUMBERS, **(_FIFO if kept.fifo_queue else {})}
    for name, attribute in fields.items():
        value = getattr(kept, attribute)
        yield name, str(value).lower() if isinstance(value, bool) else str(value)
    if kept.kms_master_key_id:
        yield "KmsMasterKeyId", kept.kms_master_key_id
        yield "KmsDataKeyReusePeriodSeconds", str(kept.kms_data_key_reuse_period_seconds)
    if kept.redrive_policy:
        yield "RedrivePolicy", json.dumps(kept.redrive_policy)
    yield "Policy", kept.policy or ""


def _message(kept: MotoMessage, number: int) -> Message:
    return Message(
        id=kept.id,
        number=number,
        body=kept.body,
        sent_at=int(kept.sent_timestamp or 0),
        attributes=kept.message_attributes,
        system_attributes=kept.system_attributes,
        group=kept.group_id,
        deduplication_id=kept.deduplication_id,
        sequence_number=kept.sequence_number,
        visible_at=int(max(kept.visible_at, kept.delayed_until)),
        received=kept.approximate_receive_count,
        first_received_at=kept.approximate_first_receive_timestamp,
    )
