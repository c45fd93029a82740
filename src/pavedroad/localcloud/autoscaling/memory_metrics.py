"""CloudWatch in memory, as groups see it: it keeps samples and alarms, and looks at alarms when asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import AlarmSignal, Sample, Scaling

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Average": fmean,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
}


@dataclass(slots=True)
class MemoryMetrics:
    """A `Metrics`. An alarm of a single metric goes off while all of its last periods breach."""

    samples: list[tuple[str, Sample]] = field(default_factory=list[tuple[str, Sample]])
    alarms: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    states: dict[str, str] = field(default_factory=dict[str, str])
    """Of alarms that somebody else has put, by name."""
    refusal: ServiceError | None = None
    """With which the next alarm is refused."""

    def publish(self, namespace: str, samples: Iterable[Sample]) -> None:
        self.samples.extend((namespace, sample) for sample in samples)

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
        found: dict[float, list[float]] = defaultdict(list)
        for where, sample in self.samples:
            if (where, sample.name, dict(sample.dimensions)) == (namespace, name, dict(dimensions)):
                begin = sample.at // period_seconds * period_seconds
                if since <= begin < until:
                    found[begin] += sample.values
        compute = _STATISTICS[statistic]
        return [(begin, compute(values)) for begin, values in sorted(found.items())]

    def put_alarm(self, parameters: Mapping[str, Any]) -> str:
        if self.refusal is not None:
            raise self.refusal
        name: str = parameters["AlarmName"]
        self.alarms[name] = parameters
        return f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}"

    def delete_alarms(self, names: Iterable[str]) -> None:
        for name in names:
            self.alarms.pop(name, None)

    def alarm_states(self, names: Iterable[str]) -> Mapping[str, str]:
        return {name: self.states[name] for name in names if name in self.states}

    def alarms_naming(self, action_arn: str) -> list[tuple[str, str]]:
        return [
            (name, f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}")
            for name, alarm in sorted(self.alarms.items())
            if action_arn in alarm.get("AlarmActions", ())
        ]

    def forget_action(self, action_arn: str, *, with_alarms: bool = False) -> None:
        for name, _ in self.alarms_naming(action_arn):
            left = [action for action in self.alarms[name]["AlarmActions"] if action != action_arn]
            self.alarms[name] = {**self.alarms[name], "AlarmActions": left}
            if with_alarms and not left:
                del self.alarms[name]

    def look(self, scaling: Scaling, now: float) -> None:
        """Look at every alarm, as CloudWatch does each minute, and tell whose actions are to be taken."""
        for name, alarm in list(self.alarms.items()):
            points = self._points(alarm, now)
            values = [value for _, value in points]
            if len(values) < alarm["EvaluationPeriods"] or not all(
                _breaches(alarm, value) for value in values
            ):
                continue
            signal = AlarmSignal(
                name=name,
                arn=f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}",
                state="ALARM",
                reason="Threshold Crossed",
                at=datetime.fromtimestamp(now, UTC),
                value=values[-1],
                threshold=alarm["Threshold"],
                values=tuple(values),
                measured_at=datetime.fromtimestamp(points[-1][0], UTC),
            )
            for action in alarm["AlarmActions"]:
                scaling.alarmed(action, signal)

    def _points(self, alarm: Mapping[str, Any], now: float) -> list[tuple[float, float]]:
        until = now // alarm["Period"] * alarm["Period"]
        return self.statistics(
            alarm["Namespace"],
            alarm["MetricName"],
            {one["Name"]: one["Value"] for one in alarm["Dimensions"]},
            statistic=alarm["Statistic"],
            period_seconds=alarm["Period"],
            since=until - alarm["Period"] * alarm["EvaluationPeriods"],
            until=until,
        )


def _breaches(alarm: Mapping[str, Any], value: float) -> bool:
    threshold: float = alarm["Threshold"]
    return {
        "GreaterThanThreshold": value > threshold,
        "GreaterThanOrEqualToThreshold": value >= threshold,
        "LessThanThreshold": value < threshold,
        "LessThanOrEqualToThreshold": value <= threshold,
    }[alarm["ComparisonOperator"]]
