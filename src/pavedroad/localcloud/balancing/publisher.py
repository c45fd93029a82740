"""Tells the host what the stores want balanced, and only what has changed since it was told."""

from __future__ import annotations

from collections.abc import Callable

from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.balancing.routing import fronts, pools
from pavedroad.localcloud.balancing.store import Store
from pavedroad.localcloud.ports import Network
from pavedroad.localcloud.wanted import Front, Pool

NetworkOf = Callable[[str, str], Network]
"""(account, region) -> EC2's networks there."""


class Publisher:
    """Used with the state lock held."""

    def __init__(self, link: HostLink, network: NetworkOf) -> None:
        self._link = link
        self._network = network
        self._told: dict[tuple[str, str], tuple[dict[str, Pool], dict[str, Front]]] = {}

    def publish(self, store: Store) -> int:
        """Gives the revision in which the host has it all."""
        here = (store.account, store.region)
        old_pools, old_fronts = self._told.get(here, ({}, {}))
        new_pools, new_fronts = pools(store, self._network(*here)), fronts(store)
        self._told[here] = (new_pools, new_fronts)
        self._forget_left(old_pools, new_pools)
        return self._link.want_routing(
            {**dict.fromkeys(old_pools.keys() - new_pools.keys()), **new_pools},
            {**dict.fromkeys(old_fronts.keys() - new_fronts.keys()), **new_fronts},
        )

    def _forget_left(self, old: dict[str, Pool], new: dict[str, Pool]) -> None:
        """What was said of a target that has left must not be taken for it when it comes back."""
        for arn, pool in old.items():
            after = new.get(arn)
            if after is pool or (after is not None and after.targets == pool.targets):
                continue
            stay = {(it.id, it.port) for it in after.targets} if after else set[tuple[str, int]]()
            for target in pool.targets:
                if (target.id, target.port) not in stay:
                    self._link.actual.forget_target(arn, target.id, target.port)
