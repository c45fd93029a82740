"""Tells the host what the stores want balanced, and only what has changed since it was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.balancing.call import IsUp
from pavedroad.localcloud.balancing.model import Member, TargetGroup
from pavedroad.localcloud.balancing.routing import fronts, pool_of, zones_up
from pavedroad.localcloud.balancing.store import Store
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


class Publisher:
    """Used with the state lock held."""

    def __init__(self, link: HostLink, network: NetworkOf, certificates: CertificatesOf, is_up: IsUp) -> None:
        self._link = link
        self._network = network
        self._certificates = certificates
        self._is_up = is_up
        self._made: dict[str, _Made] = {}
        self._told: dict[tuple[str, str], tuple[dict[str, Pool], dict[str, Front]]] = {}

    def publish(self, store: Store, *, look: bool = False) -> int:
        """Gives the revision in which the host has it all.

        To `look` is to see each instance anew, for the controller; a call that has changed no target leaves
        the pools as they are, so that it costs the same however many targets there are.
        """
        here = (store.account, store.region)
        old_pools, old_fronts = self._told.get(here, ({}, {}))
        certificates = self._certificates(store.account, store.region)
        new_pools, new_fronts = self._pools(store, look), fronts(store, self._is_up, certificates)
        self._told[here] = (new_pools, new_fronts)
        self._forget_left(old_pools, new_pools)
        return self._link.want_routing(
            {**dict.fromkeys(old_pools.keys() - new_pools.keys()), **new_pools},
            {**dict.fromkeys(old_fronts.keys() - new_fronts.keys()), **new_fronts},
        )

    def _pools(self, store: Store, look: bool) -> dict[str, Pool]:
        network = self._network(store.account, store.region)
        found: dict[str, Pool] = {}
        for arn, users in store.users().items():
            group, members = store.groups[arn], tuple(store.members_of(arn))
            zones = zones_up(store, users, self._is_up)
            made = self._made.get(arn)
            if look or made is None or (made.group, made.members, made.zones) != (group, members, zones):
                made = _Made(group, members, zones, pool_of(group, members, zones, network))
                self._made[arn] = made
            found[arn] = made.pool
        return found

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
