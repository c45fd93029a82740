"""Target groups and classic load balancers as Auto Scaling groups use them (`Balancers`)."""

from __future__ import annotations

from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.health import HealthOf
from pavedroad.localcloud.balancing.model import Member, TargetGroup
from pavedroad.localcloud.balancing.targets import dismiss, enroll
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Balancers, Registration


class Membership:
    """Target groups of one account and region, by ARN. Changes are told to the host by the controller, a
    moment after the lock is let go, so that a thousand of them are told at once."""

    def __init__(self, look: Call) -> None:
        self._look = look
        self._store = look.store

    def exists(self, source: str) -> bool:
        return source in self._store.groups

    def register(self, source: str, instance_id: str) -> None:
        group = self._group(source)
        enroll(self._store, source, [Member(source, instance_id, group.port, "")])

    def deregister(self, source: str, instance_id: str) -> None:
        if source in self._store.groups:
            leaving = [it for it in self._store.members_of(source) if it.id == instance_id]
            dismiss(self._store, self._store.groups[source], leaving, self._look.clock)

    def registrations(self, source: str) -> dict[str, Registration]:
        look = self._look
        health_of = HealthOf(self._store, self._group(source), look.network, look.actual, look.is_up)
        return {member.id: health_of(member) for member in self._store.members_of(source)}

    def _group(self, arn: str) -> TargetGroup:
        if found := self._store.groups.get(arn):
            return found
        raise ServiceError("ValidationError", f"Target group '{arn}' not found")


class BothKinds:
    """Whatever has an ARN is a target group, and what has a name only a classic load balancer."""

    def __init__(self, target_groups: Balancers, classics: Balancers) -> None:
        self._target_groups = target_groups
        self._classics = classics

    def exists(self, source: str) -> bool:
        return self._of(source).exists(source)

    def register(self, source: str, instance_id: str) -> None:
        self._of(source).register(source, instance_id)

    def deregister(self, source: str, instance_id: str) -> None:
        self._of(source).deregister(source, instance_id)

    def registrations(self, source: str) -> dict[str, Registration]:
        return self._of(source).registrations(source)

    def _of(self, source: str) -> Balancers:
        return self._target_groups if source.startswith("arn:") else self._classics
