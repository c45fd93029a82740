"""SNS and SQS in memory, as groups see them: what was sent is kept in the order in which it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pavedroad.localcloud.errors import ServiceError


@dataclass(slots=True)
class MemoryTopics:
    """A `Topics`: by ARN the subjects and messages."""

    sent: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])

    def exists(self, topic_arn: str) -> bool:
        return topic_arn in self.sent

    def publish(self, topic_arn: str, subject: str, message: str) -> None:
        if topic_arn not in self.sent:
            raise ServiceError("NotFound", "Topic does not exist", 404)
        self.sent[topic_arn].append((subject, message))


@dataclass(slots=True)
class MemoryQueues:
    """A `Queues`: by ARN the messages."""

    sent: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def exists(self, queue_arn: str) -> bool:
        return queue_arn in self.sent

    def send(self, queue_arn: str, message: str, more: Mapping[str, Any] | None = None) -> None:
        if queue_arn not in self.sent:
            raise ServiceError(
                "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."
            )
        self.sent[queue_arn].append(message)
