"""What delivery does, for the HTTP API, the portal and other services alike."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Unpack

from pydantic import ValidationError

from pavedroad.access.model import Principal
from pavedroad.access.service import Access
from pavedroad.clouds.model import ServerGroup
from pavedroad.clouds.ports import Cloud
from pavedroad.core.clock import Clock
from pavedroad.core.errors import Conflict, Guarded, InvalidInput, NotFound, Unavailable
from pavedroad.core.events import Event, Events
from pavedroad.core.showing import LINES, last_lines
from pavedroad.delivery import naming, traffic
from pavedroad.delivery.awaiting import console_tail
from pavedroad.delivery.cluster import Cluster
from pavedroad.delivery.durable import Durable
from pavedroad.delivery.estate import Estate
from pavedroad.delivery.following import follow_deployment
from pavedroad.delivery.journal import Journal, Order
from pavedroad.delivery.model import (
    FINAL,
    ApplicationView,
    ClusterView,
    DeploymentView,
    DeployRequest,
    Phase,
    Progress,
    RegionView,
    RollbackPlan,
    RollbackView,
    ServerGroupView,
)
from pavedroad.delivery.overview import Overview
from pavedroad.delivery.removing import Removing
from pavedroad.delivery.retiring import Retiring
from pavedroad.delivery.rolling_back import Asked, How, RollingBack
from pavedroad.delivery.rollout import Rollout
from pavedroad.delivery.turns import Turn, Turns
from pavedroad.delivery.views import view_group
from pavedroad.manifest.model import Manifest

MINDED_EVERY = 5.0
"""Seconds between looks at what broke off."""

_log = logging.getLogger(__name__)
_REMEMBERED = timedelta(days=30)


class Delivery:
    """Applications, clusters, server groups, deployments."""

    def __init__(
        self,
        *,
        durable: Durable,
        overview: Overview,
        estate: Estate,
        access: Access,
        journal: Journal,
        turns: Turns,
        rollout: Rollout,
        removing: Removing,
        retiring: Retiring,
        rolling_back: RollingBack,
        events: Events,
        clock: Clock,
        minded_every: float = MINDED_EVERY,
    ) -> None:
        self._durable = durable
        self._overview = overview
        self._estate = estate
        self._access = access
        self._journal = journal
        self._turns = turns
        self._rollout = rollout
        self._removing = removing
        self._retiring = retiring
        self._rolling_back = rolling_back
        self._events = events
        self._clock = clock
        self._minded_every = minded_every
        self._minding: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what was under way. To be called in the loop that serves."""
        await self._turns.forget_operations()
        self._durable.start()
        await self._durable.forget_finished(self._clock.now() - _REMEMBERED)
        for deployment in await self._journal.unfinished():
            if not await self._durable.is_over(deployment):
                await self._rollout.begin(deployment)
        self._minding = asyncio.create_task(self._mind())

    async def _mind(self) -> None:
        """End what broke off, as soon as its cloud and the database answer, so that its cluster is free."""
        while True:
            try:
                for deployment in await self._journal.unfinished():
                    if await self._durable.is_over(deployment):
                        await self._rollout.take_up(deployment)
            except Exception as error:
                _log.warning("what broke off cannot be ended yet: %s", error)
            await asyncio.sleep(self._minded_every)

    async def stop(self) -> None:
        """Leave all as it stands; the next start takes it up."""
        if self._minding is not None:
            self._minding.cancel()
        await self._durable.close()

    async def applications(self) -> list[ApplicationView]:
        return await self._overview.applications()

    async def clusters(self, application: str | None = None) -> list[ClusterView]:
        views = await self._overview.clusters()
        return [view for view in views if application in {None, view.application}]

    async def cluster(self, name: str) -> ClusterView:
        return await self._overview.cluster(name)

    def regions(self) -> list[RegionView]:
        """The regions, and which of them did not answer when they were last asked."""
        return self._overview.regions()

    async def server_group(self, name: str) -> ServerGroupView:
        cloud, cluster = await self._estate.find_group(name)
        return await view_group(cloud, cluster, cluster.group(name))

    async def console(self, instance_or_group: str, lines: int = LINES) -> str:
        """The last lines that an instance wrote, or each instance of a group in turn."""
        if instance_or_group.startswith("i-"):
            cloud = await self._estate.find_instance(instance_or_group)
            return last_lines(await cloud.console(instance_or_group), lines)
        cloud, cluster = await self._estate.find_group(instance_or_group)
        members = [member.instance_id for member in cluster.group(instance_or_group).members]
        texts = await asyncio.gather(*(console_tail(cloud, member, lines) for member in members))
        return "\n".join(f"==> {member} <==\n{text}\n" for member, text in zip(members, texts, strict=True))

    async def deploy(self, principal: Principal, request: DeployRequest) -> DeploymentView:
        """Accept a deployment; it goes on by itself, also over a restart."""
        if not self._durable.started:
            raise Unavailable("The platform is still starting.", next_step="Try again in a moment.")
        manifest = _manifest(request.manifest)
        name = str(manifest.cluster)
        detail: dict[str, Any] = {"image": request.image_id, "strategy": manifest.strategy.kind}
        if request.foreign_image:
            detail["foreign_image"] = True
        async with self._access.audit.watch(principal, "request-deploy", name, detail) as told:
            self._access.authorise(principal, "deploy")
            version, capacity = await self._version(request, manifest), str(request.capacity or "")
            order = Order(manifest, request.image_id, version, request.when_busy, capacity)
            await self._refuse_two_regions(name, manifest.region)
            deployment = await self._journal.open(principal, order)
            told["deployment"] = deployment
            await self._begin(deployment)
        self._changed(name, f"deployment {deployment} began")
        return await self._journal.view(deployment)

    async def redeploy(
        self,
        principal: Principal,
        cluster: str,
        image_id: str,
        *,
        foreign_image: bool = False,
        capacity: int | None = None,
    ) -> DeploymentView:
        """Another image under the manifest that the cluster was last deployed with."""
        manifest = await self._journal.last_manifest(cluster)
        if manifest is None:
            raise NotFound(
                f"The cluster {cluster} was never deployed from here, so its paved.yaml is not known.",
                next_step="Deploy it from its folder: paved deploy.",
            )
        request = DeployRequest(manifest, image_id, foreign_image=foreign_image, capacity=capacity)
        return await self.deploy(principal, request)

    async def images_under_way(self) -> set[str]:
        """The images that deployments are about to launch, or may yet."""
        return await self._journal.images_under_way()

    async def deployment(self, deployment: str) -> DeploymentView:
        return self._now(await self._journal.view(deployment))

    async def deployments(self, cluster: str | None = None, limit: int = 50) -> list[DeploymentView]:
        return [self._now(view) for view in await self._journal.views(cluster, limit)]

    def _now(self, view: DeploymentView) -> DeploymentView:
        """With why it waits just now, where it does."""
        trouble = "" if view.phase in FINAL else self._durable.trouble(view.id)
        return replace(view, trouble=trouble)

    def follow(self, deployment: str, after: int = 0) -> AsyncGenerator[Progress | DeploymentView]:
        """Each line of a deployment's story from the first on, then, when it has ended, its view."""
        return follow_deployment(self._journal, self._events, deployment, after)

    async def cancel(self, principal: Principal, deployment: str) -> DeploymentView:
        async with self._access.acting(principal, "cancel", deployment):
            await self._journal.cancel(deployment, principal.name)
        return await self._journal.view(deployment)

    async def rollback(
        self, principal: Principal, cluster: str, to: str | None = None, **how: Unpack[How]
    ) -> RollbackView:
        """Give the traffic back to what served last, or to a group that is named: at once when it is warm.
        One that is cold, or too small for it, is brought up first, or refused with what that takes."""
        return await self._rolling_back.roll_back(principal, cluster, Asked(to, **how))

    async def rollback_plan(
        self, cluster: str, to: str | None = None, capacity: int | None = None
    ) -> RollbackPlan:
        """What a rollback would do now."""
        return await self._rolling_back.plan(cluster, to, capacity)

    async def rollback_of(self, cluster: ClusterView) -> RollbackPlan | None:
        """What a rollback would do to a cluster as it is shown; None where there is nothing to go back to."""
        return await self._rolling_back.plan_of(cluster)

    async def enable(self, principal: Principal, group: str) -> ServerGroupView:
        async with self._changing(principal, "enable", group) as (cloud, cluster, found, turn):
            if await traffic.enable(cloud, cluster, found, self._clock, turn):
                await self._retiring.forget(group)
        return await self.server_group(group)

    async def disable(self, principal: Principal, group: str) -> ServerGroupView:
        async with self._changing(principal, "disable", group) as (cloud, cluster, found, turn):
            retire = partial(self._retiring.retire, cloud.region, cluster.name, found)
            await traffic.disable(cloud, cluster, found, turn, retire)
        return await self.server_group(group)

    async def resize(
        self, principal: Principal, group: str, minimum: int, desired: int, maximum: int
    ) -> ServerGroupView:
        """Also while a deployment runs: load does not wait for it."""
        detail = {"minimum": minimum, "desired": desired, "maximum": maximum}
        async with self._access.acting(principal, "resize", group, detail):
            if not 0 <= minimum <= desired <= maximum:
                raise InvalidInput(
                    f"The sizes {minimum}, {desired}, {maximum} do not hold "
                    "0 <= minimum <= desired <= maximum."
                )
            cloud, cluster = await self._estate.find_group(group)
            found = cluster.group(group)
            if found.deleting:
                raise Conflict(f"{group} is being deleted.")
            if desired == 0:
                await traffic.guard_last(cloud, cluster, found, "shrunk to nothing")
            await cloud.resize_server_group(group, minimum=minimum, maximum=maximum, desired=desired)
        self._changed(cluster.name, f"{group} was resized")
        return await self.server_group(group)

    async def destroy(self, principal: Principal, group: str) -> None:
        """Delete a group with all that was made for it; what it has in flight may drain."""
        async with self._changing(principal, "destroy", group) as (cloud, cluster, found, turn):
            await traffic.guard_last(cloud, cluster, found, "destroyed")
            await self._removing.remove(cloud, cluster, found, turn)
            await self._retiring.forget(group)

    async def destroy_cluster(self, principal: Principal, cluster: str) -> None:
        """Delete a cluster whole: its address, its groups, its traffic."""
        async with (
            self._access.acting(principal, "destroy-cluster", cluster),
            self._turns.operation(cluster, f"{principal.name} is destroying it") as turn,
        ):
            cloud, found = await self._estate.find(cluster)
            await self._removing.remove_cluster(cloud, found, turn)
            await self._turns.lineage.note(found, {})
            await self._retiring.forget(*(group.name for group in found.groups))
        self._changed(cluster, "it was destroyed")

    @asynccontextmanager
    async def _changing(
        self, principal: Principal, action: str, group: str
    ) -> AsyncGenerator[tuple[Cloud, Cluster, ServerGroup, Turn]]:
        """The one way to change a group's traffic: allowed, written down, and in the cluster's turn."""
        async with self._access.acting(principal, action, group):
            _, cluster = await self._estate.find_group(group)
            doing = f"{principal.name} wants to {action} {group}"
            async with self._turns.operation(cluster.name, doing) as turn:
                cloud, cluster = await self._estate.find(cluster.name)
                yield cloud, cluster, cluster.group(group), turn
        self._changed(cluster.name, f"{action} {group}")

    async def _begin(self, deployment: str) -> None:
        try:
            await self._rollout.begin(deployment)
        except Exception:
            sentence = "It could not be begun, and nothing was changed."
            await self._journal.finish(deployment, Phase.FAILED, error=sentence)
            raise

    async def _version(self, request: DeployRequest, manifest: Manifest) -> str:
        try:
            image = await self._estate.of(manifest.region, lambda cloud: cloud.image(request.image_id))
        except NotFound as error:
            raise NotFound(
                f"There is no image '{request.image_id}' in {manifest.region}.",
                next_step="Bake it: paved bake; or list the images: paved images.",
            ) from error
        application = image.tags.get(naming.APPLICATION)
        if application != manifest.application and not request.foreign_image:
            whose = f"of the application {application}" if application else "of no application"
            raise Guarded(
                f"The image {image.id} is {whose}, and the manifest is {manifest.application}'s.",
                next_step=f"Bake it for {manifest.application}: paved bake; or, if it is meant: "
                f"paved deploy --image {image.id} --foreign-image.",
            )
        return image.tags.get(naming.VERSION, "")

    async def _refuse_two_regions(self, name: str, region: str) -> None:
        """Where a region does not answer, the journal knows whether the cluster was deployed to it."""
        if await self._estate.in_region(region, name) is not None:
            return
        found, silent = await self._estate.search(name, but=region)
        if found is not None:
            raise Guarded(
                f"The cluster {name} lives in {found[0].region}; the manifest says {region}.",
                next_step="Give the other region's cluster a stack or detail of its own.",
            )
        if silent and (last := await self._journal.last_region(name)) in {view.name for view in silent}:
            raise Unavailable(
                f"The cluster {name} was last deployed to {last}, which does not answer; "
                f"the manifest says {region}.",
                next_step="Try again when it answers: paved status.",
            )

    def _changed(self, cluster: str, why: str) -> None:
        self._events.publish(Event("cluster.changed", cluster, {"why": why}))


def _manifest(document: dict[str, Any]) -> Manifest:
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "paved.yaml"
        why = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(
            f"The manifest's field {field} is not as it should be: {why}.",
            next_step="Check paved.yaml: paved validate.",
        ) from error
