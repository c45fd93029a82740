"""A queue's attributes: what may be set, what they are unless they are set, and what is told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from pavedroad.localcloud.queues.contents import LARGEST
from pavedroad.localcloud.queues.model import Queue, Region
from pavedroad.localcloud.queues.refusals import bad_attribute, bad_value, invalid, unknown_attribute

_RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1024, LARGEST),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
_WORDS = {
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoQueue": ("true",),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    "SqsManagedSseEnabled": ("true", "false"),
}
_OF_FIFO = frozenset({"ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit"})
_DOCUMENTS = frozenset({"Policy", "RedriveAllowPolicy", "RedrivePolicy"})
_TAKEN_BACK = frozenset({*_DOCUMENTS, "KmsMasterKeyId"})
"""By an empty text."""
SETTABLE = frozenset({*_RANGES, *_WORDS, *_TAKEN_BACK})
_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": str(LARGEST),
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
_FIFO_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoQueue": "true",
    "FifoThroughputLimit": "perQueue",
}
_MOST_RECEIVES = 1000
_MOST_DIGITS = 20
_MOST_SOURCES = 10
_COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)
_TOLD = frozenset({*SETTABLE, *_COUNTED, "CreatedTimestamp", "LastModifiedTimestamp", "QueueArn"})


def setting(queue: Queue, name: str) -> str:
    """What it is set to, or its default; empty for none."""
    return (
        queue.settings.get(name)
        or _DEFAULTS.get(name)
        or (_FIFO_DEFAULTS.get(name, "") if queue.is_fifo else "")
    )


def seconds(queue: Queue, name: str) -> int:
    return int(setting(queue, name))


def check_values(given: Mapping[str, str]) -> None:
    """Refuses what no queue can be set to."""
    for name, value in given.items():
        if name not in SETTABLE:
            raise unknown_attribute(name)
        if not _fits(name, value):
            raise bad_attribute(name)


def check_names(asked: Iterable[str]) -> None:
    """Refuses names of attributes that no queue has."""
    for name in asked:
        if name != "All" and name not in _TOLD:
            raise unknown_attribute(name)


def check(region: Region, queue: Queue, given: Mapping[str, str]) -> None:
    """Refuses what this queue cannot be set to."""
    if not queue.is_fifo and (unknown := given.keys() & _OF_FIFO):
        raise unknown_attribute(min(unknown))
    if given.get("RedrivePolicy"):
        _check_redrive(region, queue, given["RedrivePolicy"])
    if given.get("RedriveAllowPolicy"):
        _check_allowed(given["RedriveAllowPolicy"])
    if given.get("Policy"):
        _check_policy(given["Policy"])
    wanted = {**queue.settings, **given}
    if (
        wanted.get("FifoThroughputLimit") == "perMessageGroupId"
        and wanted.get("DeduplicationScope") != "messageGroup"
    ):
        raise invalid("The FifoThroughputLimit perMessageGroupId needs the DeduplicationScope messageGroup.")


def change(queue: Queue, given: Mapping[str, str]) -> None:
    """What has been checked."""
    for name, value in given.items():
        if value == "":
            queue.settings.pop(name, None)
        else:
            queue.settings[name] = value.lower() if value.lower() in ("true", "false") else value


def told(queue: Queue, names: Iterable[str], counted: Mapping[str, int]) -> dict[str, str]:
    """The attributes that are asked for; those that are not set have none to tell."""
    asked = set(names)
    all_there_are = {
        **_DEFAULTS,
        **(_FIFO_DEFAULTS if queue.is_fifo else {}),
        **({"SqsManagedSseEnabled": "false"} if queue.settings.get("KmsMasterKeyId") else {}),
        **({"KmsDataKeyReusePeriodSeconds": "300"} if queue.settings.get("KmsMasterKeyId") else {}),
        **queue.settings,
        **{name: str(count) for name, count in counted.items()},
        "CreatedTimestamp": str(queue.created_at // 1000),
        "LastModifiedTimestamp": str(queue.changed_at // 1000),
        "QueueArn": queue.arn,
    }
    return {name: value for name, value in all_there_are.items() if name in asked or "All" in asked}


def redrive(queue: Queue) -> tuple[str, int] | None:
    """The ARN of its dead letter queue, and how often messages are received before they go there."""
    text = queue.settings.get("RedrivePolicy")
    if not text:
        return None
    found = json.loads(text)
    return str(found["deadLetterTargetArn"]), int(found["maxReceiveCount"])


def sources_of(region: Region, queue: Queue) -> list[Queue]:
    """The queues whose dead letters come here."""
    found = ((source, redrive(source)) for source in region.queues.values())
    return [source for source, policy in found if policy and policy[0] == queue.arn]


def _fits(name: str, value: str) -> bool:
    if name in _WORDS:
        return value.lower() in map(str.lower, _WORDS[name])
    if name in _RANGES:
        least, most = _RANGES[name]
        return _is_number(value, least, most)
    return True


def _is_number(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS and least <= int(text) <= most


def _document(name: str, text: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise bad_attribute(name) if name == "Policy" else bad_value(text, name, f"{name} is not valid JSON.")
    return cast("dict[str, Any]", found)


def _check_policy(text: str) -> None:
    said = _document("Policy", text).get("Statement", [])
    statements = cast("list[Any]", said) if isinstance(said, list) else [said]
    if not all(isinstance(it, dict) for it in statements):
        raise bad_attribute("Policy")


def _check_redrive(region: Region, queue: Queue, text: str) -> None:
    said = _document("RedrivePolicy", text)
    arn, count = said.get("deadLetterTargetArn"), said.get("maxReceiveCount")
    if not isinstance(arn, str):
        raise bad_value(
            text, "RedrivePolicy", "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
        )
    if count is None:
        raise bad_value(
            text, "RedrivePolicy", "Redrive policy does not contain mandatory attribute: maxReceiveCount."
        )
    if not _is_number(str(count), 1, _MOST_RECEIVES):
        raise bad_value(
            text,
            "RedrivePolicy",
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive.",
        )
    target = region.by_arn(arn)
    if arn.count(":") != 5 or not arn.startswith("arn:"):
        raise bad_value(text, "RedrivePolicy", "Invalid value for deadLetterTargetArn.")
    if target is None:
        raise bad_value(text, "RedrivePolicy", "Dead letter target does not exist.")
    if target.is_fifo != queue.is_fifo:
        raise bad_value(text, "RedrivePolicy", "Dead-letter queue must be same type of queue as the source.")
    if not _may_come(target, queue):
        raise bad_value(
            text,
            "RedrivePolicy",
            "The dead-letter queue's RedriveAllowPolicy does not permit the source queue.",
        )


def _may_come(target: Queue, source: Queue) -> bool:
    text = target.settings.get("RedriveAllowPolicy")
    allowed = json.loads(text) if text else {"redrivePermission": "allowAll"}
    if allowed["redrivePermission"] == "byQueue":
        return source.arn in allowed["sourceQueueArns"]
    return allowed["redrivePermission"] == "allowAll"


def _check_allowed(text: str) -> None:
    said = _document("RedriveAllowPolicy", text)
    permission, sources = said.get("redrivePermission"), said.get("sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        raise bad_value(
            text, "RedriveAllowPolicy", "redrivePermission must be one of allowAll, denyAll and byQueue."
        )
    named = cast("list[Any]", sources) if isinstance(sources, list) else []
    if (
        (permission == "byQueue") != (sources is not None)
        or not 0 <= len(named) <= _MOST_SOURCES
        or (permission == "byQueue" and not named)
    ):
        raise bad_value(
            text, "RedriveAllowPolicy", "sourceQueueArns holds 1 to 10 ARNs with byQueue, and is absent else."
        )
