"""Target groups as Auto Scaling groups use them (`Balancers`)."""

from __future__ import annotations

from pavedroad.core.clock import Clock
from pavedroad.localcloud.api.actual import ActualView
from pavedroad.localcloud.balancing.call import IsUp
from pavedroad.localcloud.balancing.health import HealthOf
from pavedroad.localcloud.balancing.model import Member, TargetGroup
from pavedroad.localcloud.balancing.store import Store
from pavedroad.localcloud.balancing.targets import dismiss, enroll
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Network, Registration


class Membership:
    """One account and region. Changes are told to the host by the controller, a moment after the lock is
    let go, so that a thousand of them are told at once."""

    def __init__(self, store: Store, network: Network, actual: ActualView, clock: Clock, is_up: IsUp) -> None:
        self._is_up = is_up
        self._store = store
        self._network = network
        self._actual = actual
        self._clock = clock

    def target_group_exists(self, arn: str) -> bool:
        return arn in self._store.groups

    def register(self, arn: str, instance_id: str) -> None:
        group = self._group(arn)
        enroll(self._store, arn, [Member(arn, instance_id, group.port, "")])

    def deregister(self, arn: str, instance_id: str) -> None:
        if arn in self._store.groups:
            leaving = [it for it in self._store.members_of(arn) if it.id == instance_id]
            dismiss(self._store, self._store.groups[arn], leaving, self._clock)

    def registrations(self, arn: str) -> dict[str, Registration]:
        health_of = HealthOf(self._store, self._group(arn), self._network, self._actual, self._is_up)
        return {member.id: health_of(member) for member in self._store.members_of(arn)}

    def _group(self, arn: str) -> TargetGroup:
        if found := self._store.groups.get(arn):
            return found
        raise ServiceError("ValidationError", f"Target group '{arn}' not found")
