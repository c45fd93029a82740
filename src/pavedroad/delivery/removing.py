"""Taking server groups away: out of the traffic first, then the group, then what was made for it.

A removal is followed up by a durable workflow that begins before anything is taken away: should the process
die in between, it finishes what was begun, and at last it sweeps up what was made for the groups.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence

from pavedroad.access.audit import Audit
from pavedroad.access.model import Principal
from pavedroad.access.naming import CLEANER
from pavedroad.clouds.model import ServerGroup
from pavedroad.clouds.ports import Cloud, CloudProvider
from pavedroad.core.errors import CloudFailed, NotFound
from pavedroad.delivery import naming
from pavedroad.delivery.cluster import Cluster, look
from pavedroad.delivery.durable import Document, Durable
from pavedroad.delivery.fencing import set_weights
from pavedroad.delivery.turns import Turn, Turns

WORKFLOW = "remove"
_PAUSE = 1.0
_IN_USE_ATTEMPTS = 20
_CLEANER = Principal(CLEANER, frozenset())


class Removing:
    """Removes groups, and clusters whole."""

    def __init__(self, clouds: CloudProvider, durable: Durable, turns: Turns, audit: Audit) -> None:
        self._clouds = clouds
        self._durable = durable
        self._turns = turns
        self._audit = audit
        durable.workflow(WORKFLOW, self._follow_up)

    async def remove(self, cloud: Cloud, cluster: Cluster, group: ServerGroup, turn: Turn) -> None:
        """Remove a group for good. To be called in the cluster's turn, as `remove_cluster` is."""
        await self._begin(cloud, cluster, (group,), whole=False)
        await self.start(cloud, cluster, turn, group)

    async def remove_cluster(self, cloud: Cloud, cluster: Cluster, turn: Turn) -> None:
        """Remove a cluster: its address first, then all of its groups."""
        await self._begin(cloud, cluster, cluster.groups, whole=True)
        await turn.check()
        if cluster.balancer is not None:
            await cloud.delete_balancer(cluster.balancer.name, known_by=naming.of_cluster(cluster.name))
        await _delete(cloud, cluster, cluster.present)

    async def start(self, cloud: Cloud, cluster: Cluster, turn: Turn, *groups: ServerGroup) -> None:
        """The groups leave the listener in one step, then end; requests in flight may drain."""
        if cluster.balancer is not None and (left := cluster.weights_without(*groups)) != cluster.weights:
            await set_weights(cloud, cluster, left, turn)
        await turn.check()
        await _delete(cloud, cluster, groups)

    async def _begin(
        self, cloud: Cloud, cluster: Cluster, groups: Sequence[ServerGroup], *, whole: bool
    ) -> None:
        document: Document = {
            "region": cloud.region,
            "cluster": cluster.name,
            "groups": {group.name: group.created_at.isoformat() for group in groups},
            "whole": whole,
        }
        await self._durable.begin(WORKFLOW, f"remove-{cluster.name}-{secrets.token_hex(6)}", document)

    async def _follow_up(self, document: Document) -> None:
        await self._durable.step("finish-removal", lambda: self._finish(document))
        for group in document["groups"]:
            await self._durable.step("sweep", lambda group=group: self.sweep(document["region"], group))

    async def _finish(self, document: Document) -> None:
        """Once whoever began it is done or dead, remove what is left - as a rule, nothing."""
        name, cloud = str(document["cluster"]), self._clouds.region(str(document["region"]))
        await self._turns.operations_end(name)
        if not _left(document, await look(cloud, name)):
            return
        async with self._turns.operation(name, "a removal is being finished", patient=True) as turn:
            cluster = await look(cloud, name)
            left = _left(document, cluster)
            for group in left:
                await self._audit.begin(_CLEANER, "destroy", group.name)
            await self.start(cloud, cluster, turn, *left)
        for group in left:
            await self._audit.record(_CLEANER, "destroy", group.name, "done")

    async def sweep(self, region: str, group: str) -> None:
        """Wait until a group is gone - its instances drain - and remove its target group."""
        cloud = self._clouds.region(region)
        while (found := await _group(cloud, group)) is not None:
            if not found.deleting:
                return  # a new group of that name: what is there is its own
            await asyncio.sleep(_PAUSE)
        await remove_target_group(cloud, group, known_by=naming.of_group(group))


def _left(document: Document, cluster: Cluster) -> list[ServerGroup]:
    """A group that takes traffic and a cluster that has its address were never begun with, or have come
    back: they stay."""
    if document["whole"] and cluster.balancer is not None:
        return []
    meant = document["groups"]
    return [
        group
        for group in cluster.present
        if meant.get(group.name) == group.created_at.isoformat() and cluster.weight(group) == 0
    ]


async def _delete(cloud: Cloud, cluster: Cluster, groups: Sequence[ServerGroup]) -> None:
    ours = naming.of_cluster(cluster.name)
    await asyncio.gather(*(cloud.delete_server_group(group.name, known_by=ours) for group in groups))


async def remove_target_group(cloud: Cloud, group: str, *, known_by: Mapping[str, str]) -> None:
    """Remove a group's target group, waiting while a listener lets go of it."""
    name = naming.balancing_name(group)
    for attempt in range(_IN_USE_ATTEMPTS):
        try:
            await cloud.delete_target_group(name, known_by=known_by)
        except CloudFailed as error:
            if error.aws_code != "ResourceInUse" or attempt == _IN_USE_ATTEMPTS - 1:
                raise
        else:
            return
        await asyncio.sleep(_PAUSE / 4)


async def _group(cloud: Cloud, name: str) -> ServerGroup | None:
    try:
        return await cloud.server_group(name)
    except NotFound:
        return None
