"""A deployment, step by step, as a durable workflow.

Every step is idempotent: it looks before it acts, so it may run twice. Nothing takes traffic from the old
group before the flip, and what fails up to then is undone: the weights return to what they were, and what
was made is removed.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from pavedroad.clouds.model import ServerGroup
from pavedroad.clouds.ports import Cloud, CloudProvider
from pavedroad.core.clock import Clock
from pavedroad.core.errors import NotFound
from pavedroad.delivery import naming
from pavedroad.delivery.awaiting import HealthWait
from pavedroad.delivery.cluster import Cluster, healthy_count, look
from pavedroad.delivery.durable import Document, Durable
from pavedroad.delivery.failures import Cancelled, NotUp, StepRefused
from pavedroad.delivery.fencing import set_weights
from pavedroad.delivery.foreign import free_name
from pavedroad.delivery.journal import Journal
from pavedroad.delivery.model import Phase
from pavedroad.delivery.plan import (
    Made,
    Plan,
    cluster_tags,
    make_plan,
    server_group_spec,
    sizes_of,
    target_group_spec,
)
from pavedroad.delivery.removing import remove_target_group
from pavedroad.delivery.retiring import Retiring
from pavedroad.delivery.sizes import Sizes, of_group, of_manifest, of_new_group, together
from pavedroad.delivery.turns import Turn, Turns
from pavedroad.manifest.model import Manifest

WORKFLOW = "deploy"
STEPS = (
    "take-turn",
    "plan",
    "ensure-balancer",
    "ensure-target-group",
    "attach-at-zero",
    "create-server-group",
    "wait-until-healthy",
    "flip",
    "record",
)
"""The way of a deployment that goes well; one that does not ends with `withdraw` and `record-failure`."""

_TURN_PAUSE = 0.3


class Rollout:
    """The workflow and what it works with."""

    def __init__(
        self,
        *,
        clouds: CloudProvider,
        durable: Durable,
        turns: Turns,
        journal: Journal,
        retiring: Retiring,
        clock: Clock,
    ) -> None:
        self._clouds = clouds
        self._turns = turns
        self._durable = durable
        self._journal = journal
        self._retiring = retiring
        self._clock = clock
        durable.workflow(WORKFLOW, self._run)

    async def begin(self, deployment: str) -> None:
        """Start a deployment that is written down; started already is fine."""
        await self._durable.begin(WORKFLOW, deployment, await self._journal.document(deployment))

    async def take_up(self, deployment: str) -> None:
        """Begin what was written down but never begun, and end what can go on no more: as the cloud says that
        it went."""
        if not await self._durable.is_over(deployment):
            await self.begin(deployment)
            return
        if deployment not in await self._journal.unfinished():
            return  # it has ended while we asked
        document, group = await self._journal.document(deployment), await self._journal.group(deployment)
        manifest = Manifest.model_validate(document["manifest"])
        cluster = await look(self._clouds.region(manifest.region), str(manifest.cluster))
        if any(held.name == group for held in cluster.serving):
            sentence = f"It broke off after the flip: {group} takes {cluster.share(cluster.group(group))} %."
            await self._journal.note(deployment, Phase.FLIPPING, sentence)
            await self._journal.finish(deployment, Phase.SUCCEEDED)
        else:
            broken = "It broke off, and could not be taken up again; what it made may still be there."
            await self._journal.finish(deployment, Phase.FAILED, error=broken)

    async def _run(self, document: Document) -> None:
        deployment = str(document["deployment"])
        plan: Plan | None = None
        try:
            await self._durable.step("take-turn", lambda: self._take_turn(deployment))
            plan = Plan(**await self._durable.step("plan", lambda: self._plan(document)))
            run = _Run(deployment, document, plan, self._clouds)
            share = await self._roll_out(run)
        except StepRefused as refusal:
            await self._fail(deployment, document, plan, refusal)
            return
        await self._durable.step("record", lambda: self._record(run, share), gives_up=False)
        for group in run.plan.previous:
            await self._retiring.begin(
                run.retirement(group), run.region, run.plan.cluster, group, run.manifest.strategy
            )

    async def _roll_out(self, run: _Run) -> int:
        """Up to the flip; gives the new group's share of the traffic."""
        for name, work in (
            ("ensure-balancer", self._ensure_balancer),
            ("ensure-target-group", self._ensure_target_group),
            ("attach-at-zero", self._attach_at_zero),
            ("create-server-group", self._create_server_group),
            ("wait-until-healthy", self._wait_until_healthy),
        ):
            await self._durable.step(name, lambda work=work: work(run))
        return await self._durable.step("flip", lambda: self._flip(run))

    async def _fail(
        self, deployment: str, document: Document, plan: Plan | None, refusal: StepRefused
    ) -> None:
        leftover = ""
        if plan is not None:
            run = _Run(deployment, document, plan, self._clouds)
            try:
                await self._durable.step("withdraw", lambda: self._withdraw(run))
            except StepRefused as trouble:
                leftover = f" What it made could not all be removed: {trouble.sentence}"
        cancelled = refusal.why == Cancelled.code
        phase = Phase.CANCELLED if cancelled else Phase.FAILED
        await self._durable.step(
            "record-failure",
            lambda: self._journal.finish(
                deployment, phase, error=refusal.sentence + leftover, console=refusal.console
            ),
            gives_up=False,
        )

    async def _take_turn(self, deployment: str) -> None:
        while waiting_for := await self._journal.take_turn(deployment):
            await self._journal.note(deployment, Phase.QUEUED, waiting_for)
            await asyncio.sleep(_TURN_PAUSE)

    async def _plan(self, document: Document) -> dict[str, Any]:
        deployment, manifest = str(document["deployment"]), Manifest.model_validate(document["manifest"])
        image_id = str(document["image_id"])
        cloud = self._clouds.region(manifest.region)
        try:
            found, image = await asyncio.gather(look(cloud, str(manifest.cluster)), cloud.image(image_id))
        except NotFound as error:
            raise NotUp(
                f"There is no image {image_id} in {manifest.region}.", next_step="Bake it: paved bake."
            ) from error
        name = await free_name(cloud, manifest, found)
        made = Made(image_id, str(document["version"]), image.tags.get(naming.COMMIT, ""), deployment)
        told = str(document.get("capacity", ""))
        sizes = await self._sizes(manifest, found, told)
        plan = make_plan(manifest, made, found, name, sizes, keeps=not told)
        await self._journal.set_plan(deployment, server_group=plan.server_group)
        await self._journal.note(deployment, Phase.CREATING, _beginning(manifest, plan, found))
        return plan.document()

    async def _sizes(self, manifest: Manifest, cluster: Cluster, told: str) -> Sizes:
        """What the new group needs for the traffic that it is about to take."""
        losing = cluster.serving if manifest.strategy.kind != "none" else ()
        before = await self._journal.manifest_of(losing[0].name) if losing else None
        return of_new_group(
            of_manifest(manifest.capacity),
            of_manifest(before.capacity) if before is not None else None,
            together(of_group(group) for group in losing),
            told,
        )

    async def _ensure_balancer(self, run: _Run) -> None:
        await self._journal.check_cancel(run.deployment)
        plan, manifest = run.plan, run.manifest
        balancer = await run.cloud.ensure_balancer(
            plan.balancer,
            port=manifest.listen,
            tags={**cluster_tags(manifest), **plan.known_by},
            known_by=naming.of_cluster(plan.cluster),
        )
        await self._journal.set_url(run.deployment, balancer.url)

    async def _ensure_target_group(self, run: _Run) -> None:
        await run.cloud.ensure_target_group(target_group_spec(run.manifest, run.plan))

    async def _attach_at_zero(self, run: _Run) -> None:
        """The balancer checks the health of those groups only that its listener knows."""
        cluster, target_group = await asyncio.gather(
            look(run.cloud, run.plan.cluster), run.cloud.target_group(run.plan.target_group)
        )
        if target_group.id not in cluster.weights:
            weights = cluster.weights_attaching(target_group.id)
            await set_weights(run.cloud, cluster, weights, self._turn(run))

    async def _create_server_group(self, run: _Run) -> None:
        await self._journal.check_cancel(run.deployment)
        target_group = await run.cloud.target_group(run.plan.target_group)
        await run.cloud.create_server_group(server_group_spec(run.manifest, run.plan, target_group.id))

    async def _wait_until_healthy(self, run: _Run) -> None:
        async def told(sentence: str, until: datetime | None = None) -> None:
            await self._journal.note(run.deployment, Phase.WAITING, sentence, until)

        wanted = sizes_of(run.manifest, run.plan).desired
        while True:
            since = await self._journal.waiting_since(run.deployment)
            wait = HealthWait(
                run.cloud,
                self._clock,
                run.plan.server_group,
                wanted,
                within=run.manifest.strategy.boot_timeout,
                spent=(self._clock.now() - since).total_seconds() if since is not None else 0.0,
            )
            await wait.run(told, lambda: self._journal.check_cancel(run.deployment))
            await told(f"{wanted} of {wanted} healthy.")
            if (more := await self._keep_up(run, wanted)) is None:
                return
            wanted = more

    async def _keep_up(self, run: _Run, wanted: int) -> int | None:
        """More instances, where those that are to lose the traffic have become more meanwhile."""
        if not run.plan.keeps:
            return None
        cluster = await look(run.cloud, run.plan.cluster)
        group = cluster.group(run.plan.server_group)
        losing = together(of_group(held) for held in cluster.serving if held.name in run.plan.previous)
        if losing.desired <= wanted or group.desired > wanted:
            return None
        sizes = of_group(group).at_least(losing)
        await run.cloud.resize_server_group(
            group.name, minimum=sizes.minimum, maximum=sizes.maximum, desired=sizes.desired
        )
        return sizes.desired

    async def _flip(self, run: _Run) -> int:
        """One call moves the traffic. The health that allowed it is looked at anew: a process may have died
        in between, and come back much later."""
        cluster = await look(run.cloud, run.plan.cluster)
        group = cluster.group(run.plan.server_group)
        wanted = _weights_after(cluster, group, run.manifest)
        share = round(100 * sum(wanted[target] for target in group.target_group_ids) / sum(wanted.values()))
        if cluster.weights == wanted:
            return share
        healthy = await healthy_count(run.cloud, group)
        if healthy < sizes_of(run.manifest, run.plan).minimum:
            raise NotUp(
                f"{group.name} was healthy, but now only {healthy} of {group.desired} instances are: "
                "the traffic stays where it is."
            )
        await self._journal.enter_flip(run.deployment)
        await self._journal.note(run.deployment, Phase.FLIPPING, _flip_sentence(cluster, group))
        await set_weights(run.cloud, cluster, wanted, self._turn(run))
        return share

    async def _record(self, run: _Run, share: int) -> None:
        """Needs no cloud: whatever is wrong with it now, the traffic has moved."""
        plan = run.plan
        for name, sizes in plan.previous.items():
            await self._retiring.write_down(
                run.retirement(name), plan.cluster, name, Sizes(*sizes), run.manifest.strategy
            )
        sentence = f"{plan.server_group} takes {share} % of the traffic."
        await self._journal.note(run.deployment, Phase.FLIPPING, sentence)
        await self._journal.finish(run.deployment, Phase.SUCCEEDED)

    async def _withdraw(self, run: _Run) -> None:
        """Back to what was: the old weights first, then nothing left of what this deployment made."""
        await self._journal.note(
            run.deployment, Phase.ROLLING_BACK, f"Taking {run.plan.server_group} away again."
        )
        cloud, plan = run.cloud, run.plan
        cluster = await look(cloud, plan.cluster)
        if cluster.balancer is not None:
            standing = {target for group in cluster.present for target in group.target_group_ids}
            restored = {target: weight for target, weight in plan.before.items() if target in standing}
            if restored != cluster.weights:
                await set_weights(cloud, cluster, restored, self._turn(run))
        await cloud.delete_server_group(plan.server_group, known_by=plan.known_by)
        await remove_target_group(cloud, plan.server_group, known_by=plan.known_by)
        if plan.first:
            await cloud.delete_balancer(plan.balancer, known_by=plan.known_by)

    def _turn(self, run: _Run) -> Turn:
        return self._turns.held(run.plan.cluster, run.deployment)


