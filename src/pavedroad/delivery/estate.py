"""Where clusters are: each lives in one region, found by its tags and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pavedroad.clouds.ports import Cloud, CloudProvider
from pavedroad.core.errors import NotFound
from pavedroad.core.names import ClusterName, ServerGroupName, is_server_group
from pavedroad.delivery import naming
from pavedroad.delivery.cluster import Cluster, look, newest_first


class Estate:
    """All clusters of all regions."""

    def __init__(self, clouds: CloudProvider, regions: Sequence[str]) -> None:
        self._clouds = clouds
        self._regions = tuple(regions)
        self._known: dict[str, str] = {}

    def cloud(self, region: str) -> Cloud:
        return self._clouds.region(region)

    async def all(self) -> list[tuple[Cloud, Cluster]]:
        """Every cluster, by name, from two calls a region."""
        found = await asyncio.gather(*(self._of_region(region) for region in self._regions))
        return sorted((pair for pairs in found for pair in pairs), key=lambda pair: pair[1].name)

    async def find(self, name: str) -> tuple[Cloud, Cluster]:
        """A cluster where it was last seen, else wherever it is."""
        ClusterName.parse(name)
        if (region := self._known.get(name)) is not None:
            cloud = self._clouds.region(region)
            if _exists(cluster := await look(cloud, name)):
                return cloud, cluster
        found = await self.search(name)
        if found is None:
            self._known.pop(name, None)
            raise NotFound(f"There is no cluster '{name}'.", next_step="List them: paved clusters.")
        return found

    async def search(self, name: str) -> tuple[Cloud, Cluster] | None:
        """A cluster in any region, if it is anywhere."""
        clouds = [self._clouds.region(region) for region in self._regions]
        for cloud, cluster in zip(
            clouds, await asyncio.gather(*(look(cloud, name) for cloud in clouds)), strict=True
        ):
            if _exists(cluster):
                self._known[name] = cloud.region
                return cloud, cluster
        return None

    async def find_group(self, name: str) -> tuple[Cloud, Cluster]:
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
        clouds = [self._clouds.region(region) for region in self._regions]
        answers = await asyncio.gather(*(cloud.instances([instance]) for cloud in clouds))
        for cloud, found in zip(clouds, answers, strict=True):
            if found:
                return cloud
        raise NotFound(f"There is no instance '{instance}'.", next_step="List them: paved status.")

    async def _of_region(self, region: str) -> list[tuple[Cloud, Cluster]]:
        cloud = self._clouds.region(region)
        groups, balancers = await asyncio.gather(cloud.server_groups(), cloud.balancers())
        names = {naming.cluster_of(thing.tags) for thing in (*groups, *balancers)} - {""}
        by_name = {naming.cluster_of(balancer.tags): balancer for balancer in balancers}
        self._known.update(dict.fromkeys(names, region))
        return [
            (
                cloud,
                Cluster(
                    name,
                    by_name.get(name),
                    newest_first([group for group in groups if naming.cluster_of(group.tags) == name]),
                ),
            )
            for name in names
        ]


def _exists(cluster: Cluster) -> bool:
    return bool(cluster.balancer or cluster.groups)
