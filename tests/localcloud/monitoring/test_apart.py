"""Calls that may be long wait for each other, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from pavedroad.localcloud.api.server import Endpoint
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.api.signatures.gate import AnyCredentials


class Held:
    """A service whose calls end when they are let go."""

    name = "monitoring"

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def handle(self, request: ApiRequest) -> ApiResponse:
        assert self.let_go.wait(60)
        return ApiResponse(200)


class Quick:
    name = "ec2"

    def handle(self, request: ApiRequest) -> ApiResponse:
        return ApiResponse(200)


async def asked(endpoint: Endpoint, service: str) -> int:
    scope = f"AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host"
    headers = [(b"host", b"localhost"), (b"authorization", f"{scope}, Signature=any".encode())]
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status", 0))

    called = {"type": "http", "method": "POST", "raw_path": b"/", "query_string": b"", "headers": headers}
    called["server"] = ("127.0.0.1", 4566)
    await endpoint(called, receive, send)
    return statuses[0]


def test_any_number_of_calls_about_datapoints_leaves_threads_to_the_others() -> None:
    held = Held()
    endpoint = Endpoint([held, Quick()], lambda _: "1", dict, gate=AnyCredentials(), apart={held.name: 2})

    async def ask() -> list[int]:
        waiting = [asyncio.create_task(asked(endpoint, "monitoring")) for _ in range(100)]
        try:
            assert await asyncio.wait_for(asked(endpoint, "ec2"), 30) == 200
            assert not any(task.done() for task in waiting)
        finally:
            held.let_go.set()
        return await asyncio.gather(*waiting)

    assert asyncio.run(ask()) == [200] * 100
