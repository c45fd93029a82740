"""Who takes the traffic: enable, disable, roll back - each with the fewest calls before it acts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from pavedroad.clouds.model import ServerGroup
from pavedroad.clouds.ports import Cloud
from pavedroad.core.clock import Clock
from pavedroad.core.errors import Cold, Conflict, DeployFailed, Guarded, NotFound
from pavedroad.delivery.awaiting import HealthWait
from pavedroad.delivery.cluster import Cluster, healthy_count, look
from pavedroad.delivery.fencing import set_weights
from pavedroad.delivery.retiring import Sizes
from pavedroad.delivery.turns import Turn

Stop = Callable[[], Awaitable[None]]
"""Raises to end a wait from outside."""

_WARM_UP_SECONDS = 300.0


async def guard_last(cloud: Cloud, cluster: Cluster, leaving: ServerGroup, what: str) -> None:
    """Refuse to take the traffic from a group when nobody healthy would be left to take it."""
    if cluster.weight(leaving) == 0:
        return
    others = [group for group in cluster.serving if group.name != leaving.name]
    counts = await asyncio.gather(*(healthy_count(cloud, group) for group in others))
    if not any(counts):
        raise Guarded(
            f"{leaving.name} is the last server group of {cluster.name} that serves: it is not {what}.",
            next_step="Enable another group first, or destroy the whole cluster.",
        )


async def enable(cloud: Cloud, cluster: Cluster, group: ServerGroup, clock: Clock, turn: Turn) -> bool:
    """Give a group its share beside those that serve; False when it has one already."""
    if cluster.weight(group) > 0:
        return False
    _refuse_deleting(group)
    if await attach(cloud, cluster, group, turn):
        cluster = await look(cloud, cluster.name)
        await _until_healthy(cloud, group, max(1, group.minimum), clock, clock.now(), never)
    if await healthy_count(cloud, group) == 0:
        raise Conflict(
            f"{group.name} has no healthy instance, so it cannot take traffic.",
            next_step="Resize it and wait until its instances are healthy.",
        )
    await set_weights(cloud, cluster, cluster.weights_with(*cluster.serving, group), turn)
    return True


async def disable(cloud: Cloud, cluster: Cluster, group: ServerGroup, turn: Turn) -> bool:
    """Take a group's traffic away; False when it has none."""
    if cluster.weight(group) == 0:
        return False
    await guard_last(cloud, cluster, group, "disabled")
    others = [held for held in cluster.serving if held.name != group.name]
    await set_weights(cloud, cluster, cluster.weights_with(*others), turn)
    return True


async def choose_rollback(cloud: Cloud, cluster: Cluster, to: str | None) -> tuple[ServerGroup, int]:
    """The group to go back to, with its healthy instances: the one named, else the newest of those older
    than the group that serves which is warm, else the newest of them."""
    if to is not None:
        group = cluster.group(to)
        _refuse_deleting(group)
        if group.name in {held.name for held in cluster.serving} and len(cluster.serving) == 1:
            raise Conflict(f"{group.name} has all of the traffic already.")
        return group, await healthy_count(cloud, group)
    present, serving = cluster.present, {group.name for group in cluster.serving}
    newest = next((place for place, group in enumerate(present) if group.name in serving), -1)
    older = [group for group in present[newest + 1 :] if group.name not in serving]
    if not older:
        raise NotFound(
            f"The cluster {cluster.name} has no earlier server group to go back to.",
            next_step="Deploy the earlier version again.",
        )
    counts = await asyncio.gather(*(healthy_count(cloud, group) for group in older))
    for group, healthy in zip(older, counts, strict=True):
        if is_warm(group, healthy):
            return group, healthy
    return older[0], counts[0]


def is_warm(group: ServerGroup, healthy: int) -> bool:
    """Whether a group could take all of the traffic now."""
    return group.desired > 0 and healthy >= max(1, group.minimum)


def cold(cluster: Cluster, group: ServerGroup, healthy: int) -> Cold:
    """What a rollback would have to do first."""
    losing = ", ".join(held.name for held in cluster.serving) or "nobody"
    state = "is shrunk" if group.desired == 0 else f"has {healthy} of {group.desired} instances healthy"
    return Cold(
        f"{group.name} {state}: it is brought up first, for at most {_WARM_UP_SECONDS / 60:.0f} min; "
        f"until it is healthy {losing} keeps the traffic.",
        next_step="Say when_cold: warm-up if that is meant.",
    )


async def warm_up(
    cloud: Cloud, cluster: Cluster, group: ServerGroup, sizes: Sizes, clock: Clock, *, stop: Stop, turn: Turn
) -> None:
    """Give a cold group its size and wait until it is healthy; what ends the wait gives it its old size
    back."""
    since = clock.now().replace(microsecond=0)  # clouds count in seconds
    had = Sizes(group.minimum, group.desired, group.maximum)
    try:
        await _resize(cloud, group, had, sizes)
        await attach(cloud, cluster, group, turn)
        await _until_healthy(cloud, group, sizes.desired, clock, since, stop)
    except (Exception, asyncio.CancelledError):
        await asyncio.shield(_resize(cloud, group, sizes, had))
        raise


async def _resize(cloud: Cloud, group: ServerGroup, held: Sizes, wanted: Sizes) -> None:
    if held != wanted:
        await cloud.resize_server_group(
            group.name, minimum=wanted.minimum, maximum=wanted.maximum, desired=wanted.desired
        )


async def attach(cloud: Cloud, cluster: Cluster, group: ServerGroup, turn: Turn) -> bool:
    """Have the balancer check a group's health again, at weight zero; False when it does already."""
    astray = [target for target in group.target_group_ids if target not in cluster.weights]
    for place, target in enumerate(astray):
        cluster = await look(cloud, cluster.name) if place else cluster
        await set_weights(cloud, cluster, cluster.weights_attaching(target), turn)
    return bool(astray)


async def _until_healthy(  # noqa: PLR0917
    cloud: Cloud, group: ServerGroup, wanted: int, clock: Clock, since: datetime, stop: Stop
) -> None:
    wait = HealthWait(cloud, clock, group.name, wanted, within=_WARM_UP_SECONDS, since=since)
    try:
        await wait.run(_silent, stop)
    except DeployFailed as error:
        raise DeployFailed(
            f"{error.sentence.rstrip('.')}; the traffic stays where it is.", next_step=error.next_step
        ) from error


def sizes_like(cluster: Cluster, group: ServerGroup) -> Sizes:
    """Its own size, or when it has none, that of the group whose traffic it takes."""
    model = group if group.desired > 0 else next(iter(cluster.serving), group)
    return Sizes(model.minimum, max(1, model.desired), max(1, model.maximum))


def _refuse_deleting(group: ServerGroup) -> None:
    if group.deleting:
        raise Conflict(f"{group.name} is being deleted.")


async def _silent(_sentence: str) -> None:
    """Nobody reads along."""


async def never() -> None:
    """Nobody stops it."""
