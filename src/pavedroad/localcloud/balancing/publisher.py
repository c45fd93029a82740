"""Tells the host what the stores want balanced, and only what has changed since it was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.balancing.call import IsUp
from pavedroad.localcloud.balancing.model import Member, TargetGroup
from pavedroad.localcloud.balancing.routing import fronts, pool_of, zones_up
from pavedroad.localcloud.balancing.store import Store
from pavedroad.localcloud.envoy.builder import pool_names
from pavedroad.localcloud.ports import Certificates, Network
from pavedroad.localcloud.wanted import Front, Pool

NetworkOf = Callable[[str, str], Network]
"""(account, region) -> EC2's networks there."""

CertificatesOf = Callable[[str, str], Certificates]
"""(account, region) -> ACM there."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A pool, and what it was made from."""

    group: TargetGroup
    members: tuple[Member, ...]
    zones: set[str]
    pool: Pool


@dataclass(frozen=True, slots=True)
class Published:
    """The revision in which the host has it all, and the listeners that are to serve something else."""

    revision: int
    listeners: frozenset[str]


class Publisher:
    """Used with the state lock held."""

    def __init__(self, link: HostLink, network: NetworkOf, certificates: CertificatesOf, is_up: IsUp) -> None:
        self._link = link
        self._network = network
        self._certificates = certificates
        self._is_up = is_up
        self._made: dict[str, _Made] = {}
        self._told: dict[tuple[str, str], tuple[dict[str, Pool], dict[str, Front]]] = {}

    def publish(self, store: Store) -> Published:
        """Pools whose targets have not changed stay as they are, so that a call costs the same however many
        targets there are: what has become of their instances the controller looks at."""
        here = (store.account, store.region)
        old_pools, old_fronts = self._told.get(here, ({}, {}))
        certificates = self._certificates(store.account, store.region)
        new_pools, new_fronts = self._pools(store), fronts(store, self._is_up, certificates)
        self._told[here] = (new_pools, new_fronts)
        self._forget_left(old_pools, new_pools)
        revision = self._link.want_routing(
            {**dict.fromkeys(old_pools.keys() - new_pools.keys()), **new_pools},
            {**dict.fromkeys(old_fronts.keys() - new_fronts.keys()), **new_fronts},
        )
        pools = {arn for arn, pool in new_pools.items() if _differs(pool, old_pools.get(arn))}
        changed = {
            arn
            for arn, front in new_fronts.items()
            if _differs(front, old_fronts.get(arn)) or pools & pool_names(front)
        }
        return Published(revision, frozenset(changed))

    def look_at(self, store: Store, group: TargetGroup, users: set[str]) -> None:
        """See each instance of a group anew, before the next `publish`; `users` are its balancers."""
        before = self._made.pop(group.arn, None)
        made = self._make(store, group, users)
        if before and before.pool == made.pool:
            self._made[group.arn] = replace(made, pool=before.pool)  # the same object is compared at once

    def _pools(self, store: Store) -> dict[str, Pool]:
        users = store.users()
        return {arn: self._make(store, store.groups[arn], using).pool for arn, using in users.items()}

    def _make(self, store: Store, group: TargetGroup, users: set[str]) -> _Made:
        members, zones = tuple(store.members_of(group.arn)), zones_up(store, users, self._is_up)
        made = self._made.get(group.arn)
        if made is None or (made.group, made.members, made.zones) != (group, members, zones):
            network = self._network(store.account, store.region)
            made = _Made(group, members, zones, pool_of(group, members, zones, network))
            self._made[group.arn] = made
        return made

    def _forget_left(self, old: dict[str, Pool], new: dict[str, Pool]) -> None:
        """What was said of a target that has left must not be taken for it when it comes back."""
        for arn, pool in old.items():
            after = new.get(arn)
            if after is None:
                self._made.pop(arn, None)
            elif after.targets == pool.targets:
                continue
            stay = {(it.id, it.port) for it in after.targets} if after else set[tuple[str, int]]()
            for target in pool.targets:
                if (target.id, target.port) not in stay:
                    self._link.actual.forget_target(arn, target.id, target.port)


def _differs(new: Pool | Front, old: Pool | Front | None) -> bool:
    return new is not old and new != old
