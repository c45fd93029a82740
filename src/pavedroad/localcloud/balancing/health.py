"""How a registered target does, in ELBv2's words."""

from __future__ import annotations

from pavedroad.localcloud.api.actual import ActualView
from pavedroad.localcloud.balancing.call import IsUp
from pavedroad.localcloud.balancing.model import Member, TargetGroup
from pavedroad.localcloud.balancing.routing import enabled_zones
from pavedroad.localcloud.balancing.store import Store
from pavedroad.localcloud.ports import Network, Registration

_DRAINING = Registration(
    "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
)
_NOT_IN_USE = Registration(
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
_ZONE_NOT_ENABLED = Registration(
    "unused",
    "Target.NotInUse",
    "Target is in an Availability Zone that is not enabled for the load balancer",
)
_REGISTERING = Registration("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
_ZONE_IS_DOWN = Registration("unhealthy", "Target.Timeout", "Request timed out")
NOT_REGISTERED = Registration(
    "unused", "Target.NotRegistered", "Target is not registered to the target group"
)


class HealthOf:
    """The health of one target group's targets, as of now."""

    def __init__(
        self, store: Store, group: TargetGroup, network: Network, actual: ActualView, is_up: IsUp
    ) -> None:
        self._is_up = is_up
        self._group = group
        self._network = network
        self._actual = actual
        self._users = store.users().get(group.arn, set())
        self._zones = enabled_zones(store, self._users)

    def __call__(self, member: Member) -> Registration:
        if member.drain_until is not None:
            return _DRAINING
        if self._group.target_type == "instance" and (unusable := self._unusable(member)):
            return unusable
        if not self._users:
            return _NOT_IN_USE
        if not self._is_up(self._zone(member)):
            return _ZONE_IS_DOWN
        if (since := self._actual.lost_at) is not None:
            told = f"Health checks are not known: the host has not answered since {since:%H:%M:%S} UTC"
            return Registration("unavailable", "Elb.InternalError", told)
        status = self._actual.target(self._group.arn, member.id, member.port)
        if status is None:
            return _REGISTERING
        return Registration(status.state, status.reason, status.description)

    def _zone(self, member: Member) -> str:
        endpoint = self._network.endpoint(member.id) if self._group.target_type == "instance" else None
        return endpoint.zone if endpoint else member.zone

    def _unusable(self, member: Member) -> Registration | None:
        """What keeps an instance from being a target at all."""
        endpoint = self._network.endpoint(member.id)
        state = "terminated" if endpoint is None else endpoint.state
        if state == "pending":
            return _REGISTERING
        if endpoint is None or state != "running":
            return Registration("unused", "Target.InvalidState", f"Target is in the {state} state")
        if self._users and endpoint.zone not in self._zones:
            return _ZONE_NOT_ENABLED
        return None
