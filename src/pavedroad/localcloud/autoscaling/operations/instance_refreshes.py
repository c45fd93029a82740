"""Instance refreshes: start, cancel, roll back, describe."""

from __future__ import annotations

import uuid

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling import journal
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result
from pavedroad.localcloud.autoscaling.model import Group, Member
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.autoscaling.refresh import asked, matching, outcome, shown
from pavedroad.localcloud.autoscaling.refresh.model import Preferences, Progress, Refresh
from pavedroad.localcloud.autoscaling.sources import Source
from pavedroad.localcloud.errors import ServiceError

_MOST = 1000
"""Of one group; AWS tells of those of six weeks."""


def start(call: Call) -> Result:
    group = call.changeable_group()
    asked.refuse_second(group)
    asked.check_strategy(call)
    target = asked.target(call, group)
    preferences = asked.preferences(call, group, target)
    outdated = _outdated(call, group, preferences, target or group.source)
    warmed = sum(member.is_warmed for member in outdated)
    live = len(outdated) - warmed
    number = group.refreshes[-1].number + 1 if group.refreshes else 1
    oldest = call.now - journal.KEPT
    group.refreshes = [
        it for it in group.refreshes[1 - _MOST :] if it.ended_at is None or it.ended_at > oldest
    ]
    group.refreshes.append(
        Refresh(
            id=str(uuid.uuid4()),
            number=number,
            began_at=call.now,
            preferences=preferences,
            target=target,
            desired=call.get("DesiredConfiguration"),
            originals=frozenset(group.members),
            outdated={member.id for member in outdated},
            live=Progress(live, live),
            warm=Progress(warmed, warmed),
        )
    )
    group.forget_failures()
    return {"InstanceRefreshId": group.refreshes[-1].id}


def cancel(call: Call) -> Result:
    group = call.group()
    refresh = _active(group)
    refresh.waits_for_transitions = call.get("WaitForTransitioningInstances", True)
    refresh.status = "Cancelling"
    refresh.reason = "Cancelled due to user request."
    return {"InstanceRefreshId": refresh.id}


def roll_back(call: Call) -> Result:
    group = call.changeable_group()
    refresh = _active(group)
    if refresh.status == "Cancelling":
        raise _none_active(group)
    if refresh.target is None or asked.cannot_return_to(group.source):
        raise ServiceError(
            "IrreversibleInstanceRefresh",
            "The instance refresh cannot be rolled back: a desired configuration was not found, or the "
            "launch template version of the Auto Scaling group is $Latest or $Default.",
        )
    if refresh.rollback is None:
        outcome.roll_back(group, refresh, call.now, "Rollback initiated by a user request.")
    return {"InstanceRefreshId": refresh.id}


def describe(call: Call) -> Result:
    group = call.group()
    wanted = frozenset(call.texts("InstanceRefreshIds"))
    page, token = paging.page(
        (refresh for refresh in reversed(group.refreshes) if not wanted or refresh.id in wanted),
        key=lambda refresh: (f"{refresh.number:012}",),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=100),
        descending=True,
    )
    return {
        "InstanceRefreshes": [shown.instance_refresh(group, refresh) for refresh in page],
        "NextToken": token,
    }


def _outdated(call: Call, group: Group, preferences: Preferences, source: Source) -> list[Member]:
    """Who is to be replaced."""
    fitting = matching.matching(group, source, call.compute) if preferences.skips_matching else set[str]()
    return [
        member
        for member in group.members.values()
        if member.id not in fitting
        and (member.in_capacity or member.is_warmed or member.state == "Standby")
        and not member.is_ending
        and not (member.state == "Standby" and preferences.standby == "Ignore")
        and not (member.in_capacity and member.protected and preferences.protected == "Ignore")
    ]


def _active(group: Group) -> Refresh:
    if group.refresh is None:
        raise _none_active(group)
    return group.refresh


def _none_active(group: Group) -> ServiceError:
    return ServiceError(
        "ActiveInstanceRefreshNotFound",
        f"No in progress or pending Instance Refresh found for Auto Scaling group {group.name}",
    )


OPERATIONS: dict[str, Operation] = {
    "StartInstanceRefresh": start,
    "CancelInstanceRefresh": cancel,
    "RollbackInstanceRefresh": roll_back,
    "DescribeInstanceRefreshes": describe,
}
