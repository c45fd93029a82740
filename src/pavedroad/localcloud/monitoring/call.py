"""A call of an operation, and what operations ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.monitoring.alarms.actions import Actions
from pavedroad.localcloud.monitoring.model import Alarm, Region
from pavedroad.localcloud.monitoring.retrieval import Span
from pavedroad.localcloud.monitoring.store import Place, Store

Result = dict[str, Any] | None
Operation = Callable[["Call"], Result]


@dataclass(frozen=True, slots=True)
class Call:
    """`parameters` have AWS's names and have passed the model's constraints."""

    region: Region
    store: Store
    actions: Actions
    parameters: Mapping[str, Any]
    now: datetime

    @property
    def place(self) -> Place:
        return self.region.account, self.region.name

    @property
    def span(self) -> Span:
        """From StartTime to EndTime, both to the second: CloudWatch disregards fractions."""
        start, end = (self.parameters[name].timestamp() // 1 for name in ("StartTime", "EndTime"))
        return Span(start, end, self.now.timestamp())

    def get(self, name: str, default: Any = None) -> Any:
        value = self.parameters.get(name)
        return default if value is None else value

    def texts(self, name: str) -> Sequence[str]:
        """A list parameter; empty where it was not given."""
        return self.parameters.get(name) or ()

    def entries(self, name: str) -> Sequence[Mapping[str, Any]]:
        """A parameter that is a list of structures."""
        return self.parameters.get(name) or ()

    def alarm(self, name: str) -> Alarm:
        alarm = self.region.alarms.get(name)
        if alarm is None:
            raise ServiceError("ResourceNotFound", f"The alarm {name} does not exist.", 404)
        return alarm
