"""Writes of a cluster's traffic by whoever holds its turn, and by nobody who held it once.

No cloud takes a write on a condition, so both are looked at right before it: that the listener is as it was
when the decision was made, and, last, that the turn is still held.
"""

from __future__ import annotations

from collections.abc import Mapping

from pavedroad.clouds.ports import Cloud
from pavedroad.core.errors import Conflict
from pavedroad.delivery import naming
from pavedroad.delivery.cluster import Cluster
from pavedroad.delivery.turns import Turn


async def set_weights(cloud: Cloud, cluster: Cluster, weights: Mapping[str, int], turn: Turn) -> None:
    """Set the traffic of `cluster`, as it was looked at; Conflict, and nothing done, where it is not so."""
    await move(cloud, cluster, weights, turn)
    await note(cluster, weights, turn)


async def note(cluster: Cluster, weights: Mapping[str, int], turn: Turn) -> None:
    """Write down who served, and who does since `move`."""
    await turn.turns.lineage.note(cluster, cluster.listener.weights, weights)


async def move(cloud: Cloud, cluster: Cluster, weights: Mapping[str, int], turn: Turn) -> None:
    """As `set_weights`, for those who write it down by `note` themselves."""
    seen = cluster.listener
    balancer = await cloud.balancer(naming.balancing_name(cluster.name))
    held = next((listener.weights for listener in balancer.listeners if listener.id == seen.id), seen.weights)
    if held not in (seen.weights, weights):
        raise Conflict(
            f"Somebody else has changed the traffic of {cluster.name} meanwhile: it is left as it is.",
            next_step="Look at it, then try again: paved clusters.",
        )
    await turn.check()
    await cloud.set_weights(seen, weights)
