"""Who of a group its sources of traffic have, and making that exact."""

from __future__ import annotations

from collections.abc import Iterator

from pavedroad.localcloud.autoscaling.model import LEAVING, AttachmentState, Group, Member
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Balancers, Registration


class Membership:
    """The group's target groups and classic load balancers as they were when the pass began, kept up with
    what the pass does."""

    def __init__(self, group: Group, balancers: Balancers) -> None:
        self.changed = False
        self._group = group
        self._balancers = balancers
        self._stale: set[str] = set()
        self._registered = {
            source: dict(balancers.registrations(source))
            for source in (*group.target_groups, *group.load_balancers)
            if balancers.exists(source)
        }

    def of(self, instance_id: str) -> list[Registration]:
        """The instance's registrations in sources that the group is attached to."""
        return [
            registered[instance_id]
            for source, registered in self._registered.items()
            if instance_id in registered and self._table(source).get(source) != "Removing"
        ]

    def holds(self, instance_id: str) -> bool:
        """Whether some source still has it, if only draining."""
        return any(instance_id in registered for registered in self._registered.values())

    def correct(self) -> Iterator[None]:
        """Register who is in service, deregister who leaves, whatever anyone else has done meanwhile."""
        for source, registered in self._registered.items():
            removing = self._table(source)[source] == "Removing"
            for member in self._group.members.values():
                found = registered.get(member.id)
                serving = found is not None and found.state != "draining"
                if serving and (removing or _leaves(member)):
                    yield from self._deregister(source, member.id)
                elif not serving and not removing and self._wanted(member):
                    yield from self._register(source, member.id)
        self._reread()
        self._update_attachments()

    def _table(self, source: str) -> dict[str, AttachmentState]:
        group = self._group
        return group.target_groups if source in group.target_groups else group.load_balancers

    def _wanted(self, member: Member) -> bool:
        return (
            member.state == "InService"
            and member.health == "Healthy"
            and member.balanced
            and not self._group.suspends("AddToLoadBalancer")
        )

    def _register(self, source: str, instance_id: str) -> Iterator[None]:
        try:
            self._balancers.register(source, instance_id)
        except ServiceError:
            return  # The source or the instance has just gone: the next pass sees which.
        self._stale.add(source)
        yield

    def _deregister(self, source: str, instance_id: str) -> Iterator[None]:
        try:
            self._balancers.deregister(source, instance_id)
        except ServiceError:
            return
        self._stale.add(source)
        yield

    def _reread(self) -> None:
        """See what came of it: a target without requests may have drained at once."""
        for source in self._stale:
            self._registered[source] = dict(self._balancers.registrations(source))
            self.changed = True
        self._stale.clear()

    def _update_attachments(self) -> None:
        """AWS's states of an attachment; one that is removed and drained, or whose source has been
        deleted, is gone."""
        for source in (*self._group.target_groups, *self._group.load_balancers):
            attached = self._table(source)
            registered = self._registered.get(source)
            if attached[source] == "Removing":
                if registered is None or not any(id_ in registered for id_ in self._group.members):
                    del attached[source]
                    self.changed = True
                continue
            if registered is None:
                continue
            wanted = [member.id for member in self._group.members.values() if self._wanted(member)]
            state = attached[source]
            if any(id_ in registered and registered[id_].state == "healthy" for id_ in wanted):
                state = "InService"
            elif state == "Adding" and all(id_ in registered for id_ in wanted):
                state = "Added"
            if state != attached[source]:
                attached[source] = state
                self.changed = True


def _leaves(member: Member) -> bool:
    return member.state in LEAVING or member.state == "Standby"
