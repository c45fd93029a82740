"""Who of a group is in its target groups, and making that exact."""

from __future__ import annotations

from collections.abc import Iterator

from pavedroad.localcloud.autoscaling.model import LEAVING, Group, Member
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Balancers, Registration


class Membership:
    """The group's target groups as they were when the pass began, kept up with what the pass does."""

    def __init__(self, group: Group, balancers: Balancers) -> None:
        self.changed = False
        self._group = group
        self._balancers = balancers
        self._stale: set[str] = set()
        self._registered = {
            arn: dict(balancers.registrations(arn))
            for arn in group.target_groups
            if balancers.target_group_exists(arn)
        }

    def of(self, instance_id: str) -> list[Registration]:
        """The instance's registrations in target groups that the group is attached to."""
        return [
            registered[instance_id]
            for arn, registered in self._registered.items()
            if instance_id in registered and self._group.target_groups.get(arn) != "Removing"
        ]

    def holds(self, instance_id: str) -> bool:
        """Whether some target group still has it, if only draining."""
        return any(instance_id in registered for registered in self._registered.values())

    def correct(self) -> Iterator[None]:
        """Register who is in service, deregister who leaves, whatever anyone else has done meanwhile."""
        for arn, registered in self._registered.items():
            removing = self._group.target_groups[arn] == "Removing"
            for member in self._group.members.values():
                found = registered.get(member.id)
                serving = found is not None and found.state != "draining"
                if serving and (removing or _leaves(member)):
                    yield from self._deregister(arn, member.id)
                elif not serving and not removing and self._wanted(member):
                    yield from self._register(arn, member.id)
        self._reread()
        self._update_attachments()

    def _wanted(self, member: Member) -> bool:
        return (
            member.state == "InService"
            and member.health == "Healthy"
            and member.balanced
            and not self._group.suspends("AddToLoadBalancer")
        )

    def _register(self, arn: str, instance_id: str) -> Iterator[None]:
        try:
            self._balancers.register(arn, instance_id)
        except ServiceError:
            return  # The target group or the instance has just gone: the next pass sees which.
        self._stale.add(arn)
        yield

    def _deregister(self, arn: str, instance_id: str) -> Iterator[None]:
        try:
            self._balancers.deregister(arn, instance_id)
        except ServiceError:
            return
        self._stale.add(arn)
        yield

    def _reread(self) -> None:
        """See what came of it: a target without requests may have drained at once."""
        for arn in self._stale:
            self._registered[arn] = dict(self._balancers.registrations(arn))
            self.changed = True
        self._stale.clear()

    def _update_attachments(self) -> None:
        """AWS's states of an attachment; one that is removed and drained, or whose target group has been
        deleted, is gone."""
        attached = self._group.target_groups
        for arn in list(attached):
            registered = self._registered.get(arn)
            if attached[arn] == "Removing":
                if registered is None or not any(id_ in registered for id_ in self._group.members):
                    del attached[arn]
                    self.changed = True
                continue
            if registered is None:
                continue
            wanted = [member.id for member in self._group.members.values() if self._wanted(member)]
            state = attached[arn]
            if any(id_ in registered and registered[id_].state == "healthy" for id_ in wanted):
                state = "InService"
            elif state == "Adding" and all(id_ in registered for id_ in wanted):
                state = "Added"
            if state != attached[arn]:
                attached[arn] = state
                self.changed = True


def _leaves(member: Member) -> bool:
    return member.state in LEAVING or member.state == "Standby"
