"""What a deployment is about to make, decided once and kept."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass, field
from typing import Any

from pavedroad.clouds.model import HealthCheck, ServerGroup, ServerGroupSpec, TargetGroupSpec
from pavedroad.core.errors import Conflict
from pavedroad.core.names import ServerGroupName
from pavedroad.delivery import naming
from pavedroad.delivery.cluster import Cluster
from pavedroad.delivery.sizes import Sizes, of_manifest
from pavedroad.manifest.model import Manifest


@dataclass(frozen=True, slots=True)
class Plan:
    """`before` are the listener's weights that a failure returns to; `previous` are the groups that lose the
    traffic, with their sizes (minimum, desired, maximum); `first` means that the cluster has no balancer yet,
    so that a failure removes it again; `work` is whose all is that it makes; the new group has `sizes`, and
    `keeps` up with those that lose the traffic. What is empty was not kept when the plan was written."""

    cluster: str
    server_group: str
    balancer: str
    target_group: str
    image_id: str
    version: str
    before: dict[str, int]
    previous: dict[str, list[int]]
    first: bool
    work: str = ""
    commit: str = ""
    sizes: list[int] = field(default_factory=list[int])
    keeps: bool = False

    @property
    def known_by(self) -> dict[str, str]:
        """The tags of what this deployment made, and nobody else."""
        return {naming.WORK: self.work} if self.work else naming.of_group(self.server_group)

    def document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Made:
    """What is to be launched: an image with the version and commit in it, as the deployment `work`."""

    image_id: str
    version: str
    commit: str
    work: str


def make_plan(
    manifest: Manifest, made: Made, cluster: Cluster, name: str, sizes: Sizes, *, keeps: bool
) -> Plan:
    """`name` is the new group's: one that `next_name` gave and that is free."""
    _check_port(manifest, cluster)
    losing = {"red-black": cluster.serving, "highlander": cluster.present, "none": ()}[manifest.strategy.kind]
    return Plan(
        cluster=cluster.name,
        server_group=name,
        balancer=naming.balancing_name(cluster.name),
        target_group=naming.balancing_name(name),
        image_id=made.image_id,
        version=made.version,
        before=cluster.weights,
        previous={group.name: [group.minimum, group.desired, group.maximum] for group in losing},
        first=cluster.balancer is None,
        work=made.work,
        commit=made.commit,
        sizes=[sizes.minimum, sizes.desired, sizes.maximum],
        keeps=keeps,
    )


def _check_port(manifest: Manifest, cluster: Cluster) -> None:
    """The address is the cluster's, shared by its groups: it does not change with one of them."""
    if cluster.balancer is not None and cluster.listener.port != manifest.listen:
        raise Conflict(
            f"The cluster {cluster.name} listens on port {cluster.listener.port}; "
            f"the manifest says listen: {manifest.listen}.",
            next_step="Keep the port, destroy the cluster first, or deploy under another stack or detail.",
        )


def next_name(manifest: Manifest, groups: Sequence[ServerGroup], litter: Set[str] = frozenset()) -> str:
    """The push after the newest group's, those being deleted included; v000 follows v999. `litter` are names
    of which something is left that could not be removed."""
    taken = {group.name for group in groups} | litter
    newest = ServerGroupName.parse(groups[0].name) if groups else None
    name = newest.next() if newest is not None else ServerGroupName.first(manifest.cluster)
    for _ in range(len(taken)):
        if str(name) not in taken:
            break
        name = name.next()
    if str(name) in taken:
        raise Conflict(f"The cluster {manifest.cluster} has no free server group name left.")
    return str(name)


def tags(manifest: Manifest, plan: Plan) -> dict[str, str]:
    """What the cloud is told about a server group and its target group."""
    return {
        **cluster_tags(manifest),
        naming.SERVER_GROUP: plan.server_group,
        naming.VERSION: plan.version,
        **({naming.COMMIT: plan.commit} if plan.commit else {}),
        naming.IMAGE: plan.image_id,
        naming.MANIFEST_DIGEST: manifest.digest,
        **plan.known_by,
    }


def cluster_tags(manifest: Manifest) -> dict[str, str]:
    return {
        naming.APPLICATION: manifest.application,
        naming.CLUSTER: str(manifest.cluster),
        naming.OWNER: manifest.owner,
    }


def target_group_spec(manifest: Manifest, plan: Plan) -> TargetGroupSpec:
    check = manifest.health
    return TargetGroupSpec(
        name=plan.target_group,
        port=manifest.port,
        health_check=HealthCheck(
            path=check.path,
            interval_seconds=math.ceil(check.interval),
            timeout_seconds=math.ceil(check.timeout),
            healthy_threshold=check.healthy,
            unhealthy_threshold=check.unhealthy,
            matcher=check.matcher,
        ),
        deregistration_delay_seconds=math.ceil(manifest.strategy.drain),
        tags=tags(manifest, plan),
        known_by=plan.known_by,
    )


def sizes_of(manifest: Manifest, plan: Plan) -> Sizes:
    return Sizes(*plan.sizes) if plan.sizes else of_manifest(manifest.capacity)


def server_group_spec(manifest: Manifest, plan: Plan, target_group_id: str) -> ServerGroupSpec:
    sizes = sizes_of(manifest, plan)
    return ServerGroupSpec(
        name=plan.server_group,
        image_id=plan.image_id,
        instance_type=manifest.instance_type,
        zones=manifest.zones,
        minimum=sizes.minimum,
        maximum=sizes.maximum,
        desired=sizes.desired,
        target_group_ids=(target_group_id,),
        health_grace_seconds=math.ceil(manifest.strategy.boot_timeout),
        user_data="",
        tags=tags(manifest, plan),
        known_by=plan.known_by,
    )
