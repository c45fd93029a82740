"""CloudWatch on a bench: a clock that stands, and calls by parameters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.monitoring.alarms.actions import Outlets
from pavedroad.localcloud.monitoring.service import Monitoring
from pavedroad.localcloud.ports import AlarmSignal
from pavedroad.localcloud.state import State
from tests.localcloud.serving import ACCOUNT, REGION

BEGINNING = datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC)


class Recorder:
    """Where actions go, as a list of what came."""

    def __init__(self) -> None:
        self.scaled: list[tuple[str, AlarmSignal]] = []
        self.told: list[tuple[str, str, str]] = []
        self.acted: list[tuple[str, str]] = []
        self.outlets = Outlets(*[lambda _account, _region: self] * 3)

    def alarmed(self, policy_arn: str, signal: AlarmSignal) -> None:
        self.scaled.append((policy_arn, signal))

    def exists(self, topic_arn: str) -> bool:
        return "unknown" not in topic_arn

    def publish(self, topic_arn: str, subject: str, message: str) -> None:
        self.told.append((topic_arn, subject, message))

    def act(self, instance_id: str, action: str) -> None:
        self.acted.append((instance_id, action))


class Bench:
    """One account in one region."""

    def __init__(self) -> None:
        self.clock = ManualClock(BEGINNING)
        self.state = State()
        self.outlets = Recorder()
        self.service = Monitoring(self.state, self.clock, self.outlets.outlets)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.service.call(ACCOUNT, REGION, operation, parameters) or {}

    def put(self, value: float, *, name: str = "Load", ago: float = 0, **more: Any) -> None:
        at = self.clock.now() - timedelta(seconds=ago)
        datum = {"MetricName": name, "Timestamp": at, "Value": value, **more}
        self.call("PutMetricData", Namespace="Test", MetricData=[datum])

    def alarm(self, name: str = "busy", **more: Any) -> None:
        """An alarm on Test/Load over 1, one of one minute; whatever is given replaces the defaults."""
        parameters: dict[str, Any] = {
            "AlarmName": name,
            "Namespace": "Test",
            "MetricName": "Load",
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
        }
        self.call("PutMetricAlarm", **(parameters | more))

    def described(self, name: str = "busy") -> dict[str, Any]:
        found = self.call("DescribeAlarms", AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return (found["MetricAlarms"] + found["CompositeAlarms"])[0]

    def state_of(self, name: str = "busy") -> str:
        return self.described(name)["StateValue"]

    def history(self, name: str = "busy", kind: str | None = None) -> list[dict[str, Any]]:
        found = self.call(
            "DescribeAlarmHistory",
            AlarmName=name,
            HistoryItemType=kind,
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            ScanBy="TimestampAscending",
        )
        return found["AlarmHistoryItems"]
