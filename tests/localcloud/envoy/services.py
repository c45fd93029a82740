"""Real little services on loopback addresses, and a balancer before them."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from pavedroad.localcloud.envoy.routing import EnvoyRouting
from pavedroad.localcloud.wanted import (
    Action,
    Condition,
    Forward,
    Front,
    Pool,
    Probe,
    Rule,
    Target,
    TargetStatus,
)
from tests.waiting import eventually_async

PORT = 8080
QUICK = Probe("HTTP", "/", 0.2, 1.0, 2, 2, "200")
TARGET = Path(__file__).parents[3] / "benchmarks" / "target.py"

Behaviour = Callable[["Heard"], Awaitable[bytes | None]]
"""The response, whole; None closes the connection without one."""

_fresh = itertools.count(1)


def fresh_address() -> str:
    """A loopback address that no other test uses now."""
    number = next(_fresh)
    process = os.getpid()
    return f"127.{100 + process % 100}.{process // 100 % 200 + number // 250 % 50}.{1 + number % 250}"


@dataclass(frozen=True, slots=True)
class Heard:
    """A request as it reached a service."""

    line: str
    headers: dict[str, str]
    raw: bytes


def response(body: str, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body.encode()


@dataclass
class Service:
    """Listens on `address`; `behave` may be replaced at any time."""

    label: str
    address: str = field(default_factory=fresh_address)
    port: int = PORT
    heard: list[Heard] = field(default_factory=list[Heard])
    behave: Behaviour | None = None
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def start(self) -> Service:
        self._server = await asyncio.start_server(self._serve, self.address, self.port)
        return self

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            await self.close_connections()
            self._server = None

    async def close_connections(self) -> None:
        for writer in tuple(self._open):
            writer.close()

    def target(self, *, draining: bool = False) -> Target:
        return Target(f"i-{self.address}", self.address, self.port, self.port, "us-east-1a", draining)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *lines = head.decode("latin-1").rstrip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                await reader.readexactly(int(headers.get("content-length", "0")))
                heard = Heard(line, headers, head)
                self.heard.append(heard)
                answer = await self.behave(heard) if self.behave else response(self.label)
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._open.discard(writer)
            writer.transport.abort()


@dataclass
class Process:
    """A service in a process of its own, which can be killed."""

    label: str
    addresses: list[str]
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> Process:
        places = [f"{address}:{PORT}" for address in self.addresses]
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(TARGET), self.label, *places),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self.process.stdout
        assert await self.process.stdout.readline() == b"ready\n"
        return self

    async def kill(self) -> None:
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def targets(self) -> tuple[Target, ...]:
        return tuple(
            Target(f"i-{address}", address, PORT, PORT, "us-east-1a", draining=False)
            for address in self.addresses
        )


def pool(name: str, *targets: Target, probe: Probe = QUICK) -> Pool:
    return Pool(f"arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/{name}/1", "HTTP", probe, targets)


def rule(action: Action, *conditions: Condition, priority: int = 1) -> Rule:
    return Rule(priority, conditions, action)


def front(*rules: Rule, address: str | None = None, idle: int = 60, port: int = PORT) -> Front:
    place = address or fresh_address()
    return Front(
        f"arn:aws:elasticloadbalancing:us-east-1:1:listener/app/x/{place}-{port}", place, port, rules, idle
    )


class Balancer:
    """Envoy and what a test says to it."""

    def __init__(self, routing: EnvoyRouting) -> None:
        self.routing = routing
        self.revision = 0
        self.client = httpx.AsyncClient(timeout=20, trust_env=False)

    async def serve(self, pools: list[Pool], *fronts: Front, healthy: bool = True) -> Front:
        """Apply, and wait until Envoy has it and, unless told not to, until no target is `initial`."""
        await self.apply(pools, *fronts)
        if healthy:
            await self.until(
                lambda statuses: all(
                    status.state == "healthy" for status in statuses if status.active is None
                )
            )
        return fronts[0]

    async def apply(self, pools: list[Pool], *fronts: Front) -> None:
        self.revision += 1
        self.routing.apply(self.revision, pools, fronts)
        assert await self.routing.acknowledged(self.revision, 20), self.routing.refused()

    async def until(self, condition: Callable[[list[TargetStatus]], bool], within: float = 20) -> None:
        async def holds() -> bool:
            return condition(self.routing.statuses())

        await eventually_async(holds, within=within, every=0.01)

    async def get(self, front: Front, path: str = "/", **headers: str) -> httpx.Response:
        return await self.client.get(
            f"http://{front.address}:{front.port}{path}",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    async def labels(self, front: Front, requests: int) -> dict[str, int]:
        counts: dict[str, int] = {}
        for _ in range(requests):
            label = (await self.get(front)).text
            counts[label] = counts.get(label, 0) + 1
        return counts


def to(pool: Pool) -> Forward:
    return Forward({pool.arn: 1})
