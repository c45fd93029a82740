"""Labels of results, with what AWS substitutes in them: `${PROP('Dim.Host')} max ${MAX}`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from pavedroad.localcloud.monitoring.expressions.values import Line
from pavedroad.localcloud.monitoring.refusals import refused

_PART = re.compile(r"\$\{\s*([A-Z_]+)\s*(?:\(\s*'([^']*)'\s*\))?\s*\}")
_ZONE = re.compile(r"([+-])([0-9]{2})([0-9]{2})")

_Values = list[float]
_NUMBERS: dict[str, Callable[[_Values], float]] = {
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
    "SUM": sum,
    "FIRST": lambda values: values[0],
    "LAST": lambda values: values[-1],
    "MINMAXRANGE": lambda values: max(values) - min(values),
    "DATAPOINT_COUNT": lambda values: float(len(values)),
}


def zone_of(text: str | None) -> timezone:
    if text is None:
        return UTC
    match = _ZONE.fullmatch(text)
    if match is None or int(match[2]) > 23 or int(match[3]) > 59:
        raise refused(f"The value {text} for parameter LabelOptions.Timezone is not of the form +0130.")
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-offset if match[1] == "-" else offset)


def written(label: str | None, line: Line, zone: timezone) -> str:
    """The query's label with everything put in; the line's own where there is none."""
    if label is None:
        return line.label
    return _PART.sub(lambda match: _part(match[1], match[2], line, zone), label)


def _part(name: str, argument: str | None, line: Line, zone: timezone) -> str:
    if name == "LABEL":
        return line.label
    if name == "PROP":
        known = dict(line.properties)
        return line.label if argument == "MetricLabel" else known.get(argument or "", "")
    values = list(line.points.values())
    if name in _NUMBERS:
        return f"{_NUMBERS[name](values):g}" if values else "--"
    if name.endswith("_TIME") and (base := name.removesuffix("_TIME")) in ("MIN", "MAX", "FIRST", "LAST"):
        return _time(base, line, zone)
    return "${" + name + "}"


def _time(base: str, line: Line, zone: timezone) -> str:
    if not line.points:
        return "--"
    starts = list(line.points)
    at = {
        "FIRST": starts[0],
        "LAST": starts[-1],
        "MIN": min(starts, key=line.points.__getitem__),
        "MAX": max(starts, key=line.points.__getitem__),
    }[base]
    return f"{datetime.fromtimestamp(at, UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}"
