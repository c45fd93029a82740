"""The state that an instance is on its way to, as it reads it at its own metadata service."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling.model import Group, Member
from pavedroad.localcloud.ports import Compute


def tell(group: Group, compute: Compute) -> bool:
    """Tell every instance whose target has changed. Says whether there was one."""
    pool = "Warmed:Running" if group.warm_pool and group.warm_pool.state == "Running" else "Warmed:Stopped"
    changed = False
    for member in group.members.values():
        target = _target(member, pool)
        if target != member.told_target:
            member.told_target = target
            compute.show_target_state(member.id, target)
            changed = True
    return changed


def _target(member: Member, pool: str) -> str:
    if member.is_warmed:
        return "Warmed:Terminated" if member.is_ending else pool
    if member.is_ending:
        return pool if member.destination == "WarmPool" else "Terminated"
    if member.state in ("Standby", "EnteringStandby"):
        return "Standby"
    if member.state == "Detaching":
        return "Detached"
    return "Terminated" if member.state == "Terminating:Retained" else "InService"
