"""Load from a process of its own: keep-alive connections that each ask again as soon as they are answered.

`Load` starts it, `stop` gives its `Report`: what failed, and when each answer of each label came. A label is
the first word of an answer's body. Times are those of the machine's monotonic clock, the same in every
process.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httptools


@dataclass(frozen=True, slots=True)
class Report:
    seconds: float
    requests: int
    failures: dict[str, int]
    """How often, by what went wrong."""
    answers: dict[str, list[float]]
    """When answers came, by label, in order."""

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    def last(self, label: str, after: float, before: float = float("inf")) -> float | None:
        """When the last answer with this label came in a span of time."""
        times = [moment for moment in self.answers.get(label, []) if after <= moment < before]
        return times[-1] if times else None


class Load:
    """A running load; a context manager that never leaves it running."""

    def __init__(self, address: str, port: int, *, connections: int = 16, path: str = "/") -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), address, str(port), str(connections), path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def stop(self) -> Report:
        output, _ = self._process.communicate("stop\n", timeout=30)
        return Report(**json.loads(output))


class _Connection(asyncio.Protocol):
    """One request at a time; `done` hears how each ended."""

    def __init__(self, request: bytes, done: Callable[[_Connection, str, str], None]) -> None:
        self._request = request
        self._done = done
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.ask()

    def ask(self) -> None:
        assert self._transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self._body.clear()
        self.waiting = True
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._finish(f"not HTTP: {error}", "")

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        label = bytes(self._body[:64]).split()[:1]
        problem = "" if status == 200 else f"status {status}"
        self._finish(problem, label[0].decode(errors="replace") if label else "")

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiting:
            self._finish(f"connection lost: {type(exc).__name__ if exc else 'closed'}", "")

    def _finish(self, problem: str, label: str) -> None:
        self.waiting = False
        self._done(self, problem, label)

    def reusable(self) -> bool:
        return (
            self._transport is not None
            and not self._transport.is_closing()
            and bool(self._parser.should_keep_alive())
        )

    def close(self) -> None:
        if self._transport:
            self._transport.close()


async def generate(address: str, port: int, connections: int, path: str) -> Report:
    """Until a line, or the end, comes on standard input."""
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: {address}:{port}\r\nUser-Agent: load\r\n\r\n".encode()
    failures: Counter[str] = Counter()
    answers: dict[str, list[float]] = defaultdict(list)
    finished = 0
    running = True
    reopening: set[asyncio.Task[None]] = set()
    open_now: set[_Connection] = set()

    def done(connection: _Connection, problem: str, label: str) -> None:
        nonlocal finished
        if not running:
            return
        finished += 1
        if problem:
            failures[problem] += 1
        else:
            answers[label].append(time.monotonic())
        if not problem and connection.reusable():
            # Not at once: the parser is still busy with the answer.
            loop.call_soon(again, connection)
        else:
            drop(connection)

    def again(connection: _Connection) -> None:
        if running:
            if connection.reusable():
                connection.ask()
            else:
                drop(connection)

    def drop(connection: _Connection) -> None:
        open_now.discard(connection)
        connection.close()
        reopen()

    def reopen() -> None:
        task = asyncio.create_task(connect())
        reopening.add(task)
        task.add_done_callback(reopening.discard)

    async def connect() -> None:
        nonlocal finished
        while running:
            try:
                _, connection = await loop.create_connection(
                    lambda: _Connection(request, done), address, port
                )
            except OSError as error:
                finished += 1
                failures[f"connect: {type(error).__name__}"] += 1
                await asyncio.sleep(0.01)
            else:
                open_now.add(connection)
                return

    began = time.monotonic()
    for _ in range(connections):
        reopen()
    await loop.run_in_executor(None, sys.stdin.readline)
    running = False
    for connection in open_now:
        connection.close()
    return Report(time.monotonic() - began, finished, dict(failures), dict(answers))


def main() -> None:
    address, port, connections, path = sys.argv[1:]
    report = asyncio.run(generate(address, int(port), int(connections), path))
    json.dump(
        {
            "seconds": report.seconds,
            "requests": report.requests,
            "failures": report.failures,
            "answers": report.answers,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
