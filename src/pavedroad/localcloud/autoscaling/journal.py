"""The activities of a region's groups: begun, found, and forgotten after six weeks."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from pavedroad.localcloud.autoscaling import wording
from pavedroad.localcloud.autoscaling.model import Activity, Group, Region, StatusCode

KEPT = timedelta(weeks=6)
MOST = 10_000
"""Of one group: one that fails to launch all day long would fill the memory in six weeks."""


def begin(
    region: Region,
    group: Group,
    now: datetime,
    *,
    description: str,
    cause: str,
    details: str = "{}",
    status: StatusCode = "InProgress",
    progress: int = 0,
) -> Activity:
    region.activities_begun += 1
    activity = Activity(
        id=str(uuid.uuid4()),
        number=region.activities_begun,
        group_name=group.name,
        group_arn=group.arn,
        description=description,
        cause=cause[: wording.LONGEST_CAUSE],
        started_at=now,
        details=details,
        status=status,
        progress=progress,
    )
    activities = region.activities.setdefault(group.arn, [])
    activities.append(activity)
    # Now and then: where more are under way than are kept, none can be dropped, and all are looked through.
    if len(activities) > MOST and len(activities) % (MOST // 10) == 0:
        activities[:-MOST] = [it for it in activities[:-MOST] if it.ended_at is None]
    group.untold.append(activity)
    return activity


def has_open(region: Region, group: Group) -> bool:
    """Whether something is under way in the group."""
    return any(member.activity is not None for member in group.members.values())


def newest_first(region: Region, group_name: str | None, *, deleted_too: bool) -> Iterator[Activity]:
    """A group's activities, or all; those of deleted groups only when asked for."""
    living = {group.arn for group in region.groups.values()}
    found = [
        reversed(activities)
        for arn, activities in region.activities.items()
        if (deleted_too or arn in living)
        and activities
        and (group_name is None or activities[0].group_name == group_name)
    ]
    return heapq.merge(*found, key=lambda activity: activity.number, reverse=True)


def forget_old(region: Region, now: datetime) -> None:
    """Activities that ended over six weeks ago, and the logs of deleted groups once they are empty."""
    oldest = now - KEPT
    living = {group.arn for group in region.groups.values()}
    for arn in list(region.activities):
        activities = region.activities[arn]
        if activities and activities[0].started_at < oldest:
            activities[:] = [
                activity
                for activity in activities
                if activity.ended_at is None or activity.ended_at >= oldest
            ]
        if not activities and arn not in living:
            del region.activities[arn]
