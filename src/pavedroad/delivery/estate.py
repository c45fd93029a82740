"""Where clusters are: each lives in one region, found by its tags and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pavedroad.clouds.ports import Cloud
from pavedroad.core.errors import NotFound
from pavedroad.core.names import ClusterName, ServerGroupName, is_server_group
from pavedroad.delivery import naming
from pavedroad.delivery.cluster import Cluster, gathered, look
from pavedroad.delivery.model import RegionView
from pavedroad.delivery.regions import Answer, Regions, unknown

Found = tuple[Cloud, Cluster]


class Estate:
    """All clusters of all regions."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._known: dict[str, str] = {}

    async def of(self, region: str, work: Callable[[Cloud], Awaitable[Answer]]) -> Answer:
        """What one region answers, in time or not at all."""
        return await self._regions.one(region, work)

    def regions(self) -> list[RegionView]:
        """How each region did when it was last asked."""
        return self._regions.views()

    async def silence(self, region: str) -> RegionView | None:
        """Whether a region is silent still."""
        return await self._regions.silence(region)

    async def all(self) -> tuple[list[Found], list[RegionView]]:
        """Every cluster of the regions that answer, by name, by two calls each; and those that do not."""
        found, silent = await self._regions.all(self._of_region)
        return sorted((pair for pairs in found for pair in pairs), key=lambda pair: pair[1].name), silent

    async def find(self, name: str) -> Found:
        """A cluster where it was last seen, else wherever it is."""
        ClusterName.parse(name)
        if (region := self._known.get(name)) is not None and (found := await self.in_region(region, name)):
            return found
        found, silent = await self.search(name)
        if found is not None:
            return found
        self._known.pop(name, None)
        if silent:
            raise unknown(f"The cluster {name}", silent)
        raise NotFound(f"There is no cluster '{name}'.", next_step="List them: paved clusters.")

    async def in_region(self, region: str, name: str) -> Found | None:
        """A cluster, if it is in this region."""
        found = await self._regions.one(region, lambda cloud: _looked(cloud, name))
        if found is not None:
            self._known[name] = region
        return found

    async def search(self, name: str, *, but: str = "") -> tuple[Found | None, list[RegionView]]:
        """A cluster in any region `but` one; when it is in none, those that do not answer."""
        found, silent = await self._regions.first(lambda cloud: _looked(cloud, name), but=but)
        if found is not None:
            self._known[name] = found[0].region
        return found, silent

    async def find_group(self, name: str) -> Found:
        """The cluster of a server group that exists."""
        if not is_server_group(name):
            raise NotFound(
                f"There is no server group '{name}': its name ends in a version such as -v003.",
                next_step="List them: paved clusters.",
            )
        try:
            cloud, cluster = await self.find(str(ServerGroupName.parse(name).cluster))
        except NotFound as error:
            raise NotFound(f"There is no server group '{name}'.", next_step=error.next_step) from error
        cluster.group(name)
        return cloud, cluster

    async def find_instance(self, instance: str) -> Cloud:
        """The cloud that knows an instance."""

        async def known(cloud: Cloud) -> Cloud | None:
            return cloud if await cloud.instances([instance]) else None

        found, silent = await self._regions.first(known)
        if found is not None:
            return found
        if silent:
            raise unknown(f"The instance {instance}", silent)
        raise NotFound(f"There is no instance '{instance}'.", next_step="List them: paved status.")

    async def _of_region(self, cloud: Cloud) -> list[Found]:
        groups, balancers = await asyncio.gather(cloud.server_groups(), cloud.balancers())
        names = {naming.cluster_of(thing.tags) for thing in (*groups, *balancers)} - {""}
        by_name = {balancer.name: balancer for balancer in balancers}
        self._known.update(dict.fromkeys(names, cloud.region))
        return [(cloud, gathered(name, by_name.get(naming.balancing_name(name)), groups)) for name in names]


async def _looked(cloud: Cloud, name: str) -> Found | None:
    cluster = await look(cloud, name)
    return (cloud, cluster) if cluster.balancer or cluster.groups or cluster.odd else None
