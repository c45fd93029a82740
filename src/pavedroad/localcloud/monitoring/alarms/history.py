"""What happened to alarms, as DescribeAlarmHistory tells it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pavedroad.localcloud.monitoring.alarms import views, wording
from pavedroad.localcloud.monitoring.model import (
    MOST_HISTORY,
    MOST_REMEMBERED,
    Alarm,
    HistoryItem,
    Region,
    StateValue,
)

_Kind = Literal["ConfigurationUpdate", "StateUpdate", "Action"]

_MOST_DATA = 4095
_MOST_SUMMARY = 255


def configured(
    region: Region, alarm: Alarm, change: Literal["Create", "Update", "Delete"], at: datetime
) -> None:
    done = {"Create": "created", "Update": "updated", "Delete": "deleted"}[change]
    data = {"version": "1.0", "type": change, f"{done}Alarm": views.in_history(alarm)}
    _note(region, alarm, "ConfigurationUpdate", at, summary=f'Alarm "{alarm.name}" {done}', data=data)


@dataclass(frozen=True, slots=True)
class Before:
    """What an alarm's state was."""

    state: StateValue
    reason: str
    data: str | None


def transitioned(region: Region, alarm: Alarm, before: Before, at: datetime) -> None:
    data = {
        "version": "1.0",
        "oldState": _state(before.state, before.reason, before.data),
        "newState": _state(alarm.state, alarm.reason, alarm.reason_data),
    }
    _note(
        region,
        alarm,
        "StateUpdate",
        at,
        summary=f"Alarm updated from {before.state} to {alarm.state}",
        data=data,
    )


def acted(
    region: Region, alarm: Alarm, action: str, at: datetime, *, error: str | None, published: Any
) -> None:
    outcome = "Failed" if error else "Succeeded"
    data: dict[str, Any] = {
        "version": "1.0",
        "actionState": outcome,
        "stateUpdateTimestamp": int(alarm.updated_at.timestamp() * 1000),
        "notificationResource": action,
    }
    if published is not None:
        data["publishedMessage"] = published
    if error:
        data["error"] = error
    done = "Failed to execute action" if error else "Successfully executed action"
    _note(region, alarm, "Action", at, summary=f"{done} {action}", data=data)


def _state(value: StateValue, reason: str, data: str | None) -> dict[str, Any]:
    known = wording.parsed(data)
    return {"stateValue": value, "stateReason": reason, **({"stateReasonData": known} if known else {})}


def _note(
    region: Region, alarm: Alarm, kind: _Kind, at: datetime, *, summary: str, data: Mapping[str, Any]
) -> None:
    text = json.dumps(data, separators=(",", ":"))
    if len(text) > _MOST_DATA and "publishedMessage" in data:
        text = json.dumps({**data, "publishedMessage": None}, separators=(",", ":"))
    region.history_begun += 1
    item = HistoryItem(
        region.history_begun, at, alarm.name, alarm.kind, kind, summary[:_MOST_SUMMARY], text[:_MOST_DATA]
    )
    region.history.setdefault(alarm.name, deque(maxlen=MOST_HISTORY)).append(item)
    if len(region.history) > MOST_REMEMBERED:
        _forget_one(region)


def _forget_one(region: Region) -> None:
    """The deleted alarm that has been known the longest."""
    gone = next((name for name in region.history if name not in region.alarms), None)
    if gone is not None:
        del region.history[gone]
