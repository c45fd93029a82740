"""Faults on a clock that stands, over instances on paper."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from pavedroad.clouds.faults import FaultClient
from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.faults.ports import Struck
from pavedroad.localcloud.faults.routes import FaultRoutes
from pavedroad.localcloud.faults.service import FaultInjection
from pavedroad.localcloud.state import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, SPOT, STOPPED = "i-0123456789abcdef0", "i-0123456789abcdef1", "i-0123456789abcdef2"


class InstancesOnPaper:
    def __init__(self) -> None:
        self.all = {
            ONE: Struck(ONE, "us-east-1", "us-east-1a", "running", False, 1024),
            SPOT: Struck(SPOT, "us-east-1", "us-east-1b", "running", True, 2048),
            STOPPED: Struck(STOPPED, "us-east-1", "us-east-1c", "stopped", False, 1024),
        }
        self.failed: dict[str, str] = {}
        self.notices: dict[str, datetime] = {}

    def find(self, instance_id: str) -> Struck | None:
        return self.all.get(instance_id)

    def fail(self, instance_id: str, reason: str, now: datetime) -> None:
        self.failed[instance_id] = reason

    def interrupt(self, instance_id: str, at: datetime) -> None:
        self.notices[instance_id] = at

    def spare(self, instance_id: str) -> None:
        self.notices.pop(instance_id, None)


class FaultBench:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = ManualClock(NOW)
        self.instances = InstancesOnPaper()
        self.faults = FaultInjection(State(), self.instances, self.clock, home, chance=random.Random(7))
        self.routes = FaultRoutes(self.faults)
        self.client = FaultClient("http://127.0.0.1:4566", transport=httpx.MockTransport(self.answer))

    def answer(self, asked: httpx.Request) -> httpx.Response:
        """What the endpoint would answer."""
        headers = {name.lower(): value for name, value in asked.headers.items()}
        request = ApiRequest("", "", "", asked.method, asked.url.raw_path.decode(), "", headers)
        request.stream.write(asked.content)
        answer = self.routes.handle(request)
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.faults.step()

    def call(self, service: str, operation: str, region: str = "us-east-1") -> Any:
        """What hinders a call of the query protocol."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        request = ApiRequest(service, region, "1", "POST", "/", "", headers)
        request.stream.write(f"Action={operation}&Version=1".encode())
        return self.faults.hinders(request)
