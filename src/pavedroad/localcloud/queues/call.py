"""A call of an operation, and what operations ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pavedroad.localcloud.queues.model import Queue, Region
from pavedroad.localcloud.queues.ready import Ready
from pavedroad.localcloud.queues.refusals import no_queue

Result = dict[str, Any]
Operation = Callable[["Call"], Result]


@dataclass(frozen=True, slots=True)
class Call:
    """`parameters` have AWS's names and the model's types. `endpoint` is where queues' addresses begin."""

    region: Region
    ready: Callable[[Queue], Ready]
    forget: Callable[[Queue], None]
    """The queue has been deleted."""
    parameters: Mapping[str, Any]
    now: int
    endpoint: str

    def get(self, name: str, default: Any = None) -> Any:
        value = self.parameters.get(name)
        return default if value is None else value

    def queue(self) -> Queue:
        """The one whose address was given; its host is of no account."""
        try:
            parts = urlsplit(str(self.get("QueueUrl", ""))).path.strip("/").split("/")
        except ValueError:
            raise no_queue() from None
        if len(parts) < 2 or parts[-2] != self.region.account:
            raise no_queue()
        return self.named(parts[-1])

    def named(self, name: str) -> Queue:
        queue = self.region.queues.get(name)
        if queue is None:
            raise no_queue()
        return queue

    def url(self, queue: Queue) -> str:
        return f"{self.endpoint}/{self.region.account}/{queue.name}"
