"""Queues and messages, as they are kept. Times are of the wall clock, in milliseconds, as SQS tells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pavedroad.localcloud.documents import Document


@dataclass(slots=True)
class Message:
    id: str
    number: int
    """Rises with every message of its queue: the order in which they came."""
    body: str
    sent_at: int
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])
    """By name, in SQS's structure."""
    system_attributes: dict[str, Any] = field(default_factory=dict[str, Any])
    group: str | None = None
    deduplication_id: str | None = None
    sequence_number: str | None = None
    visible_at: int = 0
    """When it may be received; until then it is delayed, or in flight once it has been received."""
    received: int = 0
    first_received_at: int | None = None
    handle: str = ""
    """The newest receipt handle."""
    dead_letter_of: str | None = None
    """The ARN of the queue that it was moved away from."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a deduplication id stands for, in the five minutes after it was first sent."""

    at: int
    message_id: str
    sequence_number: str


@dataclass(slots=True)
class MoveTask:
    """Messages that were taken out of a dead letter queue."""

    handle: str
    source: str
    destination: str | None
    started_at: int
    moved: int
    to_move: int
    most_per_second: int | None = None


@dataclass(slots=True)
class Queue:
    name: str
    arn: str
    created_at: int
    changed_at: int
    settings: dict[str, str] = field(default_factory=dict[str, str])
    """Attributes that were set, byte for byte; the rest are the defaults."""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    messages: dict[str, Message] = field(default_factory=dict[str, Message])
    """By id, in the order in which they came."""
    numbered: int = 0
    deduplicated: dict[str, Sent] = field(default_factory=dict[str, Sent])
    """By deduplication id, and group where that is the scope; oldest first."""
    moves: list[MoveTask] = field(default_factory=list[MoveTask])

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(".fifo")


@dataclass(slots=True)
class Region:
    """All of one account's SQS in one region."""

    account: str
    name: str
    queues: dict[str, Queue] = field(default_factory=dict[str, Queue])

    def by_arn(self, arn: str) -> Queue | None:
        queue = self.queues.get(arn.rpartition(":")[2])
        return queue if queue and queue.arn == arn else None


FORM = Document(tuple[Region, ...])
"""How the regions are saved."""
