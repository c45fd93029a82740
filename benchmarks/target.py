"""A small server that answers every request with its label: `python target.py LABEL ADDRESS:PORT...`."""

from __future__ import annotations

import asyncio
import sys


class _Answering(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._pending = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self._pending = (self._pending + data).split(b"\r\n\r\n")
        if heads and self._transport:
            self._transport.write(self._answer * len(heads))


async def serve(label: str, places: list[str]) -> None:
    body = label.encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )
    loop = asyncio.get_running_loop()
    for place in places:
        address, _, port = place.rpartition(":")
        await loop.create_server(lambda: _Answering(answer), address, int(port), backlog=1024)
    print("ready", flush=True)
    # Whoever started it holds the other end: when that ends, so does this.
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2:]))
