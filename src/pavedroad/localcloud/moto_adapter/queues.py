# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""SQS as those who notify see it (`Queues`), over moto's queues."""

from __future__ import annotations

from threading import Condition

from moto.core.exceptions import ServiceException
from moto.sqs.models import Queue, sqs_backends

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


def install() -> None:
    """A queue can be saved: moto gives each a lock, of which nothing is to be kept."""
    Queue.__getstate__ = _without_lock
    Queue.__setstate__ = _with_lock


def _without_lock(queue: Queue) -> dict[str, object]:
    return {name: value for name, value in vars(queue).items() if name != "_messages_lock"}


def _with_lock(queue: Queue, state: dict[str, object]) -> None:
    vars(queue).update(state, _messages_lock=Condition())


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
