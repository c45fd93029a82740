"""Names that are free to deploy under: what others made is told before anything changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from pavedroad.clouds.ownership import check_known
from pavedroad.clouds.ports import Cloud
from pavedroad.core.errors import NotFound
from pavedroad.delivery import naming
from pavedroad.delivery.cluster import Cluster
from pavedroad.delivery.plan import next_name
from pavedroad.manifest.model import Manifest


class _Tagged(Protocol):
    @property
    def tags(self) -> dict[str, str]: ...


async def free_name(cloud: Cloud, manifest: Manifest, cluster: Cluster) -> str:
    """The next server group's name, with nothing of that name in the way. A stranger's balancer, server
    group, launch template or target group is a Conflict; what an earlier deployment of this cluster had to
    leave is stepped over."""
    ours, litter = naming.of_cluster(cluster.name), set[str]()
    balancer = naming.balancing_name(cluster.name)
    for tags in await _tags(cloud.balancer(balancer)):
        check_known("load balancer", balancer, tags, ours)
    while True:
        name = next_name(manifest, cluster.groups, litter)
        targets = naming.balancing_name(name)
        made_for_it, behind_it = await asyncio.gather(
            cloud.in_the_way(name), _tags(cloud.target_group(targets))
        )
        for tags in made_for_it:
            check_known("server group or launch template", name, tags, ours)
        for tags in behind_it:
            check_known("target group", targets, tags, ours)
        if not made_for_it and not behind_it:
            return name
        litter.add(name)


async def _tags(asked: Awaitable[_Tagged]) -> list[dict[str, str]]:
    try:
        return [(await asked).tags]
    except NotFound:
        return []
