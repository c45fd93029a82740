"""Out of the warm pool into the group when it grows, and back when it shrinks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pavedroad.localcloud.autoscaling import backoff, journal, spread, warmup, wording
from pavedroad.localcloud.autoscaling.model import ENDING, Group, Member, Region
from pavedroad.localcloud.autoscaling.warm.keeping import RESTING
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Compute


def draw(region: Region, group: Group, compute: Compute, cause: str, now: datetime) -> Iterator[None]:
    """Start prepared instances until the group has its capacity, in its leanest zones first."""
    if group.warm_pool is None or backoff.waits(group.launch_backoff, now):
        return
    counts = spread.count_by_zone(group.members.values())
    ready = _ready(group, now)
    missing = group.aim - group.capacity
    while missing > 0 and ready:
        zone = spread.leanest(counts, sorted(ready))
        member = ready[zone].pop()
        if _start(region, group, member, compute, cause=cause, now=now):
            counts[zone] = counts.get(zone, 0) + member.units
            missing -= member.units
        else:
            ready[zone].clear()
        if not ready[zone]:
            del ready[zone]
        yield


def room(group: Group) -> int:
    """How much of what is scaled in may go back into the pool."""
    pool = group.warm_pool
    if pool is None or pool.deleting or not pool.reuses:
        return 0
    held = sum(
        member.units
        for member in group.members.values()
        if (member.is_warmed and not member.is_ending)
        or (member.state in ENDING and member.destination == "WarmPool")
    )
    return max(0, pool.size(group.desired, group.maximum) - held)


def may_return(member: Member, room_left: int) -> bool:
    return member.units <= room_left and not member.unhooked and member.health == "Healthy"


def send_back(group: Group, member: Member) -> None:
    """It was drained and has passed its hooks: it rests from now on."""
    member.state = "Warmed:Pending"
    member.origin, member.destination = "AutoScalingGroup", "EC2"
    member.in_service_at = None
    member.protected = group.protects_new
    member.actions.clear()
    if member.activity is not None:
        member.activity.status = "InProgress"
        member.activity.description = wording.returning(member.id)


def _ready(group: Group, now: datetime) -> dict[str, list[Member]]:
    """By zone those at rest, the oldest last; not where launches are refused, nor what a refresh is about to
    replace."""
    outdated = group.refresh.outdated if group.refresh else set[str]()
    ready: dict[str, list[Member]] = {}
    for member in sorted(group.members.values(), key=lambda one: (one.launched_at, one.id), reverse=True):
        if (
            member.state in RESTING
            and member.health == "Healthy"
            and member.id not in outdated
            and member.zone in group.zones
            and not backoff.waits(group.refusing_zones.get(member.zone), now)
        ):
            ready.setdefault(member.zone, []).append(member)
    return ready


def _start(
    region: Region, group: Group, member: Member, compute: Compute, *, cause: str, now: datetime
) -> bool:
    description = f"Launching a new EC2 instance from warm pool: {member.id}"
    try:
        if member.state != "Warmed:Running":
            compute.start(member.id)
    except ServiceError as refusal:
        failed = journal.begin(
            region,
            group,
            now,
            description=f"{description}.  Status Reason: {refusal.message}",
            cause=cause,
            details=wording.details(member.subnet_id, member.zone),
        )
        failed.end("Failed", now, wording.launch_message(refusal.message))
        earlier = group.refusing_zones.get(member.zone)
        group.refusing_zones[member.zone] = backoff.after_failure(earlier, now)
        return False
    member.state, member.origin = "Pending", "WarmPool"
    member.warmup_seconds = warmup.at_launch(group)
    member.balanced = True
    member.activity = journal.begin(
        region,
        group,
        now,
        description=description,
        cause=cause,
        details=wording.details(member.subnet_id, member.zone),
        status="PreInService",
        progress=30,
    )
    return True
