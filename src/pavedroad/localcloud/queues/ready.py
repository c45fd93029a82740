"""Which messages of a queue may be received next: what is not written down, since it follows from what is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf

from pavedroad.localcloud.api.later import Line
from pavedroad.localcloud.queues.model import Message, Queue
from pavedroad.localcloud.queues.settings import seconds

_ATTEMPT_MS = 5 * 60 * 1000
_FEW = 100


@dataclass(frozen=True, slots=True)
class Counts:
    visible: int
    delayed: int
    in_flight: int


class Ready(ABC):
    """Of one queue, whose messages come and go through it. `line` is of those who wait for one."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.line = Line()
        self._times: list[tuple[int, int, str]] = []
        """A heap of when messages become visible, with some that no longer hold."""
        self._oldest: float = inf
        for message in queue.messages.values():
            self._enter(message)

    def add(self, message: Message) -> None:
        self.queue.messages[message.id] = message
        self._enter(message)
        self.line.call()

    def remove(self, message: Message) -> None:
        del self.queue.messages[message.id]
        self._leave(message)
        self.line.call()

    def clear(self) -> None:
        for message in list(self.queue.messages.values()):
            self.remove(message)

    def hide(self, message: Message, until: int) -> None:
        """Until then, nobody receives it."""
        self._leave(message)
        message.visible_at = until
        self._place(message)

    def visible(self, now: int) -> Iterator[Message]:
        """Those that may be received, in turn. Each is removed or left before the next is asked for."""
        self._drop_expired(now)
        return self._visible(now)

    def due_seconds(self, now: int) -> float:
        """Until some message becomes visible by itself."""
        while self._times and not self._holds(*self._times[0]):
            heappop(self._times)
        ahead = (at for at, number, name in self._times if at > now and self._holds(at, number, name))
        return (min(ahead, default=inf) - now) / 1000

    def counts(self, now: int) -> Counts:
        self._drop_expired(now)
        hidden = {name for at, number, name in self._times if at > now and self._holds(at, number, name)}
        delayed = sum(not self.queue.messages[name].received for name in hidden)
        return Counts(len(self.queue.messages) - len(hidden), delayed, len(hidden) - delayed)

    @abstractmethod
    def _visible(self, now: int) -> Iterator[Message]: ...

    @abstractmethod
    def _place(self, message: Message) -> None:
        """A message that is in the queue, by its time."""

    @abstractmethod
    def _leave(self, message: Message) -> None:
        """A message that has been placed."""

    def _enter(self, message: Message) -> None:
        self._oldest = min(self._oldest, message.sent_at)
        self._place(message)

    def _await(self, message: Message) -> None:
        """Until its time comes. What holds no longer is let go of before it is most of what there is."""
        if len(self._times) > 2 * len(self.queue.messages) + _FEW:
            self._times = [it for it in self._times if self._holds(*it)]
            heapify(self._times)
        heappush(self._times, (message.visible_at, message.number, message.id))

    def _holds(self, at: int, number: int, name: str) -> bool:
        message = self.queue.messages.get(name)
        return message is not None and (message.visible_at, message.number) == (at, number)

    def _drop_expired(self, now: int) -> None:
        oldest = now - seconds(self.queue, "MessageRetentionPeriod") * 1000
        if self._oldest > oldest:
            return
        for message in [it for it in self.queue.messages.values() if it.sent_at <= oldest]:
            del self.queue.messages[message.id]
            self._leave(message)
        self._oldest = min((it.sent_at for it in self.queue.messages.values()), default=inf)


class StandardReady(Ready):
    """Of a queue without an order."""

    def __init__(self, queue: Queue) -> None:
        self._now: dict[str, None] = {}
        super().__init__(queue)

    def _visible(self, now: int) -> Iterator[Message]:
        while self._times and self._times[0][0] <= now:
            at, number, name = heappop(self._times)
            if self._holds(at, number, name):
                self._now[name] = None
        for name in list(self._now):
            if name in self._now:
                yield self.queue.messages[name]

    def _place(self, message: Message) -> None:
        if message.visible_at:
            self._await(message)
        else:
            self._now[message.id] = None

    def _leave(self, message: Message) -> None:
        self._now.pop(message.id, None)


class FifoReady(Ready):
    """Of a queue that keeps the order within groups: while one of a group is in flight, the others wait."""

    def __init__(self, queue: Queue) -> None:
        self._groups: dict[str, dict[str, Message]] = {}
        self.attempts: dict[str, tuple[int, tuple[str, ...]]] = {}
        """What was received by attempts with an id: when, and the receipt handles."""
        super().__init__(queue)

    def attempted(self, attempt: str, now: int) -> tuple[str, ...]:
        """The handles that it was given in the last five minutes."""
        self.attempts = {name: it for name, it in self.attempts.items() if now - it[0] < _ATTEMPT_MS}
        return self.attempts.get(attempt, (0, ()))[1]

    def _visible(self, now: int) -> Iterator[Message]:
        for name, group in list(self._groups.items()):
            if _in_flight(group, now):
                continue
            self._groups[name] = self._groups.pop(name)  # so that the others' turn comes too
            for message in list(group.values()):
                if message.visible_at > now:
                    break
                yield message

    def _place(self, message: Message) -> None:
        group = self._groups.setdefault(message.group or "", {})
        if message.id not in group:
            group[message.id] = message
        if message.visible_at:
            self._await(message)

    def _leave(self, message: Message) -> None:
        name = message.group or ""
        if message.id in self.queue.messages:
            return  # it keeps its place in the group
        group = self._groups.get(name, {})
        group.pop(message.id, None)
        if not group:
            self._groups.pop(name, None)


def _in_flight(group: dict[str, Message], now: int) -> bool:
    """Those that have been received are in front."""
    for message in group.values():
        if not message.received:
            return False
        if message.visible_at > now:
            return True
    return False


def ready_of(queue: Queue) -> Ready:
    return FifoReady(queue) if queue.is_fifo else StandardReady(queue)
