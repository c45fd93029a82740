"""Who takes the traffic: enable, disable, roll back - each with the fewest calls before it acts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from pavedroad.clouds.model import ServerGroup
from pavedroad.clouds.ports import Cloud
from pavedroad.core.clock import Clock
from pavedroad.core.errors import Cold, Conflict, DeployFailed, Guarded
from pavedroad.delivery.awaiting import HealthWait
from pavedroad.delivery.cluster import Cluster, healthy_count, look
from pavedroad.delivery.fencing import set_weights
from pavedroad.delivery.lineage import Lineage, known
from pavedroad.delivery.sizes import Sizes, of_group
from pavedroad.delivery.standing import Choice, choose, standings
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


async def disable(
    cloud: Cloud, cluster: Cluster, group: ServerGroup, turn: Turn, before: Callable[[], Awaitable[None]]
) -> None:
    """Take a group's traffic away, if it has any, and it may; `before` is done right before."""
    if cluster.weight(group) == 0:
        return
    await guard_last(cloud, cluster, group, "disabled")
    await before()
    others = [held for held in cluster.serving if held.name != group.name]
    await set_weights(cloud, cluster, cluster.weights_with(*others), turn)


async def choose_rollback(cloud: Cloud, cluster: Cluster, lineage: Lineage, to: str | None) -> Choice:
    """The group to go back to, as it is now."""
    if to is not None:
        _refuse_deleting(cluster.group(to))
    groups = cluster.present
    concerned = {to, *(held.name for held in cluster.serving)}
    asked = groups if to is None else [held for held in groups if held.name in concerned]
    counts, line = await asyncio.gather(
        asyncio.gather(*(healthy_count(cloud, group) for group in asked)),
        lineage.line(
            cluster.name, {known(group) for group in groups}, [known(group) for group in cluster.serving]
        ),
    )
    healthy = {group.name: count for group, count in zip(asked, counts, strict=True)}
    return choose(cluster.name, standings(cluster, healthy), line, to)


def cold(choice: Choice, wanted: Sizes) -> Cold:
    """What a rollback would have to do first."""
    group, losing = choice.to, ", ".join(held.name for held in choice.losing) or "nobody"
    if group.sizes.desired == 0:
        state = "is shrunk"
    elif group.sizes.desired < wanted.desired:
        state = (
            f"has {group.sizes.desired} of the {wanted.desired} instances that it needs for {losing}'s load"
        )
    elif group.checked:
        state = f"has {group.healthy} of {group.sizes.desired} instances healthy"
    else:
        state = "is not checked by the balancer"
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
    had = of_group(group)
    try:
        await resize(cloud, group, had, sizes)
        await attach(cloud, cluster, group, turn)
        await _until_healthy(cloud, group, sizes.desired, clock, since, stop)
    except (Exception, asyncio.CancelledError):
        await asyncio.shield(resize(cloud, group, sizes, had))
        raise


async def resize(cloud: Cloud, group: ServerGroup, held: Sizes, wanted: Sizes) -> None:
    """To what is wanted, unless it is held already."""
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


def _refuse_deleting(group: ServerGroup) -> None:
    if group.deleting:
        raise Conflict(f"{group.name} is being deleted.")


async def _silent(_sentence: str, _until: datetime) -> None:
    """Nobody reads along."""


async def never() -> None:
    """Nobody stops it."""
