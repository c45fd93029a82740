"""Alarms in AWS's structures."""

from __future__ import annotations

from typing import Any

from pavedroad.localcloud.monitoring.alarms.wording import stamp
from pavedroad.localcloud.monitoring.model import Alarm, HistoryItem

_LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions")


def described(alarm: Alarm) -> dict[str, Any]:
    """As DescribeAlarms shows it."""
    shown = {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        **alarm.settings,
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateReasonData": alarm.reason_data,
        "StateUpdatedTimestamp": alarm.updated_at,
        "StateTransitionedTimestamp": alarm.transitioned_at,
        "ActionsSuppressedBy": alarm.suppressed_by,
        "ActionsSuppressedReason": alarm.suppressed_reason,
    }
    for name in _LISTS:
        shown.setdefault(name, [])
    if alarm.kind == "MetricAlarm" and "Metrics" not in alarm.settings:
        shown.setdefault("Dimensions", [])
    return shown


def in_history(alarm: Alarm) -> dict[str, Any]:
    """As a configuration in the history's JSON: AWS's names, beginning small."""
    settings = {_small(name): value for name, value in alarm.settings.items()}
    return {
        "alarmName": alarm.name,
        "alarmArn": alarm.arn,
        "stateValue": alarm.state,
        "stateUpdatedTimestamp": stamp(alarm.updated_at),
        "alarmConfigurationUpdatedTimestamp": stamp(alarm.configured_at),
        **settings,
    }


def history_item(item: HistoryItem) -> dict[str, Any]:
    return {
        "AlarmName": item.alarm,
        "AlarmType": item.kind,
        "Timestamp": item.at,
        "HistoryItemType": item.type,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }


def _small(name: str) -> str:
    return "okActions" if name == "OKActions" else name[0].lower() + name[1:]
