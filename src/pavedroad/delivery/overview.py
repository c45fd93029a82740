"""All clusters at a glance, each by itself: what cannot be seen now is shown as it last was, and says so."""

from __future__ import annotations

import asyncio
import logging

from pavedroad.clouds.ports import Cloud
from pavedroad.core.clock import Clock
from pavedroad.core.errors import CloudFailed, PavedError, Unavailable
from pavedroad.delivery import naming
from pavedroad.delivery.cluster import Cluster
from pavedroad.delivery.estate import Estate
from pavedroad.delivery.journal import Journal
from pavedroad.delivery.model import ApplicationView, ClusterView, RegionView
from pavedroad.delivery.views import unseen, view_cluster

_log = logging.getLogger(__name__)


class Overview:
    """Reads the clouds; keeps what each cluster last looked like."""

    def __init__(self, estate: Estate, journal: Journal, clock: Clock) -> None:
        self._estate = estate
        self._journal = journal
        self._clock = clock
        self._last: dict[str, ClusterView] = {}

    async def clusters(self) -> list[ClusterView]:
        """By name. Those of a region that does not answer are as they were last seen."""
        (found, silent), deployments = await asyncio.gather(self._estate.all(), self._journal.running())
        views = await asyncio.gather(
            *(self._view(cloud, cluster, deployments.get(cluster.name)) for cloud, cluster in found)
        )
        hidden = self._hidden({view.name: view for view in silent})
        self._last = {view.name: view for view in (*views, *hidden)}
        return sorted((*views, *hidden), key=lambda view: view.name)

    async def cluster(self, name: str) -> ClusterView:
        """As it is, or as it was last seen where its region does not answer."""
        last = self._last.get(name)
        if last is not None and (silent := await self._estate.silence(last.region)):
            return unseen(name, last.region, why(silent), last)
        try:
            view = await self._seen(name)
        except (CloudFailed, Unavailable) as error:
            if last is None:
                raise
            return unseen(name, last.region, f"Not known: {error.sentence}", last)
        self._last[name] = view
        return view

    async def _seen(self, name: str) -> ClusterView:
        found, deployments = await asyncio.gather(self._estate.find(name), self._journal.running())
        cloud, cluster = found
        return await self._estate.of(
            cloud.region, lambda cloud: view_cluster(cloud, cluster, deployments.get(name), self._clock.now())
        )

    async def applications(self) -> list[ApplicationView]:
        clusters: dict[str, list[str]] = {}
        owners: dict[str, str] = {}
        found, silent = await self._estate.all()
        for _, cluster in found:
            tags = cluster.groups[0].tags if cluster.groups else {}
            if cluster.balancer is not None:
                tags = {**cluster.balancer.tags, **tags}
            application = tags.get(naming.APPLICATION, cluster.name)
            clusters.setdefault(application, []).append(cluster.name)
            owners[application] = tags.get(naming.OWNER, "")
        for view in self._hidden({view.name: view for view in silent}):
            clusters.setdefault(view.application, []).append(view.name)
            owners.setdefault(view.application, view.owner)
        return [ApplicationView(name, owners[name], tuple(clusters[name])) for name in sorted(clusters)]

    def regions(self) -> list[RegionView]:
        return self._estate.regions()

    def _hidden(self, silent: dict[str, RegionView]) -> list[ClusterView]:
        """The clusters that were seen in regions which do not answer now, with the reason."""
        return [
            unseen(view.name, view.region, why(silent[view.region]), view)
            for view in self._last.values()
            if view.region in silent
        ]

    async def _view(self, cloud: Cloud, cluster: Cluster, deployment: str | None) -> ClusterView:
        try:
            return await self._estate.of(
                cloud.region, lambda cloud: view_cluster(cloud, cluster, deployment, self._clock.now())
            )
        except PavedError as error:
            reason = error.sentence
        except Exception as error:
            _log.exception("the cluster %s cannot be shown", cluster.name)
            reason = f"It cannot be shown: {type(error).__name__}: {error}."
        return unseen(cluster.name, cloud.region, reason, self._last.get(cluster.name))


def why(region: RegionView) -> str:
    """One sentence on a region that does not answer."""
    since = f" since {region.since:%H:%M:%S} UTC" if region.since is not None else ""
    return f"Not known: {region.name} has not answered{since}. {region.reason}"
