"""Whether an instance in service is still well, and in AWS's words why not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pavedroad.localcloud.autoscaling import wording
from pavedroad.localcloud.autoscaling.model import Member
from pavedroad.localcloud.ports import Machine, Registration


def is_gone(machine: Machine | None) -> bool:
    return machine is None or machine.state == "terminated"


def is_down(machine: Machine | None) -> bool:
    """Ended or ending."""
    return machine is None or machine.state not in ("pending", "running")


def in_grace(member: Member, grace_seconds: int, now: datetime) -> bool:
    """Young enough that failing health checks are forgiven."""
    started = member.in_service_at
    return started is None or now < started + timedelta(seconds=grace_seconds)


def illness(
    member: Member,
    machine: Machine | None,
    registrations: Iterable[Registration],
    *,
    asks_balancers: bool,
    grace_seconds: int,
    now: datetime,
) -> str | None:
    """Why it has to be replaced, or None. An instance that is down gets no grace."""
    if is_down(machine):
        return wording.TERMINATED_OR_STOPPED
    if in_grace(member, grace_seconds, now):
        return None
    if machine is not None and machine.impaired:
        return wording.STATUS_CHECK_FAILED
    if asks_balancers and any(registration.state == "unhealthy" for registration in registrations):
        return wording.BALANCER_CHECK_FAILED
    return None
