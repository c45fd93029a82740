"""What has been done to groups, newest first."""

from __future__ import annotations

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling import journal, views
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, find_group
from pavedroad.localcloud.autoscaling.model import Activity
from pavedroad.localcloud.autoscaling.operations import settings


def describe(call: Call) -> Result:
    name: str | None = call.get("AutoScalingGroupName")
    deleted_too: bool = call.get("IncludeDeletedGroups", False)
    wanted = frozenset(call.texts("ActivityIds"))
    if name is not None and not deleted_too and not wanted:
        find_group(call.region, name)
    found = journal.newest_first(call.region, name, deleted_too=deleted_too or bool(wanted))
    shown, token = paging.page(
        (activity for activity in found if not wanted or activity.id in wanted),
        key=_key,
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=100, most=100),
        descending=True,
    )
    return {"Activities": [views.activity(call.region, activity) for activity in shown], "NextToken": token}


def _key(activity: Activity) -> paging.Key:
    return (f"{activity.number:012}",)


OPERATIONS: dict[str, Operation] = {"DescribeScalingActivities": describe}
