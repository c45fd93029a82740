"""What an alarm tells a topic: AWS's subject and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pavedroad.localcloud.monitoring.alarms.wording import stamp
from pavedroad.localcloud.monitoring.model import Alarm, Region, StateValue
from pavedroad.localcloud.regions import REGIONS

_STATISTICS = {
    "Average": "AVERAGE",
    "Maximum": "MAXIMUM",
    "Minimum": "MINIMUM",
    "SampleCount": "SAMPLE_COUNT",
    "Sum": "SUM",
}
_MOST_SUBJECT = 100


def _title(region: Region) -> str:
    """As alarms say it, who kept the old name of Europe."""
    known = REGIONS.get(region.name)
    return known.title.replace("Europe (", "EU (") if known else region.name


def subject(region: Region, alarm: Alarm) -> str:
    return f'{alarm.state}: "{alarm.name}" in {_title(region)}'[:_MOST_SUBJECT]


def body(region: Region, alarm: Alarm, old: StateValue) -> dict[str, Any]:
    told: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.settings.get("AlarmDescription"),
        "AWSAccountId": region.account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configured_at),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": stamp(alarm.updated_at),
        "Region": _title(region),
        "AlarmArn": alarm.arn,
        "OldStateValue": old,
        "OKActions": alarm.actions("OK"),
        "AlarmActions": alarm.actions("ALARM"),
        "InsufficientDataActions": alarm.actions("INSUFFICIENT_DATA"),
    }
    if alarm.kind == "CompositeAlarm":
        return {**told, "AlarmRule": alarm.settings["AlarmRule"]}
    return {**told, "Trigger": _trigger(alarm.settings)}


def _trigger(settings: Mapping[str, Any]) -> dict[str, Any]:
    judged = {
        "EvaluationPeriods": settings["EvaluationPeriods"],
        **_given(settings, "DatapointsToAlarm"),
        "ComparisonOperator": settings["ComparisonOperator"],
        "Threshold": settings.get("Threshold"),
        "TreatMissingData": settings.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": settings.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in settings:
        queries: Sequence[Mapping[str, Any]] = settings["Metrics"]
        return {"Period": _period(queries), **judged, "Metrics": [_query(query) for query in queries]}
    statistic = (
        {"StatisticType": "Statistic", "Statistic": _STATISTICS[settings["Statistic"]]}
        if "Statistic" in settings
        else {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": settings["ExtendedStatistic"]}
    )
    return {
        "MetricName": settings["MetricName"],
        "Namespace": settings["Namespace"],
        **statistic,
        "Unit": settings.get("Unit"),
        "Dimensions": _dimensions(settings),
        "Period": settings["Period"],
        **judged,
    }


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    told = {"Id": query["Id"], **_given(query, "Expression"), **_given(query, "Label")}
    if "MetricStat" in query:
        stat = query["MetricStat"]
        metric = stat["Metric"]
        told["MetricStat"] = {
            "Metric": {
                "Dimensions": _dimensions(metric),
                "MetricName": metric["MetricName"],
                "Namespace": metric["Namespace"],
            },
            "Period": stat["Period"],
            "Stat": stat["Stat"],
            **_given(stat, "Unit"),
        }
    return {**told, "ReturnData": query.get("ReturnData", True)}


def _period(queries: Sequence[Mapping[str, Any]]) -> int:
    periods = [query["MetricStat"]["Period"] for query in queries if "MetricStat" in query]
    return max([*periods, *(query["Period"] for query in queries if "Period" in query)], default=60)


def _dimensions(settings: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"value": one["Value"], "name": one["Name"]} for one in settings.get("Dimensions") or ()]


def _given(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {name: settings[name]} if settings.get(name) is not None else {}
