"""PutMetricAlarm's parameters as an alarm's settings, with everything refused that AWS refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.monitoring import ingest
from pavedroad.localcloud.monitoring.alarms.math_plan import math_plan
from pavedroad.localcloud.monitoring.alarms.plan import HIGH_RESOLUTION
from pavedroad.localcloud.monitoring.alarms.verdict import COMPARISONS
from pavedroad.localcloud.monitoring.model import Region
from pavedroad.localcloud.monitoring.refusals import invalid, refused
from pavedroad.localcloud.monitoring.statistics import UnknownStatistic, statistic

DAY = 86_400
WEEK = 7 * DAY
MOST_TAGS = 50
ACTION_LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions")

_SINGLE = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit")
_KEPT = (
    "AlarmDescription",
    *_SINGLE,
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
    "Metrics",
)
_NOT_OFFERED = (
    "ThresholdMetricId",
    "EvaluationCriteria",
    "EvaluationInterval",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "ActionConfiguration",
)
_TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
_LOW_SAMPLES = ("evaluate", "ignore")
_ARN = re.compile(r"arn:[\w-]+:([\w-]+):([\w-]*):([\w-]*):(.+)")


def settings(region: Region, given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a metric alarm, checked whole."""
    check_name(given["AlarmName"])
    for name in _NOT_OFFERED:
        if given.get(name) is not None:
            raise refused(f"The parameter {name} is not offered by this cloud yet.")
    _check_judging(given)
    if given.get("Metrics"):
        if also := [name for name in _SINGLE if given.get(name)]:
            raise refused(f"Metrics list cannot be specified together with {', '.join(also)}.")
        check_span(math_plan(given).period, given["EvaluationPeriods"])
    else:
        _check_single(given)
    kept = {name: given[name] for name in _KEPT if given.get(name) not in (None, [])}
    if "Metrics" not in kept:
        kept.setdefault("Dimensions", [])
    return kept | actions(region, given)


def actions(region: Region, given: Mapping[str, Any]) -> dict[str, Any]:
    """The actions of any kind of alarm."""
    for name in ACTION_LISTS:
        for arn in given.get(name) or ():
            match = _ARN.fullmatch(arn)
            if match is None:
                raise refused(f"Invalid arn syntax: {arn}")
            if match[2] not in ("", region.name):
                raise refused(f"Invalid region {match[2]} specified. Only {region.name} is supported.")
    enabled = given.get("ActionsEnabled")
    lists = {name: list(dict.fromkeys(given.get(name) or ())) for name in ACTION_LISTS}
    return {"ActionsEnabled": enabled is not False, **lists}


def tags(given: Mapping[str, Any]) -> dict[str, str]:
    found = {tag["Key"]: tag["Value"] for tag in given.get("Tags") or ()}
    check_tags(found)
    return found


def check_tags(found: Mapping[str, str]) -> None:
    if len(found) > MOST_TAGS:
        raise refused(f"A resource can have at most {MOST_TAGS} tags.")
    if any(key.lower().startswith("aws:") for key in found):
        raise refused("Tag keys that begin with aws: are reserved for system use.")


def check_name(name: str) -> None:
    if not name.isprintable():
        raise refused(f"The alarm name {name!r} must not contain control characters.")


def _check_judging(given: Mapping[str, Any]) -> None:
    for name in ("EvaluationPeriods", "ComparisonOperator", "Threshold"):
        if given.get(name) is None:
            raise refused(f"The parameter {name} must be specified.")
    if given["ComparisonOperator"] not in COMPARISONS:
        raise refused(
            f"The comparison operator {given['ComparisonOperator']} is for anomaly detection, which this "
            "cloud does not offer yet."
        )
    if not -ingest.LARGEST <= given["Threshold"] <= ingest.LARGEST:
        raise refused("The parameter Threshold must be a number between -2^360 and 2^360.")
    to_alarm = given.get("DatapointsToAlarm")
    if to_alarm is not None and to_alarm > given["EvaluationPeriods"]:
        raise refused("DatapointsToAlarm cannot be greater than EvaluationPeriods.")
    _check_choice(given, "TreatMissingData", _TREATMENTS)
    _check_choice(given, "EvaluateLowSampleCountPercentile", _LOW_SAMPLES)


def _check_single(given: Mapping[str, Any]) -> None:
    for name in ("MetricName", "Namespace", "Period"):
        if not given.get(name):
            raise refused(f"The parameter {name} must be specified.")
    if bool(given.get("Statistic")) == bool(given.get("ExtendedStatistic")):
        raise refused("Exactly one of Statistic and ExtendedStatistic must be specified.")
    if named := given.get("ExtendedStatistic"):
        try:
            extended = statistic(named)
        except UnknownStatistic as error:
            raise _unknown_statistic(named) from error
        if not extended.needs_spread:
            raise _unknown_statistic(named)
    _check_unit(given.get("Unit"))
    ingest.dimensions(given.get("Dimensions") or (), "Dimensions")
    check_span(given["Period"], given["EvaluationPeriods"])


def _unknown_statistic(named: str) -> ServiceError:
    return invalid(f"The value {named} for parameter ExtendedStatistic is not supported.")


def check_span(period: int, periods: int) -> None:
    if period not in HIGH_RESOLUTION and (period <= 0 or period % 60):
        raise refused(f"Invalid period {period}: it must be 10, 20, 30 or a multiple of 60.")
    most, span = (WEEK, "seven days") if period >= 3600 else (DAY, "a day")
    if period * periods > most:
        raise refused(
            f"Metrics cannot be checked across more than {span} (EvaluationPeriods * Period must be <= "
            f"{most})."
        )


def _check_unit(unit: str | None) -> None:
    if unit is not None and unit not in ingest.UNITS:
        raise refused(f"The unit {unit} is not one of {', '.join(ingest.UNITS)}.")


def _check_choice(given: Mapping[str, Any], name: str, choices: Sequence[str]) -> None:
    if given.get(name) is not None and given[name] not in choices:
        raise refused(
            f"Option {given[name]} is not supported. Supported options for parameter {name} are "
            f"{', '.join(choices[:-1])} and {choices[-1]}."
        )
