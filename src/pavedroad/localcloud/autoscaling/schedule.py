"""Doing scheduled actions when they are due.

An action that was missed, because the cloud was stopped, is done when it is back: a recurring one once, for
its last missed time, and several of them in the order of those times. What was due while the group's
ScheduledActions process was suspended is not made up for.
"""

from __future__ import annotations

from datetime import datetime

from pavedroad.localcloud.autoscaling import cron, journal, wording
from pavedroad.localcloud.autoscaling.model import Group, Region
from pavedroad.localcloud.autoscaling.scaling import ScheduledAction


def run_due(region: Region, group: Group, now: datetime) -> bool:
    """Whether anything was done or forgotten."""
    actions = group.scaling.schedule
    if not actions:
        return False
    due = sorted(
        ((_last_due(action, now), action) for action in actions.values() if _is_due(action, now)),
        key=lambda pair: (pair[0], pair[1].name),
    )
    for _, action in due:
        if not group.deleting and not group.suspends("ScheduledActions"):
            _perform(region, group, action, now)
        if action.recurrence is None:
            del actions[action.name]
        else:
            action.next_at = cron.next_after(action.recurrence, action.time_zone, now)
    over = [action.name for action in actions.values() if _is_over(action, now)]
    for name in over:
        del actions[name]
    return bool(due or over)


def _is_due(action: ScheduledAction, now: datetime) -> bool:
    return action.next_at <= now and (action.end is None or action.next_at <= action.end)


def _is_over(action: ScheduledAction, now: datetime) -> bool:
    return action.end is not None and (action.next_at > action.end or now > action.end)


def _last_due(action: ScheduledAction, now: datetime) -> datetime:
    """The last time that it should have been done: much more than one may have passed."""
    if action.recurrence is None:
        return action.next_at
    until = now if action.end is None else min(now, action.end)
    return max(action.next_at, cron.last_until(action.recurrence, action.time_zone, until))


def _perform(region: Region, group: Group, action: ScheduledAction, now: datetime) -> None:
    minimum = group.minimum if action.minimum is None else action.minimum
    maximum = group.maximum if action.maximum is None else action.maximum
    desired = min(max(group.desired, minimum), maximum) if action.desired is None else action.desired
    if not minimum <= desired <= maximum:
        _tell_failure(region, group, action, now, (minimum, maximum, desired))
        return
    if desired != group.desired:
        group.request = wording.by_schedule(now, minimum, maximum, group.desired, desired)
    group.minimum, group.maximum, group.desired = minimum, maximum, desired
    group.scaling.cooldown_seconds = group.scaling.warmup_seconds = None
    group.forget_failures()


def _tell_failure(
    region: Region, group: Group, action: ScheduledAction, now: datetime, sizes: tuple[int, int, int]
) -> None:
    minimum, maximum, desired = sizes
    why = (
        f"Desired capacity:{desired} must be between the specified min size:{minimum} and max size:{maximum}"
        if minimum <= maximum
        else f"Max bound, {maximum}, must be greater than or equal to min bound, {minimum}"
    )
    failed = journal.begin(
        region,
        group,
        now,
        description=f"Executing scheduled action {action.name}.  Status Reason: {why}",
        cause=f"At {wording.moment(now)} the scheduled action {action.name} was due.",
    )
    failed.end("Failed", now, why[: wording.LONGEST_MESSAGE])
