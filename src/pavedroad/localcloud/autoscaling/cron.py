"""When a cron expression is due, in a time zone and over its changes to and from daylight saving time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from croniter import CroniterBadDateError, CroniterError, croniter

_ATOM = r"(?:\*|[0-9]{1,2}|[A-Za-z]{3})"
_ELEMENT = rf"{_ATOM}(?:-{_ATOM})?(?:/[0-9]{{1,2}})?"
_FIELD = re.compile(rf"{_ELEMENT}(?:,{_ELEMENT})*")
_FIELDS = 5


def is_valid(expression: str) -> bool:
    """Five fields of Unix cron that some day match."""
    fields = expression.split()
    if len(fields) != _FIELDS or not all(_FIELD.fullmatch(field) for field in fields):
        return False
    try:
        croniter(" ".join(fields), datetime(2024, 1, 1, tzinfo=UTC)).get_next(datetime)
    except (CroniterError, CroniterBadDateError, ValueError):
        return False
    return True


@cache
def is_time_zone(name: str) -> bool:
    return name in available_timezones()


def next_after(expression: str, time_zone: str | None, moment: datetime) -> datetime:
    """The first time after `moment`. A local time that a change of clocks skips is due when they have
    changed; one that it repeats is due once, unless the expression is of every hour anyway."""
    found = croniter(expression, moment.astimezone(ZoneInfo(time_zone or "UTC")))
    due: datetime = found.get_next(datetime)
    while _is_repeated(due) and "*" not in expression.split()[1]:
        due = found.get_next(datetime)
    return due.astimezone(UTC)


def last_until(expression: str, time_zone: str | None, moment: datetime) -> datetime:
    """The last time up to `moment`."""
    zone = ZoneInfo(time_zone or "UTC")
    due: datetime = croniter(expression, (moment + timedelta(seconds=1)).astimezone(zone)).get_prev(datetime)
    return due.astimezone(UTC)


def _is_repeated(due: datetime) -> bool:
    """Whether the clocks have shown this time before."""
    return due.fold == 1 and due.utcoffset() != due.replace(fold=0).utcoffset()
