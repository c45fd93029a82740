"""Clusters as people see them: groups, instances, health and traffic in one picture, with reasons."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pavedroad.clouds.model import Activity, Instance, Member, ServerGroup, TargetHealth
from pavedroad.clouds.ports import Cloud
from pavedroad.core.errors import NotFound
from pavedroad.delivery import naming
from pavedroad.delivery.cluster import MOST_ATTACHED, Cluster, health_of
from pavedroad.delivery.model import ClusterView, InstanceView, ServerGroupView
from pavedroad.delivery.reasons import shortfall

_UNCHECKED = f"Kept, and its health is not checked: a listener holds at most {MOST_ATTACHED} groups."


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of a group besides itself."""

    health: Mapping[str, TargetHealth]
    instances: Mapping[str, Instance]
    activities: list[Activity]


async def view_cluster(
    cloud: Cloud, cluster: Cluster, deployment: str | None, as_of: datetime
) -> ClusterView:
    """All calls that one picture takes, at once."""
    groups = await asyncio.gather(*(view_group(cloud, cluster, group) for group in cluster.groups))
    newest = cluster.groups[0].tags if cluster.groups else {}
    tags = cluster.balancer.tags if cluster.balancer is not None else newest
    return ClusterView(
        name=cluster.name,
        application=tags.get(naming.APPLICATION) or cluster.name.partition("-")[0],
        owner=newest.get(naming.OWNER) or tags.get(naming.OWNER, ""),
        region=cloud.region,
        url=cluster.balancer.url if cluster.balancer is not None else "",
        server_groups=tuple(groups),
        deployment=deployment,
        reason=_cluster_reason(cluster, groups),
        as_of=as_of,
    )


def unseen(name: str, region: str, reason: str, last: ClusterView | None) -> ClusterView:
    """A cluster that cannot be looked at now: as it was last seen, with nothing said of its health."""
    if last is None:
        return ClusterView(name, name.partition("-")[0], "", region, "", (), None, reason)
    groups = tuple(_unknown(group, reason) for group in last.server_groups)
    return replace(last, server_groups=groups, reason=reason)


def _unknown(group: ServerGroupView, reason: str) -> ServerGroupView:
    instances = tuple(replace(instance, health="unavailable", reason=reason) for instance in group.instances)
    return replace(group, healthy=0, unknown=len(instances), instances=instances, reason=reason)


async def view_group(cloud: Cloud, cluster: Cluster, group: ServerGroup) -> ServerGroupView:
    health, instances = await asyncio.gather(
        health_of(cloud, group), cloud.instances([member.instance_id for member in group.members])
    )
    healthy = sum(1 for m in group.members if m.instance_id in health and _well(health[m.instance_id]))
    activities = await _activities(cloud, group) if len(group.members) < group.desired else []
    facts = _Facts(health, {instance.id: instance for instance in instances}, activities)
    checked = cluster.checks(group)
    views = tuple(_instance(member, facts, checked=checked) for member in group.members)
    unknown = sum(1 for view in views if view.health == "unavailable" or not checked)
    weight = cluster.weight(group)
    return ServerGroupView(
        name=group.name,
        cluster=cluster.name,
        image_id=group.image_id,
        version=group.tags.get(naming.VERSION, ""),
        enabled=weight > 0,
        weight=cluster.share(group),
        minimum=group.minimum,
        maximum=group.maximum,
        desired=group.desired,
        healthy=healthy,
        instances=views,
        created_at=group.created_at,
        deleting=group.deleting,
        reason=_group_reason(group, views, healthy, activities, enabled=weight > 0)
        if checked or group.desired == 0 or group.deleting
        else _UNCHECKED,
        unknown=unknown,
        commit=group.tags.get(naming.COMMIT, ""),
    )


def _well(target: TargetHealth) -> bool:
    return target.state == "healthy"


async def _activities(cloud: Cloud, group: ServerGroup) -> list[Activity]:
    try:
        return await cloud.activities(group.name)
    except NotFound:
        return []


def _instance(member: Member, facts: _Facts, *, checked: bool) -> InstanceView:
    instance = facts.instances.get(member.instance_id)
    target = facts.health.get(member.instance_id)
    return InstanceView(
        id=member.instance_id,
        zone=member.zone,
        address=instance.address if instance is not None else "",
        state=instance.state if instance is not None else "terminated",
        lifecycle=member.lifecycle,
        health=target.state if target is not None else "unused",
        reason=_instance_reason(instance, target) if checked else "",
        launched_at=instance.launched_at if instance is not None else None,
    )


def _instance_reason(instance: Instance | None, target: TargetHealth | None) -> str:
    if instance is None:
        return "The cloud no longer knows it."
    if instance.state not in {"pending", "running"}:
        return instance.state_reason or f"It is {instance.state}."
    if target is None:
        return "It is not yet registered with the load balancer."
    return "" if _well(target) else target.reason or f"Its health is {target.state}."


def _group_reason(
    group: ServerGroup,
    instances: tuple[InstanceView, ...],
    healthy: int,
    activities: list[Activity],
    *,
    enabled: bool,
) -> str:
    if group.deleting:
        return "It is being deleted."
    if group.desired == 0:
        return "It takes traffic but has no instances." if enabled else "It is shrunk to no instances."
    if healthy >= group.desired:
        return f"Its processes {', '.join(group.suspended)} are suspended." if group.suspended else ""
    reasons = {view.id: view.reason for view in instances if view.reason}
    failed = next((activity for activity in activities if activity.status == "Failed"), None)
    launching = failed.message if failed is not None else "instances are being launched"
    return shortfall(healthy, group.desired, reasons, otherwise=launching)


def _cluster_reason(cluster: Cluster, groups: tuple[ServerGroupView, ...] | list[ServerGroupView]) -> str:
    if cluster.odd:
        names = ", ".join(sorted(cluster.odd))
        return f"{names}: tagged as its server group, but not named as one; left out."
    if cluster.balancer is None:
        return "It has no load balancer."
    serving = [group for group in groups if group.enabled and not group.deleting]
    if not serving:
        return "No server group takes traffic."
    if not any(group.healthy for group in serving):
        if unknown := next((group for group in serving if group.unknown), None):
            why = next((view.reason for view in unknown.instances if view.health == "unavailable"), "")
            return f"Whether {unknown.name} serves is not known: {why.rstrip('.')}."
        return f"No instance of {serving[0].name} is healthy."
    return ""
