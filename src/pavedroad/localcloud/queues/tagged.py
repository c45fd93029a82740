"""Tags of queues, for the tagging API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pavedroad.localcloud.queues.model import Queue, Region
from pavedroad.localcloud.queues.queues import add_tags
from pavedroad.localcloud.queues.refusals import no_queue
from pavedroad.localcloud.state import State
from pavedroad.localcloud.tagging.model import Tagged


class TaggedQueues:
    """`pavedroad.localcloud.tagging.model.Tags`."""

    def __init__(self, state: State, region_of: Callable[[str, str], Region]) -> None:
        self._state = state
        self._region_of = region_of

    def tagged(self, account: str, region: str) -> Iterator[Tagged]:
        for queue in self._region_of(account, region).queues.values():
            yield Tagged(queue.arn, "sqs", queue.tags)

    def has(self, arn: str) -> bool:
        return arn.startswith("arn:aws:sqs:")

    def tag(self, account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
        with self._state.changing():
            add_tags(self._queue(account, region, arn), dict(tags))

    def untag(self, account: str, region: str, arn: str, keys: Sequence[str]) -> None:
        with self._state.changing():
            queue = self._queue(account, region, arn)
            queue.tags = {key: value for key, value in queue.tags.items() if key not in keys}

    def _queue(self, account: str, region: str, arn: str) -> Queue:
        queue = self._region_of(account, region).by_arn(arn)
        if queue is None:
            raise no_queue()
        return queue
