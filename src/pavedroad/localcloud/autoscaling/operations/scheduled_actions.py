"""Scheduled actions: put, describe and delete, one by one and in batches."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling import cron
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, find_group, refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.autoscaling.scaling import ScheduledAction
from pavedroad.localcloud.errors import ServiceError

MOST_ACTIONS = 125
MOST_IN_A_BATCH = 50

Entry = Mapping[str, Any]


def put(call: Call) -> Result:
    group = call.changeable_group()
    _put_one(call, group, call.parameters)
    return None


def put_batch(call: Call) -> Result:
    group = call.changeable_group()
    entries = call.entries("ScheduledUpdateGroupActions")
    failed = _each(
        [(entry["ScheduledActionName"], entry) for entry in entries], lambda e: _put_one(call, group, e)
    )
    return {"FailedScheduledUpdateGroupActions": failed}


def delete(call: Call) -> Result:
    _delete_one(call.group(), call.parameters["ScheduledActionName"])
    return None


def delete_batch(call: Call) -> Result:
    group = call.group()
    names = call.texts("ScheduledActionNames")
    return {
        "FailedScheduledActions": _each([(name, name) for name in names], lambda n: _delete_one(group, n))
    }


def describe(call: Call) -> Result:
    group_name: str | None = call.get("AutoScalingGroupName")
    groups = call.region.groups
    chosen = (
        [find_group(call.region, group_name)] if group_name else [groups[name] for name in sorted(groups)]
    )
    names = frozenset(call.texts("ScheduledActionNames"))
    earliest, latest = _moment(call.get("StartTime")), _moment(call.get("EndTime"))

    def is_wanted(action: ScheduledAction) -> bool:
        if names:
            return action.name in names or action.arn in names
        return (earliest is None or action.next_at >= earliest) and (
            latest is None or action.next_at <= latest
        )

    shown, token = paging.page(
        (
            (group, action)
            for group in chosen
            for _, action in sorted(group.scaling.schedule.items())
            if is_wanted(action)
        ),
        key=lambda pair: (pair[0].name, pair[1].name),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=100),
    )
    return {"ScheduledUpdateGroupActions": [_shown(*pair) for pair in shown], "NextToken": token}


def _put_one(call: Call, group: Group, asked: Entry) -> None:
    name: str = asked["ScheduledActionName"]
    schedule = group.scaling.schedule
    start = _start(asked, call.now)
    end = _moment(asked.get("EndTime"))
    if end is not None and end <= call.now:
        raise refused("Given end time is in the past")
    if end is not None and start is not None and end <= start:
        raise refused("Given end time must be after the given start time")
    recurrence: str | None = asked.get("Recurrence")
    if recurrence is not None and not cron.is_valid(recurrence):
        raise refused(f"Given recurrence string: {recurrence} is invalid")
    time_zone: str | None = asked.get("TimeZone")
    if time_zone is not None and not cron.is_time_zone(time_zone):
        raise refused(f"Given time zone: {time_zone} is invalid")
    if start is None and recurrence is None:
        raise refused("StartTime or Recurrence must be specified")
    _check_sizes(asked)
    next_at = start or cron.next_after(recurrence or "", time_zone, call.now)
    if any(other.next_at == next_at for other in schedule.values() if other.name != name):
        raise ServiceError(
            "AlreadyExists",
            f"A scheduled action with the start time {next_at:%Y-%m-%dT%H:%M:%SZ} already exists",
        )
    if name not in schedule and len(schedule) >= MOST_ACTIONS:
        raise ServiceError("LimitExceeded", f"A group has at most {MOST_ACTIONS} scheduled actions.")
    schedule[name] = ScheduledAction(
        name=name,
        arn=schedule[name].arn if name in schedule else _arn(call, group, name),
        start=start,
        end=end,
        recurrence=recurrence,
        time_zone=time_zone,
        minimum=asked.get("MinSize"),
        maximum=asked.get("MaxSize"),
        desired=asked.get("DesiredCapacity"),
        next_at=next_at,
    )


def _start(asked: Entry, now: datetime) -> datetime | None:
    """StartTime, or Time as it was once called."""
    start, time = _moment(asked.get("StartTime")), _moment(asked.get("Time"))
    if start and time and start != time:
        raise refused("StartTime and Time can't differ")
    start = start or time
    if start is not None and start <= now:
        raise refused("Given start time is in the past")
    return start


def _check_sizes(asked: Entry) -> None:
    minimum, maximum, desired = (asked.get(name) for name in ("MinSize", "MaxSize", "DesiredCapacity"))
    if minimum is None and maximum is None and desired is None:
        raise refused("At least one of MinSize, MaxSize and DesiredCapacity must be specified")
    given = [size for size in (minimum, maximum, desired) if size is not None]
    if min(given) < 0:
        raise refused("MinSize, MaxSize and DesiredCapacity must not be negative")
    least, most = minimum or 0, max(given) if maximum is None else maximum
    settings.check_bounds(least, most, min(max(least, 0), most) if desired is None else desired)


def _delete_one(group: Group, name: str) -> None:
    for action in group.scaling.schedule.values():
        if name in (action.name, action.arn):
            del group.scaling.schedule[action.name]
            return
    raise refused(f"Scheduled action name not found - Scheduled action {name} not found")


def _each(entries: Iterable[tuple[str, Any]], do: Callable[[Any], None]) -> list[Entry]:
    """Do it for every entry; those that are refused are named with the reason."""
    found = list(entries)
    if len(found) > MOST_IN_A_BATCH:
        raise refused(f"At most {MOST_IN_A_BATCH} scheduled actions can be given at a time")
    failed: list[Entry] = []
    for name, entry in found:
        try:
            do(entry)
        except ServiceError as refusal:
            failed.append(
                {"ScheduledActionName": name, "ErrorCode": refusal.code, "ErrorMessage": refusal.message}
            )
    return failed


def _moment(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _shown(group: Group, action: ScheduledAction) -> Entry:
    return {
        "AutoScalingGroupName": group.name,
        "ScheduledActionName": action.name,
        "ScheduledActionARN": action.arn,
        "Time": action.next_at,
        "StartTime": action.next_at,
        "EndTime": action.end,
        "Recurrence": action.recurrence,
        "MinSize": action.minimum,
        "MaxSize": action.maximum,
        "DesiredCapacity": action.desired,
        "TimeZone": action.time_zone,
    }


def _arn(call: Call, group: Group, name: str) -> str:
    return (
        f"arn:aws:autoscaling:{call.region.name}:{call.region.account}:scheduledUpdateGroupAction:"
        f"{uuid.uuid4()}:autoScalingGroupName/{group.name}:scheduledActionName/{name}"
    )


OPERATIONS: dict[str, Operation] = {
    "PutScheduledUpdateGroupAction": put,
    "BatchPutScheduledUpdateGroupAction": put_batch,
    "DeleteScheduledAction": delete,
    "BatchDeleteScheduledAction": delete_batch,
    "DescribeScheduledActions": describe,
}
