"""Load balancers and target groups as those see them who publish what was measured of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pavedroad.localcloud.api.actual import ActualView
from pavedroad.localcloud.balancing.call import IsUp
from pavedroad.localcloud.balancing.classic.health import worst
from pavedroad.localcloud.balancing.classic.realising import group_arns
from pavedroad.localcloud.balancing.health import HealthOf
from pavedroad.localcloud.balancing.publisher import NetworkOf
from pavedroad.localcloud.balancing.store import Store, Stores
from pavedroad.localcloud.publishing.views import BalancerView, ClassicView, GroupView, MemberView


class MonitoredBalancing:
    """Looks with the state lock held, which may be given up between one view and the next."""

    def __init__(self, stores: Stores, network: NetworkOf, actual: ActualView, is_up: IsUp) -> None:
        self._stores = stores
        self._network = network
        self._actual = actual
        self._is_up = is_up

    def balancers(self) -> Iterator[BalancerView]:
        for store in self._stores:
            rules = Counter(rule.listener_arn for rule in store.rules.values())
            for balancer in store.balancers.values():
                if balancer.kind == "network":
                    continue  # its metrics would be of another namespace, which is not offered
                listeners = [it.arn for it in store.listeners_of(balancer.arn)]
                yield BalancerView(
                    (store.account, store.region),
                    balancer.path,
                    balancer.zones,
                    frozenset(listeners),
                    max((rules[it] - 1 for it in listeners), default=0),
                )

    def groups(self) -> Iterator[GroupView]:
        for store in self._stores:
            users = store.users()
            for arn in tuple(store.groups):
                if arn not in store.groups:
                    continue  # deleted since
                if store.groups[arn].streams and not store.groups[arn].classic:
                    continue
                paths = sorted(store.balancers[it].path for it in users.get(arn, ()) if it in store.balancers)
                members = tuple(self._members(store, arn))
                yield GroupView((store.account, store.region), arn, tuple(paths), members)

    def classics(self) -> Iterator[ClassicView]:
        for store in self._stores:
            network = self._network(store.account, store.region)
            for classic in tuple(store.classics.values()):
                listeners = store.listeners_of(classic.arn)
                found = worst(store, classic, network, self._actual, self._is_up)
                yield ClassicView(
                    (store.account, store.region),
                    classic.name,
                    frozenset(it.arn for it in listeners),
                    frozenset(it.arn for it in listeners if it.protocol in ("TCP", "SSL")),
                    frozenset(group_arns(classic)),
                    tuple(
                        MemberView(endpoint.zone, endpoint.address, 0, health.state)
                        for instance_id, health in found.items()
                        if (endpoint := network.endpoint(instance_id)) is not None
                    ),
                )

    def _members(self, store: Store, arn: str) -> Iterator[MemberView]:
        group, network = store.groups[arn], self._network(store.account, store.region)
        health_of = HealthOf(store, group, network, self._actual, self._is_up)
        for member in store.members_of(arn):
            endpoint = network.endpoint(member.id) if group.target_type == "instance" else None
            zone = endpoint.zone if endpoint else member.zone
            address = endpoint.address if endpoint else network.place(group.vpc_id, member.id)
            yield MemberView(zone, address, member.port, health_of(member).state)
