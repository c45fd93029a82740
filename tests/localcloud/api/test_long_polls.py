"""Long polls at the real endpoint: they hold no thread, and end with their client."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

MANY = 300
"""More than the endpoint has threads."""


class _Caught(Exception):
    pass


class Polling:
    """A queue of a test's own, and raw connections that poll it."""

    def __init__(self, cloud: RunningCloud, name: str) -> None:
        self.cloud = cloud
        self.sqs = cloud.client("sqs")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self._request = self._signed()

    def poll(self) -> socket.socket:
        at = urlsplit(self.cloud.endpoint)
        connection = socket.create_connection((at.hostname, at.port), timeout=60)
        connection.sendall(self._request)
        return connection

    def waits(self, number: int) -> None:
        eventually(lambda: self.cloud.health["long_polls"] == number)

    def receive(self) -> list[Any]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )
        return answer.get("Messages", [])

    def _signed(self) -> bytes:
        caught: list[Any] = []

        def catch(request: Any, **_: Any) -> None:
            caught.append(request)
            raise _Caught

        client = self.cloud.client("sqs")
        client.meta.events.register("before-send.sqs.ReceiveMessage", catch)
        with suppress(_Caught):
            client.receive_message(QueueUrl=self.url, WaitTimeSeconds=20)
        (request,) = caught
        at = urlsplit(request.url)
        given = {name: it for name, it in request.headers.items() if name.lower() != "host"}
        headers = {"Host": at.netloc, **given}
        lines = [f"POST {at.path} HTTP/1.1", *(f"{name}: {_text(it)}" for name, it in headers.items())]
        return "\r\n".join([*lines, "", _text(request.body)]).encode()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@contextmanager
def polled(cloud: RunningCloud, name: str) -> Generator[Polling]:
    polling = Polling(cloud, name)
    try:
        yield polling
    finally:
        with suppress(polling.sqs.exceptions.QueueDoesNotExist):
            polling.sqs.delete_queue(QueueUrl=polling.url)


def test_many_polls_keep_nobody_waiting(cloud: RunningCloud) -> None:
    with polled(cloud, "polled-by-many") as polling, ExitStack() as stack:
        clients = [stack.enter_context(polling.poll()) for _ in range(MANY)]
        polling.waits(MANY)
        cloud.client("ec2").describe_instances()
        assert cloud.health["long_polls"] == MANY
        sent = {str(it) for it in range(10)}
        polling.sqs.send_message_batch(
            QueueUrl=polling.url, Entries=[{"Id": it, "MessageBody": f"message {it}"} for it in sent]
        )
        eventually(lambda: cloud.health["long_polls"] < MANY)
        polling.sqs.delete_queue(QueueUrl=polling.url)
        answers = [client.recv(64 * 1024) for client in clients]
    assert sum(answer.count(f'"message {it}"'.encode()) for answer in answers for it in sent) == len(sent)
    others = [answer for answer in answers if b'"Messages"' not in answer]
    assert len(others) >= MANY - len(sent)
    assert all(b"NonExistentQueue" in answer or b"QueueDoesNotExist" in answer for answer in others)


@pytest.mark.parametrize("half", [False, True], ids=["hung-up", "half-closed"])
def test_nothing_is_taken_for_who_has_gone(cloud: RunningCloud, *, half: bool) -> None:
    with polled(cloud, f"left-{half}") as polling:
        with polling.poll() as connection:
            polling.waits(1)
            if half:
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(64 * 1024).startswith(b"HTTP/1.1 200 ")
        polling.waits(0)
        polling.sqs.send_message(QueueUrl=polling.url, MessageBody="hello")
        (message,) = polling.receive()
        assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_poll_that_ended_before_it_waited_takes_nothing(cloud: RunningCloud) -> None:
    with polled(cloud, "left-at-once") as polling:
        with polling.poll() as connection:
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(64 * 1024).startswith(b"HTTP/1.1 200 ")
        assert cloud.health["long_polls"] == 0
