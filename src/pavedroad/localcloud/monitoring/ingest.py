"""PutMetricData's data as points, with everything refused that AWS refuses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pavedroad.localcloud.monitoring.refusals import contradictory, invalid, missing
from pavedroad.localcloud.monitoring.series import MetricId, Summary
from pavedroad.localcloud.monitoring.store import Point, metric_id

MOST_DATA = 1000
MOST_VALUES = 150
MOST_DIMENSIONS = 30
MOST_ENTITIES = 2
LARGEST = 2.0**360
OLDEST = timedelta(days=14)
NEWEST = timedelta(hours=2)

_SCALES = ("", "Kilo", "Mega", "Giga", "Tera")
_SIZES = [f"{scale}{what}" if scale else what.capitalize() for what in ("bytes", "bits") for scale in _SCALES]
_RATES = [f"{size}/Second" for size in (*_SIZES, "Count")]
UNITS = ("Seconds", "Microseconds", "Milliseconds", *_SIZES, "Percent", "Count", *_RATES, "None")
_UNITS = frozenset(UNITS)

Datum = Mapping[str, Any]

_MOST_KNOWN = 50_000
_known: dict[tuple[object, ...], MetricId] = {}
"""Metrics that were checked before: most datapoints are of one."""


def points(parameters: Mapping[str, Any], now: datetime) -> list[Point]:
    """The points of a whole call, or its refusal."""
    namespace = parameters.get("Namespace")
    if not namespace:
        raise missing("Namespace")
    check_namespace(namespace)
    data: list[Datum] = parameters.get("MetricData") or []
    entities: list[Datum] = parameters.get("EntityMetricData") or []
    if not data and not entities:
        raise missing("MetricData")
    if len(entities) > MOST_ENTITIES:
        raise _too_many("EntityMetricData", MOST_ENTITIES)
    grouped = [("MetricData", data)]
    for number, entity in enumerate(entities, start=1):
        grouped.append((f"EntityMetricData.member.{number}.MetricData", entity.get("MetricData") or []))
    if sum(len(group) for _, group in grouped) > MOST_DATA:
        raise _too_many("MetricData", MOST_DATA)
    if len(_known) > _MOST_KNOWN:
        _known.clear()
    return [
        _point(namespace, datum, f"{where}.member.{number}", now)
        for where, group in grouped
        for number, datum in enumerate(group, start=1)
    ]


def _point(namespace: str, datum: Datum, where: str, now: datetime) -> Point:
    metric, unit = identified(namespace, datum, where)
    width = datum.get("StorageResolution", 60)
    if width not in (1, 60):
        raise invalid(f"The value {width} for parameter {where}.StorageResolution is invalid.")
    at = _time(datum.get("Timestamp"), f"{where}.Timestamp", now)
    return _with_values(datum, where, metric, unit=unit, at=at, width=width)


def identified(namespace: str, datum: Datum, where: str) -> tuple[MetricId, str]:
    """The metric and the unit of a datum."""
    name = datum.get("MetricName")
    if not name:
        raise missing(f"{where}.MetricName")
    pairs = datum.get("Dimensions") or ()
    key = (namespace, name, *[(one.get("Name"), one.get("Value")) for one in pairs])
    metric = _known.get(key)
    if metric is None:
        check_text(f"{where}.MetricName", name, 255)
        metric = metric_id(namespace, name, dimensions(pairs, f"{where}.Dimensions"))
        _known[key] = metric
    unit = datum.get("Unit") or "None"
    if unit not in _UNITS:
        raise invalid(f"The parameter {where}.Unit must be a value in the set [ {', '.join(UNITS)} ].")
    return metric, unit


def _with_values(datum: Datum, where: str, metric: MetricId, *, unit: str, at: float, width: int) -> Point:
    given = [name for name in ("Value", "StatisticValues", "Values") if datum.get(name) is not None]
    if len(given) > 1:
        raise contradictory(
            f"The parameters {where}.{given[0]} and {where}.{given[1]} are mutually exclusive and you have "
            "specified both."
        )
    if datum.get("Counts") and given != ["Values"]:
        raise contradictory(f"The parameter {where}.Counts must be specified together with {where}.Values.")
    if given == ["Value"]:
        value: float = datum["Value"]
        _check_value(value, f"{where}.Value")
        return Point(metric, unit, at, width, (value,))
    if given == ["StatisticValues"]:
        return Point(metric, unit, at, width, (), (), _summary(datum["StatisticValues"], where))
    values: Sequence[float] = datum.get("Values") or ()
    if not values:
        raise contradictory(
            f"At least one of the parameters {where}.Value, {where}.Values or {where}.StatisticValues must "
            "be specified."
        )
    if len(values) > MOST_VALUES:
        raise _too_many(f"{where}.Values", MOST_VALUES)
    counts: Sequence[float] = datum.get("Counts") or ()
    if counts and len(counts) != len(values):
        raise invalid(f"The parameters {where}.Values and {where}.Counts must be of the same size.")
    for number, value in enumerate(values, start=1):
        _check_value(value, f"{where}.Values.member.{number}")
    for number, count in enumerate(counts, start=1):
        _check_count(count, f"{where}.Counts.member.{number}")
    return Point(metric, unit, at, width, tuple(values), tuple(counts))


def _summary(given: Datum, where: str) -> Summary:
    where = f"{where}.StatisticValues"
    for name in ("SampleCount", "Sum", "Minimum", "Maximum"):
        if given.get(name) is None:
            raise missing(f"{where}.{name}")
        _check_value(given[name], f"{where}.{name}")
    _check_count(given["SampleCount"], f"{where}.SampleCount")
    if given["Minimum"] > given["Maximum"]:
        raise contradictory(f"The parameter {where}.Minimum must be less than or equal to {where}.Maximum.")
    return Summary(given["SampleCount"], given["Sum"], given["Minimum"], given["Maximum"])


def dimensions(given: Sequence[Datum], where: str) -> list[tuple[str, str]]:
    """Names and values that AWS would take; a name may come but once."""
    if len(given) > MOST_DIMENSIONS:
        raise _too_many(where, MOST_DIMENSIONS)
    found: dict[str, str] = {}
    for number, one in enumerate(given, start=1):
        name, value = one.get("Name"), one.get("Value")
        if not name:
            raise missing(f"{where}.member.{number}.Name")
        if not value:
            raise missing(f"{where}.member.{number}.Value")
        check_text(f"{where}.member.{number}.Name", name, 255)
        check_text(f"{where}.member.{number}.Value", value, 1024)
        if name.startswith(":") or name in found:
            raise invalid(f"The value {name} for parameter {where}.member.{number}.Name is invalid.")
        found[name] = value
    return list(found.items())


def check_text(parameter: str, text: str, most: int) -> None:
    if len(text) > most:
        raise invalid(f"The parameter {parameter} must be shorter than {most + 1} characters.")
    if not _is_ascii(text):
        raise invalid(f"The parameter {parameter} must contain only ASCII characters, none of them control.")
    if text.isspace():
        raise invalid(f"The parameter {parameter} must contain at least one non-whitespace character.")


@lru_cache(maxsize=8192)
def _is_ascii(text: str) -> bool:
    return text.isascii() and text.isprintable()


def check_namespace(namespace: str) -> None:
    check_text("Namespace", namespace, 255)
    if namespace.startswith((":", "AWS/")):
        raise invalid(f"The value {namespace} for parameter Namespace is invalid.")


def _check_value(value: float, where: str) -> None:
    if not -LARGEST <= value <= LARGEST:
        raise invalid(f"The value {_said(value)} for parameter {where} is invalid.")


def _check_count(count: float, where: str) -> None:
    if not 0 < count <= LARGEST:
        raise invalid(f"The value {_said(count)} for parameter {where} is invalid.")


def _said(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return f"{'-' if value < 0 else ''}Infinity" if math.isinf(value) else str(value)


def _time(given: datetime | None, where: str, now: datetime) -> float:
    if given is None:
        return now.timestamp()
    if given < now - OLDEST:
        raise invalid(
            f"The parameter {where} must specify a time within the past two weeks, and is "
            f"{given.isoformat()}."
        )
    if given > now + NEWEST:
        raise invalid(
            f"The parameter {where} must specify a time no more than two hours in the future, and is "
            f"{given.isoformat()}."
        )
    return given.timestamp()


def _too_many(collection: str, most: int) -> Exception:
    return invalid(f"The collection {collection} must not have a size greater than {most}.")
