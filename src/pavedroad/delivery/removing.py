"""Taking server groups away: out of the traffic first, then the group, then what was made for it."""

from __future__ import annotations

import asyncio
import secrets

from pavedroad.clouds.model import ServerGroup
from pavedroad.clouds.ports import Cloud, CloudProvider
from pavedroad.core.errors import CloudFailed, NotFound
from pavedroad.delivery import naming
from pavedroad.delivery.cluster import Cluster
from pavedroad.delivery.durable import Document, Durable

WORKFLOW = "sweep"
_PAUSE = 1.0
_IN_USE_ATTEMPTS = 20


class Removing:
    """Removes groups; the sweep after a group's end is a durable workflow of its own."""

    def __init__(self, clouds: CloudProvider, durable: Durable) -> None:
        self._clouds = clouds
        self._durable = durable
        durable.workflow(WORKFLOW, self._sweep)

    async def start(self, cloud: Cloud, cluster: Cluster, *groups: ServerGroup) -> None:
        """The groups leave the listener in one step, then end; requests in flight may drain."""
        if cluster.balancer is not None and (left := cluster.weights_without(*groups)) != cluster.weights:
            await cloud.set_weights(cluster.listener, left)
        await asyncio.gather(*(cloud.delete_server_group(group.name) for group in groups))

    async def sweep_later(self, region: str, group: str) -> None:
        """Remove what is left of a group once its last instance is gone."""
        document = {"region": region, "server_group": group}
        await self._durable.begin(WORKFLOW, f"sweep-{group}-{secrets.token_hex(4)}", document)

    async def _sweep(self, document: Document) -> None:
        region, group = str(document["region"]), str(document["server_group"])
        await self._durable.step("sweep", lambda: self.sweep(region, group))

    async def sweep(self, region: str, group: str) -> None:
        """Wait until a group is gone - its instances drain - and remove its target group."""
        cloud = self._clouds.region(region)
        while (found := await _group(cloud, group)) is not None:
            if not found.deleting:
                return  # a new group of that name: what is there is its own
            await asyncio.sleep(_PAUSE)
        await remove_target_group(cloud, group)


async def remove_target_group(cloud: Cloud, group: str) -> None:
    """Remove a group's target group, waiting while a listener lets go of it."""
    name = naming.balancing_name(group)
    for attempt in range(_IN_USE_ATTEMPTS):
        try:
            await cloud.delete_target_group(name)
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
