"""CloudWatch, SNS and SQS where there is none: what is published goes nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pavedroad.localcloud.ports import Metrics, Queues, Sample, Topics


class NoMetrics:
    """A `Metrics` that keeps nothing and never alarms."""

    def publish(self, namespace: str, samples: Iterable[Sample]) -> None:
        pass

    def statistics(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        *,
        statistic: str,
        period_seconds: int,
        since: float,
        until: float,
    ) -> list[tuple[float, float]]:
        return []

    def put_alarm(self, parameters: Mapping[str, Any]) -> str:
        return ""

    def delete_alarms(self, names: Iterable[str]) -> None:
        pass

    def alarm_states(self, names: Iterable[str]) -> dict[str, str]:
        return {}

    def alarms_naming(self, action_arn: str) -> list[tuple[str, str]]:
        return []

    def forget_action(self, action_arn: str, *, with_alarms: bool = False) -> None:
        pass


class NoTopics:
    """A `Topics` that knows none."""

    def exists(self, topic_arn: str) -> bool:
        return False

    def publish(self, topic_arn: str, subject: str, message: str) -> None:
        pass


class NoQueues:
    """A `Queues` that knows none."""

    def exists(self, queue_arn: str) -> bool:
        return False

    def send(self, queue_arn: str, message: str) -> None:
        pass


def metrics_of(_account: str, _region: str) -> Metrics:
    return NoMetrics()


def topics_of(_account: str, _region: str) -> Topics:
    return NoTopics()


def queues_of(_account: str, _region: str) -> Queues:
    return NoQueues()
