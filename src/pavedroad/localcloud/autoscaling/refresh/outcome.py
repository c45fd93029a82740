"""How an instance refresh ends: in success after its bake time, in failure, or on the way back."""

from __future__ import annotations

from datetime import datetime, timedelta

from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.refresh.model import Refresh, Rollback


def finish(group: Group, refresh: Refresh, now: datetime) -> None:
    """All is replaced that was to be."""
    if refresh.rollback is not None:
        refresh.end("RollbackSuccessful", now, refresh.rollback.reason)
    elif refresh.preferences.bake_seconds:
        refresh.status = "Baking"
        refresh.bakes_until = now + timedelta(seconds=refresh.preferences.bake_seconds)
        refresh.reason = f"Waiting {refresh.preferences.bake_seconds} seconds of bake time."
    else:
        succeed(group, refresh, now)


def succeed(group: Group, refresh: Refresh, now: datetime) -> None:
    """The group launches from the new configuration from now on."""
    if refresh.target is not None:
        group.source = refresh.target
    refresh.end("Successful", now, "")


def fail(group: Group, refresh: Refresh, now: datetime, reason: str) -> None:
    group.surge = 0
    if refresh.rollback is not None:
        refresh.end("RollbackFailed", now, reason)
    elif refresh.preferences.rolls_back:
        roll_back(group, refresh, now, reason)
    else:
        refresh.end("Failed", now, reason)


def roll_back(group: Group, refresh: Refresh, now: datetime, reason: str) -> None:
    """Whatever was launched by the refresh is replaced by what the group is set to launch."""
    launched = [
        member
        for member in group.members.values()
        if not member.is_ending and member.id not in refresh.originals
    ]
    refresh.rollback = Rollback(
        reason,
        now,
        refresh.live.percent,
        refresh.live.remaining,
        sum(not member.is_warmed for member in launched),
    )
    refresh.outdated = {member.id for member in launched}
    refresh.originals = frozenset(group.members)
    refresh.live.total = refresh.live.remaining = refresh.rollback.total
    refresh.warm.total = refresh.warm.remaining = sum(member.is_warmed for member in launched)
    refresh.status = "RollbackInProgress"
    refresh.reason = ""
    refresh.paused_until = refresh.bakes_until = None
    refresh.progressed_at = now
    group.forget_failures()
