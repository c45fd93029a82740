"""Taking members out of a group: by termination, by detaching, or into standby."""

from __future__ import annotations

from datetime import datetime

from pavedroad.localcloud.autoscaling import journal, wording
from pavedroad.localcloud.autoscaling.model import Activity, Group, Member, Region


def terminate(region: Region, group: Group, member: Member, cause: str, now: datetime) -> Activity:
    """The member drains, then EC2 terminates it, then it is gone. What was under way is cancelled."""
    cancel(member, now)
    member.state = "Terminating"
    member.destination = "EC2"
    member.rebalancing = False
    member.activity = journal.begin(
        region,
        group,
        now,
        description=wording.terminating(member.id),
        cause=cause,
        details=wording.details(member.subnet_id, member.zone),
    )
    return member.activity


def terminate_warmed(region: Region, group: Group, member: Member, cause: str, now: datetime) -> Activity:
    """The same for one in the warm pool, which never was in a target group."""
    cancel(member, now)
    member.state = "Warmed:Terminating"
    member.activity = journal.begin(
        region,
        group,
        now,
        description=f"Terminating EC2 instance from warm pool: {member.id}",
        cause=cause,
        details=wording.details(member.subnet_id, member.zone),
    )
    return member.activity


def detach(region: Region, group: Group, member: Member, cause: str, now: datetime) -> Activity:
    """The member drains, then is an instance of its own."""
    cancel(member, now)
    member.state = "Detaching"
    member.activity = journal.begin(
        region,
        group,
        now,
        description=f"Detaching EC2 instance: {member.id}",
        cause=cause,
        details=wording.details(member.subnet_id, member.zone),
        progress=50,
    )
    return member.activity


def enter_standby(region: Region, group: Group, member: Member, cause: str, now: datetime) -> Activity:
    """The member drains, then stays in the group without counting."""
    cancel(member, now)
    member.state = "EnteringStandby"
    member.activity = journal.begin(
        region,
        group,
        now,
        description=f"Moving EC2 instance to Standby: {member.id}",
        cause=cause,
        details=wording.details(member.subnet_id, member.zone),
        progress=50,
    )
    return member.activity


def cancel(member: Member, now: datetime) -> None:
    """What it was doing, and what it was waiting for."""
    member.actions.clear()
    if member.activity is not None:
        member.activity.end("Cancelled", now)
        member.activity = None
