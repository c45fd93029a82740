"""How the instances of a classic load balancer do, in the words of the older API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pavedroad.localcloud.api.actual import ActualView
from pavedroad.localcloud.balancing.call import Call, IsUp
from pavedroad.localcloud.balancing.classic.model import Classic
from pavedroad.localcloud.balancing.classic.realising import group_arns
from pavedroad.localcloud.balancing.health import HealthOf
from pavedroad.localcloud.balancing.store import Store
from pavedroad.localcloud.ports import Network, Registration


@dataclass(frozen=True, slots=True)
class InstanceHealth:
    state: Literal["InService", "OutOfService", "Unknown"]
    reason: Literal["N/A", "ELB", "Instance"]
    description: str


_SERVING = InstanceHealth("InService", "N/A", "N/A")
_REGISTERING = InstanceHealth("OutOfService", "ELB", "Instance registration is still in progress.")
_FAILING = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
_ORDER = ("healthy", "draining", "initial", "unavailable", "unhealthy", "unused")
"""Of those that one instance has, the last is what it is."""


def states(call: Call, classic: Classic) -> dict[str, InstanceHealth]:
    """By the id of each registered instance."""
    found = worst(call.store, classic, call.network, call.actual, call.is_up)
    return {
        it: _in_words(found[it]) if it in found else _REGISTERING
        for it in classic.instances
        if call.network.endpoint(it) is not None
    }


def worst(
    store: Store, classic: Classic, network: Network, actual: ActualView, is_up: IsUp
) -> dict[str, Registration]:
    """What each instance is at the port at which it does worst; those that drain are among them."""
    found: dict[str, Registration] = {}
    for arn in group_arns(classic):
        health_of = HealthOf(store, store.groups[arn], network, actual, is_up)
        for member in store.members_of(arn):
            health = health_of(member)
            before = found.get(member.id)
            if before is None or _rank(health) > _rank(before):
                found[member.id] = health
    return found


def _rank(health: Registration) -> int:
    return _ORDER.index(health.state)


def _in_words(health: Registration) -> InstanceHealth:
    match health.state:
        case "healthy":
            return _SERVING
        case "unhealthy":
            return InstanceHealth("OutOfService", "Instance", _told(health))
        case "unavailable":
            return InstanceHealth("Unknown", "ELB", "A transient error occurred. Please try again later.")
        case "unused" if "Availability Zone" in health.description:
            words = (
                "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route "
                "traffic to."
            )
            return InstanceHealth("OutOfService", "ELB", words)
        case "unused" if health.reason == "Target.InvalidState":
            words = health.description.replace("Target", "Instance", 1)
            return InstanceHealth("OutOfService", "Instance", f"{words}.")
        case _:
            return _REGISTERING


def _told(health: Registration) -> str:
    """AWS's sentence, and what the last check met."""
    return f"{_FAILING} {health.description}".strip()
