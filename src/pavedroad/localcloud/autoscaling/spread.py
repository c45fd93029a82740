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


def rebalancing_moves(counts: Mapping[str, int], zones: Sequence[str], limit: int) -> list[str]:
    """The zones to launch in beyond the desired capacity, so that fuller zones can give up as many.

    Zones that the group has left count as too full whatever they hold.
    """
    held = {zone: counts.get(zone, 0) for zone in zones}
    stranded = sum(count for zone, count in counts.items() if zone not in held)
    moves: list[str] = []
    while held and len(moves) < limit:
        lean = leanest(held, zones)
        full = max(held, key=lambda zone: held[zone])
        if stranded:
            stranded -= 1
        elif held[full] - held[lean] > 1:
            held[full] -= 1
        else:
            break
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
