"""Why an alarm is in its state, in AWS's words: a sentence and its JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from pavedroad.localcloud.monitoring.alarms.verdict import Criterion, Datapoint, Verdict
from pavedroad.localcloud.monitoring.model import StateValue

_OPERATORS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_SHOWN = 5
MOST_REASON = 1023


def reason(test: Criterion, verdict: Verdict, old: StateValue, new: StateValue, *, m_of_n: bool) -> str:
    if not verdict.evaluated:
        return _without_data(test, new)
    telling = verdict.breaching if new == "ALARM" else _not_breaching(verdict)
    shown = telling or verdict.evaluated
    listed = ", ".join(map(_datapoint, shown[:_SHOWN]))
    count, many = len(shown), len(shown) != 1
    denied = "" if new == "ALARM" else " not"
    compared = (
        f"{'were' if many else 'was'}{denied} {_OPERATORS[test.comparison]} the threshold ({test.threshold})"
    )
    filled = ""
    if verdict.missing and test.treatment in ("breaching", "notBreaching"):
        filled = f" and {_treated(test, verdict.missing)}"
    if not m_of_n:
        return f"Threshold Crossed: {_plural(count, 'datapoint')} [{listed}] {compared}{filled}."
    least = test.to_alarm if new == "ALARM" else test.periods - test.to_alarm + 1
    return (
        f"Threshold Crossed: {count} out of the last {test.periods} datapoints [{listed}] {compared}{filled} "
        f"(minimum {_plural(least, 'datapoint')} for {_transition(new)} transition)."
    )


def reason_data(
    test: Criterion, verdict: Verdict, *, statistic: str | None, period: int, unit: str | None, at: datetime
) -> str:
    newest_last = list(reversed(verdict.evaluated))
    data: dict[str, Any] = {"version": "1.0", "queryDate": stamp(at)}
    if newest_last:
        data["startDate"] = stamp(_moment(newest_last[0].start))
    if unit:
        data["unit"] = unit
    if statistic:
        data["statistic"] = statistic
    data |= {
        "period": period,
        "recentDatapoints": [point.value for point in newest_last],
        "threshold": test.threshold,
        "evaluatedDatapoints": [_evaluated(point) for point in verdict.evaluated],
    }
    return json.dumps(data, separators=(",", ":"))


def stamp(at: datetime) -> str:
    """As AWS writes times into JSON: `2026-01-02T03:04:05.678+0000`."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def spoken(at: datetime) -> str:
    """As AWS says times in composite alarms' reasons."""
    return f"{at.astimezone(UTC):%A %d %B, %Y %H:%M:%S} UTC"


def parsed(data: str | None) -> Mapping[str, Any] | None:
    """A reason's JSON; None where there is none, or a client has set something else."""
    try:
        found: Any = json.loads(data) if data else None
    except ValueError:
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _without_data(test: Criterion, new: StateValue) -> str:
    if new == "INSUFFICIENT_DATA":
        were = "was" if test.periods == 1 else "were"
        return f"Insufficient Data: {_plural(test.periods, 'datapoint')} {were} unknown."
    return (
        f"Threshold Crossed: no datapoints were received for {_plural(test.periods, 'period')} and "
        f"{_treated(test, test.periods)}."
    )


def _treated(test: Criterion, missing: int) -> str:
    as_what = "Breaching" if test.treatment == "breaching" else "NonBreaching"
    return (
        f"{_plural(missing, 'missing datapoint')} {'was' if missing == 1 else 'were'} treated as [{as_what}]"
    )


def _not_breaching(verdict: Verdict) -> Sequence[Datapoint]:
    return [point for point in verdict.evaluated if point not in verdict.breaching]


def _transition(new: StateValue) -> str:
    return "OK -> ALARM" if new == "ALARM" else "ALARM -> OK"


def _datapoint(point: Datapoint) -> str:
    return f"{point.value} ({_moment(point.start):%d/%m/%y %H:%M:%S})"


def _evaluated(point: Datapoint) -> dict[str, Any]:
    samples = {} if point.samples is None else {"sampleCount": point.samples}
    return {"timestamp": stamp(_moment(point.start)), **samples, "value": point.value}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
