"""CloudWatch on a bench: a clock that stands, and calls by parameters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.monitoring.service import Monitoring
from pavedroad.localcloud.state import State

ACCOUNT, REGION = "123456789012", "us-east-1"
BEGINNING = datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC)


class Bench:
    """One account in one region."""

    def __init__(self) -> None:
        self.clock = ManualClock(BEGINNING)
        self.state = State()
        self.service = Monitoring(self.state, self.clock)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.service.call(ACCOUNT, REGION, operation, parameters) or {}

    def put(self, value: float, *, name: str = "Load", ago: float = 0, **more: Any) -> None:
        at = self.clock.now() - timedelta(seconds=ago)
        datum = {"MetricName": name, "Timestamp": at, "Value": value, **more}
        self.call("PutMetricData", Namespace="Test", MetricData=[datum])
