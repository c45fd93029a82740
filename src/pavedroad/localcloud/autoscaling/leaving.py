"""Taking members out of a group: by termination, by detaching, or into standby."""

from __future__ import annotations

from datetime import datetime

from pavedroad.localcloud.autoscaling import journal, wording
from pavedroad.localcloud.autoscaling.model import Activity, Group, LifecycleState, Member, Region


def terminate(region: Region, group: Group, member: Member, cause: str, now: datetime) -> Activity:
    """The member drains, then EC2 terminates it, then it is gone. What is warmed need not drain."""
    if member.is_warmed:
        description = f"Terminating EC2 instance from warm pool: {member.id}"
        return _leave(region, group, member, cause, now, state="Warmed:Terminating", description=description)
    member.destination = "EC2"
    member.rebalancing = False
    description = wording.terminating(member.id)
    return _leave(region, group, member, cause, now, state="Terminating", description=description)


def detach(region: Region, group: Group, member: Member, cause: str, now: datetime) -> Activity:
    """The member drains, then is an instance of its own."""
    return _leave(
        region,
        group,
        member,
        cause,
        now,
        state="Detaching",
        description=f"Detaching EC2 instance: {member.id}",
        progress=50,
    )


def enter_standby(region: Region, group: Group, member: Member, cause: str, now: datetime) -> Activity:
    """The member drains, then stays in the group without counting."""
    return _leave(
        region,
        group,
        member,
        cause,
        now,
        state="EnteringStandby",
        description=f"Moving EC2 instance to Standby: {member.id}",
        progress=50,
    )


def cancel(member: Member, now: datetime) -> None:
    """What it was doing, and what it was waiting for."""
    member.actions.clear()
    if member.activity is not None:
        member.activity.end("Cancelled", now)
        member.activity = None


def _leave(
    region: Region,
    group: Group,
    member: Member,
    cause: str,
    now: datetime,
    *,
    state: LifecycleState,
    description: str,
    progress: int = 0,
) -> Activity:
    """What was under way is cancelled; the new activity ends when the member has left."""
    cancel(member, now)
    member.state = state
    member.activity = journal.begin(
        region,
        group,
        now,
        description=description,
        cause=cause,
        details=wording.details(member.subnet_id, member.zone),
        progress=progress,
    )
    return member.activity
