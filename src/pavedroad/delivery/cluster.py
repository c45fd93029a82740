"""A cluster as the cloud has it at one look, and the arithmetic of its traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pavedroad.clouds.model import Balancer, Listener, ServerGroup, TargetHealth
from pavedroad.clouds.ports import Cloud
from pavedroad.core.errors import CloudFailed, Conflict, NotFound
from pavedroad.delivery import naming

FULL = 100
"""The weight of a group that takes all of the traffic."""
MOST_ATTACHED = 5
"""Target groups in one forward action, by AWS's quota."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """`groups` are newest first, those being deleted among them. `odd` are names of groups that are tagged as
    the cluster's, but not called as one of it is: they are told of, and otherwise left alone."""

    name: str
    balancer: Balancer | None
    groups: tuple[ServerGroup, ...]
    odd: tuple[str, ...] = ()

    @property
    def listener(self) -> Listener:
        if self.balancer is None or not self.balancer.listeners:
            raise CloudFailed(f"The load balancer of the cluster {self.name} has no listener.")
        return self.balancer.listeners[0]

    @property
    def weights(self) -> dict[str, int]:
        """Weights by target group."""
        return dict(self.listener.weights) if self.balancer and self.balancer.listeners else {}

    def weight(self, group: ServerGroup) -> int:
        held = self.weights
        return sum(held.get(target_group, 0) for target_group in group.target_group_ids)

    def checks(self, group: ServerGroup) -> bool:
        """Whether the balancer checks a group's members: it does so for those that the listener knows."""
        held = self.weights
        return not held or any(target in held for target in group.target_group_ids)

    def share(self, group: ServerGroup) -> int:
        """Percent of the traffic."""
        total = sum(self.weights.values())
        return round(100 * self.weight(group) / total) if total else 0

    @property
    def present(self) -> tuple[ServerGroup, ...]:
        """The groups that are here to stay."""
        return tuple(group for group in self.groups if not group.deleting)

    @property
    def serving(self) -> tuple[ServerGroup, ...]:
        return tuple(group for group in self.present if self.weight(group) > 0)

    def group(self, name: str) -> ServerGroup:
        found = next((group for group in self.groups if group.name == name), None)
        if found is None:
            held = ", ".join(group.name for group in self.present) or "none"
            raise NotFound(
                f"There is no server group '{name}'.", next_step=f"The cluster {self.name} has: {held}."
            )
        return found

    def weights_with(self, *enabled: ServerGroup) -> dict[str, int]:
        """The listener's weights when just these take traffic. The newest others stay attached at zero, so
        that the balancer goes on checking their health and a rollback finds them warm."""
        shares = shares_by_capacity({group.name: group.desired for group in enabled})
        weights = {target: shares[group.name] for group in enabled for target in group.target_group_ids}
        if len(weights) > MOST_ATTACHED:
            raise _full(self.name)
        for target in (target for group in self.present for target in group.target_group_ids):
            if len(weights) < MOST_ATTACHED:
                weights.setdefault(target, 0)
        return weights

    def weights_attaching(self, target_group_id: str) -> dict[str, int]:
        """The listener's weights with one more target group at zero; where it holds no more, the oldest
        group without traffic makes room."""
        weights = self.weights
        if target_group_id in weights:
            return weights
        age = {target: place for place, group in enumerate(self.groups) for target in group.target_group_ids}
        idle = [target for target, weight in weights.items() if weight == 0]
        idle.sort(key=lambda target: age.get(target, len(age)))
        while len(weights) >= MOST_ATTACHED:
            if not idle:
                raise _full(self.name)
            del weights[idle.pop()]
        return {**weights, target_group_id: 0}

    def weights_without(self, *leaving: ServerGroup) -> dict[str, int]:
        """The listener's weights as they are, without these groups."""
        gone = {target_group for group in leaving for target_group in group.target_group_ids}
        return {target: weight for target, weight in self.weights.items() if target not in gone}


def _full(cluster: str) -> Conflict:
    return Conflict(
        f"{MOST_ATTACHED} server groups of {cluster} take traffic, and a listener holds no more.",
        next_step="Disable or destroy one first.",
    )


def shares_by_capacity(capacity: Mapping[str, int]) -> dict[str, int]:
    """Weights in proportion to size, the largest 100; a lone group has 100 whatever its size."""
    largest = max(capacity.values(), default=0)
    if largest == 0:
        return dict.fromkeys(capacity, FULL)
    return {name: max(1, round(FULL * size / largest)) for name, size in capacity.items()}


async def look(cloud: Cloud, cluster: str) -> Cluster:
    """Read a cluster, in parallel and as little as is needed."""
    balancer, groups = await asyncio.gather(
        _balancer(cloud, cluster), cloud.server_groups({naming.CLUSTER: cluster})
    )
    return gathered(cluster, balancer, groups)


def gathered(cluster: str, balancer: Balancer | None, groups: Sequence[ServerGroup]) -> Cluster:
    """A cluster of its balancer, if that is its own, and those of the groups that are tagged as its."""
    tagged = [group for group in groups if naming.cluster_of(group.tags) == cluster]
    ours = [group for group in tagged if naming.is_group_of(group.name, cluster)]
    own = balancer if balancer is not None and naming.cluster_of(balancer.tags) == cluster else None
    odd = tuple(group.name for group in tagged if group not in ours)
    return Cluster(cluster, own, newest_first(ours), odd)


def newest_first(groups: Sequence[ServerGroup]) -> tuple[ServerGroup, ...]:
    """By their making; a name's number only tells which of one second's is newer."""
    return tuple(sorted(groups, key=lambda group: (group.created_at, group.name), reverse=True))


async def _balancer(cloud: Cloud, cluster: str) -> Balancer | None:
    try:
        return await cloud.balancer(naming.balancing_name(cluster))
    except NotFound:
        return None


async def health_of(cloud: Cloud, group: ServerGroup) -> dict[str, TargetHealth]:
    """Each member's health as the balancer sees it; empty for a group without a target group."""
    answers = await asyncio.gather(*(_health(cloud, target) for target in group.target_group_ids))
    return {target.instance_id: target for targets in answers for target in targets}


async def _health(cloud: Cloud, target_group: str) -> list[TargetHealth]:
    try:
        return await cloud.target_health(target_group)
    except NotFound:
        return []


async def healthy_count(cloud: Cloud, group: ServerGroup) -> int:
    """How many members could answer a request now."""
    health = await health_of(cloud, group)
    return sum(1 for member in group.members if _is_healthy(health.get(member.instance_id)))


def _is_healthy(target: TargetHealth | None) -> bool:
    return target is not None and target.state == "healthy"
