"""A queue in this process, and who waits for its messages."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from pavedroad.localcloud.api.later import Later
from pavedroad.localcloud.api.services import ApiResponse
from tests.localcloud.moto_adapter.bench import Bench

LONG = 20
_numbers = count()


class Queue:
    """One of a test's own, and what is asked of it."""

    def __init__(self, bench: Bench, suffix: str = "", **attributes: str) -> None:
        self._bench = bench
        self.name = f"waited-for-{next(_numbers)}{suffix}"
        self.url = self.said("CreateQueue", QueueName=self.name, Attributes=attributes)["QueueUrl"]

    def call(self, operation: str, **parameters: object) -> ApiResponse:
        headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"AmazonSQS.{operation}"}
        if operation != "CreateQueue":
            parameters["QueueUrl"] = self.url
        return self._bench.send("sqs", json.dumps(parameters).encode(), headers=headers)

    def said(self, operation: str, **parameters: object) -> Any:
        answer = self.call(operation, **parameters)
        assert answer.status == 200, answer.body
        return json.loads(answer.body or b"{}")

    def send(self, body: str = "hello", **parameters: object) -> None:
        self.said("SendMessage", MessageBody=body, **parameters)

    def take(self) -> str:
        """A message's receipt handle."""
        return self.said("ReceiveMessage")["Messages"][0]["ReceiptHandle"]

    def poll(self, seconds: int | None = LONG, **parameters: object) -> Poll:
        given = parameters if seconds is None else {**parameters, "WaitTimeSeconds": seconds}
        return Poll(self.call("ReceiveMessage", **given))

    def arn(self) -> str:
        attributes = self.said("GetQueueAttributes", AttributeNames=["QueueArn"])["Attributes"]
        return attributes["QueueArn"]


class Poll:
    """A receive that waits."""

    def __init__(self, answer: ApiResponse) -> None:
        assert isinstance(answer, Later), answer
        self.later = answer
        self.calls: list[bool] = []
        answer.place.heed(lambda: self.calls.append(True))

    @property
    def called(self) -> bool:
        return bool(self.calls)

    def again(self) -> ApiResponse:
        self.later.place.come()
        return self.later.again()

    def bodies(self) -> list[str]:
        answer = self.again()
        assert not isinstance(answer, Later)
        return [message["Body"] for message in json.loads(answer.body)["Messages"]]
