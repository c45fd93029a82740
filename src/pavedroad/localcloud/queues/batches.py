"""Messages sent, hidden and deleted by tens."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.queues.call import Call, Result
from pavedroad.localcloud.queues.contents import LARGEST, size_of
from pavedroad.localcloud.queues.receiving import change_message_visibility, delete_message
from pavedroad.localcloud.queues.refusals import batch
from pavedroad.localcloud.queues.sending import send

_MOST_AT_ONCE = 10
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_BATCH_REQUESTS = {
    "SendMessageBatch": "SendMessageBatchRequestEntry",
    "DeleteMessageBatch": "DeleteMessageBatchRequestEntry",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibilityBatchRequestEntry",
}


def send_message_batch(call: Call) -> Result:
    queue, entries = call.queue(), _entries(call, "SendMessageBatch")
    total = sum(
        size_of(str(it.get("MessageBody") or ""), it.get("MessageAttributes") or {}) for it in entries
    )
    if total > LARGEST:
        raise batch(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {LARGEST} bytes. You have sent {total} bytes.",
        )
    return _each(entries, lambda entry: send(call, queue, entry))


def delete_message_batch(call: Call) -> Result:
    return _each(_entries(call, "DeleteMessageBatch"), lambda entry: delete_message(_part(call, entry)))


def change_message_visibility_batch(call: Call) -> Result:
    entries = _entries(call, "ChangeMessageVisibilityBatch")
    return _each(entries, lambda entry: change_message_visibility(_part(call, entry)))


def _entries(call: Call, operation: str) -> Sequence[Mapping[str, Any]]:
    entries: Sequence[Mapping[str, Any]] = call.get("Entries", ())
    request = _BATCH_REQUESTS[operation]
    if not entries:
        raise batch("EmptyBatchRequest", f"There should be at least one {request} in the request.")
    if len(entries) > _MOST_AT_ONCE:
        raise batch(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are 10. You have sent {len(entries)}.",
        )
    seen: set[str] = set()
    for entry in entries:
        name = str(entry.get("Id") or "")
        if not _ENTRY_ID.fullmatch(name):
            raise batch(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long.",
            )
        if name in seen:
            raise batch("BatchEntryIdsNotDistinct", f"Id {name} repeated.")
        seen.add(name)
    return entries


def _part(call: Call, entry: Mapping[str, Any]) -> Call:
    return replace(call, parameters={**entry, "QueueUrl": call.get("QueueUrl")})


def _each(entries: Sequence[Mapping[str, Any]], act: Callable[[Mapping[str, Any]], Result]) -> Result:
    """Each stands alone: what is wrong with one is said of that one."""
    done: list[Result] = []
    failed: list[Result] = []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], **act(entry)})
        except ServiceError as error:
            failed.append(
                {"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message}
            )
    return {"Successful": done, "Failed": failed}
