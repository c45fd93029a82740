"""Where the next instances go, so that a group's zones hold the same number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from pavedroad.localcloud.autoscaling.model import Member


def count_by_zone(members: Iterable[Member]) -> dict[str, int]:
    """How many of a group's capacity are in each zone."""
    counts: dict[str, int] = {}
    for member in members:
        if member.in_capacity:
            counts[member.zone] = counts.get(member.zone, 0) + 1
    return counts


def leanest(counts: Mapping[str, int], zones: Sequence[str]) -> str:
    """The zone with the fewest instances; the first of those."""
    return min(zones, key=lambda zone: counts.get(zone, 0))


def rebalancing_moves(
    members: Iterable[Member], zones: Sequence[str], usable: Sequence[str], limit: int
) -> list[str]:
    """The zones to launch in beyond the desired capacity, so that fuller zones can give up as many.

    Only members that are not protected can be given up; those in zones that the group has left go first.
    """
    everyone = list(members)
    held = dict.fromkeys(zones, 0) | count_by_zone(everyone)
    free = count_by_zone(member for member in everyone if not member.protected)
    moves: list[str] = []
    while usable and len(moves) < limit:
        givers = [zone for zone, count in free.items() if count]
        if not givers:
            break
        full = max(givers, key=lambda zone: (zone not in zones, held[zone]))
        lean = leanest(held, usable)
        if full in zones and held[full] - held[lean] <= 1:
            break
        held[full] -= 1
        free[full] -= 1
        held[lean] += 1
        moves.append(lean)
    return moves


def least_used(subnets: Collection[str], members: Iterable[Member]) -> str:
    """Of a zone's subnets the one with the fewest of the group's instances."""
    if len(subnets) == 1:
        return next(iter(subnets))
    used = dict.fromkeys(subnets, 0)
    for member in members:
        if member.subnet_id in used:
            used[member.subnet_id] += 1
    return min(used, key=lambda subnet: used[subnet])
