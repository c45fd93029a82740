"""What CloudWatch keeps besides datapoints: alarms with their history, and dashboards."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pavedroad.localcloud.documents import Document

StateValue = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
STATES: tuple[StateValue, ...] = ("OK", "ALARM", "INSUFFICIENT_DATA")
AlarmType = Literal["MetricAlarm", "CompositeAlarm"]
SuppressedBy = Literal["WaitPeriod", "ExtensionPeriod", "Alarm"]

MOST_HISTORY = 100
"""Items an alarm; AWS keeps them for a time instead."""
MOST_REMEMBERED = 5000
"""Alarms with a history, those that are deleted among them."""


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """`data` is JSON."""

    number: int
    at: datetime
    alarm: str
    kind: AlarmType
    type: Literal["ConfigurationUpdate", "StateUpdate", "Action"]
    summary: str
    data: str


@dataclass(slots=True)
class Alarm:
    """A metric or composite alarm. `settings` has what was put, by AWS's names, with the defaults."""

    kind: AlarmType
    name: str
    arn: str
    settings: dict[str, Any]
    configured_at: datetime
    updated_at: datetime
    transitioned_at: datetime
    state: StateValue = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str | None = None
    value: float | None = None
    """The newest datapoint that made the state so."""
    datapoints: tuple[tuple[float, float], ...] = ()
    """Those of the last judgement that made the state so, newest first: when each began, and its value."""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    acted_at: datetime | None = None
    """When the actions of the present state were last taken: those of scaling are taken again."""
    suppressed_by: SuppressedBy | None = None
    suppressed_reason: str | None = None
    pending: StateValue | None = None
    """A composite alarm's transition whose actions wait, or are suppressed; it came from this state."""
    waiting_until: datetime | None = None
    judged: tuple[tuple[str, StateValue], ...] | None = None
    """The children's states when a composite alarm was judged last."""

    @property
    def actions_enabled(self) -> bool:
        return bool(self.settings.get("ActionsEnabled", True))

    def actions(self, state: StateValue) -> list[str]:
        named = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
        return self.settings.get(named[state]) or []


@dataclass(slots=True)
class Dashboard:
    name: str
    body: str
    modified_at: datetime
    tags: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Region:
    """All of one account's CloudWatch in one region, but for the datapoints."""

    account: str
    name: str
    alarms: dict[str, Alarm] = field(default_factory=dict[str, Alarm])
    dashboards: dict[str, Dashboard] = field(default_factory=dict[str, Dashboard])
    history: dict[str, deque[HistoryItem]] = field(default_factory=dict[str, "deque[HistoryItem]"])
    """By alarm name, oldest first; a deleted alarm's stays."""
    history_begun: int = 0
    generation: int = 0
    """Rises with every change of an alarm's configuration."""


FORM = Document(tuple[Region, ...])
"""How the regions are saved."""
