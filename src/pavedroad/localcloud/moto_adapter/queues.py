# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""SQS as those who notify see it (`Queues`), over moto's queues, and who waits for messages of a queue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from math import inf
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from pavedroad.localcloud.api.later import Line, Place
from pavedroad.localcloud.errors import ServiceError


class MotoQueues:
    """`pavedroad.localcloud.ports.Queues`. A queue is where its ARN says, whoever asks."""

    def exists(self, queue_arn: str) -> bool:
        backend, name = _place(queue_arn)
        return backend is not None and name in backend.queues

    def send(self, queue_arn: str, message: str) -> None:
        backend, name = _place(queue_arn)
        if backend is None or name not in backend.queues:
            raise ServiceError(
                "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."
            )
        try:
            backend.send_message(queue_name=name, message_body=message)
        except ServiceException as error:
            raise ServiceError(error.code, str(error.message)) from error


@dataclass(frozen=True, slots=True)
class Poll:
    """A receive that found nothing, and would wait."""

    place: Place
    seconds: float
    due_seconds: float
    """Until some message becomes visible by itself."""


_asked = threading.local()
_CHANGES = {name: getattr(Queue, name) for name in ("add_message", "delete_message")}
_CHANGES_BY_NAME = {
    name: getattr(SQSBackend, name) for name in ("change_message_visibility", "set_queue_attributes")
}
"""What may make a message visible: one that is deleted frees the others of its group."""
_moto_receive = SQSBackend.receive_message
_moto_delete_queue = SQSBackend.delete_queue


_MOST_HANDLES = 10_000
"""Of deleted messages, of which one may be deleted once more, in each queue."""
_MOST_OF_A_MESSAGE = 100
_moto_init = Queue.__init__
_moto_mark_received = Message.mark_received


class Handles(dict[str, None]):
    """The newest receipt handles of deleted messages, in place of moto's set of all there ever were."""

    def update(self, handles: Iterable[str]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for handle in handles:
            self[handle] = None
        while len(self) > _MOST_HANDLES:
            del self[next(iter(self))]


def drop_expired(queue: Queue, now: float) -> None:
    """Messages that are older than their queue keeps them."""
    oldest = (now - queue.message_retention_period) * 1000
    expired = {message for message in queue._messages if message.sent_timestamp <= oldest}
    if expired:
        queue._messages = [message for message in queue._messages if message not in expired]
        queue._pending_messages -= expired


def take_poll() -> Poll | None:
    """What this thread's last receive would wait for."""
    poll: Poll | None = vars(_asked).pop("poll", None)
    return poll


def install() -> None:
    """Queues can be saved, without their locks and lines; moto would wait for messages with the state lock
    held, and now says what it would wait for."""
    Queue.__init__ = _made
    Message.mark_received = _mark_received
    Queue.__getstate__ = _without_lock
    Queue.__setstate__ = _with_lock
    for name, changed in _CHANGES.items():
        setattr(Queue, name, _calling(changed))
    for name, changed in _CHANGES_BY_NAME.items():
        setattr(SQSBackend, name, _calling_by_name(changed))
    SQSBackend.receive_message = _receive
    SQSBackend.delete_queue = _delete_queue


def _made(queue: Queue, *given: Any, **named: Any) -> None:
    _moto_init(queue, *given, **named)
    queue.deleted_messages = Handles()


def _mark_received(message: Message, visibility_timeout: int | None = None) -> None:
    _moto_mark_received(message, visibility_timeout)
    del message._old_receipt_handles[:-_MOST_OF_A_MESSAGE]


def _calling(changed: Callable[..., Any]) -> Callable[..., Any]:
    """What may make a message visible calls one who waits for it."""

    @wraps(changed)
    def calling(queue: Queue, *given: Any) -> None:
        changed(queue, *given)
        _line_of(queue).call()

    return calling


def _calling_by_name(changed: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(changed)
    def calling(backend: SQSBackend, queue_name: str, *given: Any, **named: Any) -> Any:
        result = changed(backend, queue_name, *given, **named)
        _line_of(backend.get_queue(queue_name)).call()
        return result

    return calling


def _receive(self: SQSBackend, queue_name: str, count: int, wait_seconds: int, *rest: Any) -> list[Message]:
    queue = self.get_queue(queue_name)
    drop_expired(queue, unix_time_millis() / 1000)
    found = _moto_receive(self, queue_name, count, 0, *rest)
    if not found and wait_seconds:
        _asked.poll = Poll(_line_of(queue).join(), wait_seconds, _due_seconds(queue))
    elif found and queue.messages:
        _line_of(queue).call()
    return found


def _due_seconds(queue: Queue) -> float:
    now = unix_time_millis()
    times = (max(message.visible_at, message.delayed_until) for message in queue._messages)
    # A message is visible from after its time on.
    return (min((time for time in times if time >= now), default=inf) - now + 1) / 1000


def _delete_queue(self: SQSBackend, queue_name: str) -> None:
    line = _line_of(self.get_queue(queue_name))
    _moto_delete_queue(self, queue_name)
    line.call_all()


def _line_of(queue: Queue) -> Line:
    return vars(queue).setdefault("_line", Line())


def _without_lock(queue: Queue) -> dict[str, object]:
    kept = {name: value for name, value in vars(queue).items() if name not in ("_messages_lock", "_line")}
    return {**kept, "deleted_messages": list(queue.deleted_messages)}


def _with_lock(queue: Queue, state: dict[str, object]) -> None:
    handles = Handles()
    handles.update(state["deleted_messages"])
    vars(queue).update(state, _messages_lock=threading.Condition(), deleted_messages=handles)


def queues_of(_account: str, _region: str) -> MotoQueues:
    return MotoQueues()


def _place(queue_arn: str):
    """The backend of the ARN's account and region, and the queue's name."""
    parts = queue_arn.split(":")
    if len(parts) != 6 or parts[2] != "sqs":
        return None, ""
    _, _, _, region, account, name = parts
    if region not in sqs_backends[account]:
        return None, ""
    return sqs_backends[account][region], name