class _Run:
    """One deployment's own facts."""

    def __init__(self, deployment: str, document: Document, plan: Plan, clouds: CloudProvider) -> None:
        self.deployment = deployment
        self.plan = plan
        self.manifest = Manifest.model_validate(document["manifest"])
        self.region = self.manifest.region
        self.cloud: Cloud = clouds.region(self.region)

    def retirement(self, group: str) -> str:
        return f"retire-{group}-{self.deployment}"


def _weights_after(cluster: Cluster, group: ServerGroup, manifest: Manifest) -> dict[str, int]:
    """All to the new group; strategy none shares with those that serve, by capacity."""
    if manifest.strategy.kind != "none":
        return cluster.weights_with(group)
    others = [held for held in cluster.serving if held.name != group.name]
    return cluster.weights_with(group, *others)


def _beginning(manifest: Manifest, plan: Plan, cluster: Cluster) -> str:
    serving, sizes = cluster.serving, sizes_of(manifest, plan)
    beside = f", beside {', '.join(group.name for group in serving)}" if serving else ""
    asked = of_manifest(manifest.capacity).desired
    instances = f"{sizes.desired} instance{'s' if sizes.desired != 1 else ''}"
    sized = f" with {instances} (paved.yaml says {asked})" if sizes.desired != asked else ""
    return f"Creating {plan.server_group}{sized}{beside}."


def _flip_sentence(cluster: Cluster, group: ServerGroup) -> str:
    losing = ", ".join(held.name for held in cluster.serving) or "nobody"
    return f"Moving the traffic from {losing} to {group.name}."
