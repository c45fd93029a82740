"""`ports.Metrics`: CloudWatch for the cloud's own parts, in one account and region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from pavedroad.localcloud.monitoring.call import Result
from pavedroad.localcloud.monitoring.model import STATES, Region
from pavedroad.localcloud.monitoring.statistics import datapoints, statistic
from pavedroad.localcloud.monitoring.store import Place, Point, Store, metric_id
from pavedroad.localcloud.ports import Sample


class _Service(Protocol):
    @property
    def store(self) -> Store: ...

    def call(self, account: str, region: str, operation: str, parameters: dict[str, Any]) -> Result: ...

    def region(self, account: str, region: str) -> Region: ...


class PlaceMetrics:
    """Made anew at will: it holds nothing."""

    def __init__(self, service: _Service, place: Place) -> None:
        self._service = service
        self._place = place

    def publish(self, namespace: str, samples: Iterable[Sample]) -> None:
        self._service.store.put(
            self._place,
            [
                Point(
                    metric_id(namespace, sample.name, sample.dimensions.items()),
                    sample.unit,
                    sample.at,
                    60,
                    sample.values,
                    sample.counts,
                )
                for sample in samples
            ],
        )

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
        wanted = _statistic(statistic)
        begin = int(since // period_seconds) * period_seconds
        slices = self._service.store.slices(
            self._place,
            metric_id(namespace, name, dimensions.items()),
            None,
            begin,
            -int(-until // 1),
            spreads=wanted.needs_spread,
        )
        return [(float(at), value) for at, value in datapoints(slices.values(), wanted, period_seconds, 0)]

    def put_alarm(self, parameters: Mapping[str, Any]) -> str:
        self._service.call(*self._place, "PutMetricAlarm", dict(parameters))
        return self._service.region(*self._place).alarms[parameters["AlarmName"]].arn

    def delete_alarms(self, names: Iterable[str]) -> None:
        known = self._service.region(*self._place).alarms
        if found := [name for name in names if name in known]:
            self._service.call(*self._place, "DeleteAlarms", {"AlarmNames": found})

    def alarm_states(self, names: Iterable[str]) -> Mapping[str, str]:
        alarms = self._service.region(*self._place).alarms
        return {name: alarms[name].state for name in names if name in alarms}

    def alarms_naming(self, action_arn: str) -> list[tuple[str, str]]:
        alarms = self._service.region(*self._place).alarms
        return [
            (name, alarms[name].arn)
            for name in sorted(alarms)
            if any(action_arn in alarms[name].actions(state) for state in STATES)
        ]

    def forget_action(self, action_arn: str, *, with_alarms: bool = False) -> None:
        alarms = self._service.region(*self._place).alarms
        named = [name for name, _ in self.alarms_naming(action_arn)]
        for name in named:
            for state in STATES:
                actions = alarms[name].actions(state)
                actions[:] = [action for action in actions if action != action_arn]
        if with_alarms:
            self.delete_alarms(
                [name for name in named if not any(alarms[name].actions(state) for state in STATES)]
            )


_statistic = statistic
