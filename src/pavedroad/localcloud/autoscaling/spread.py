"""Where the next instances go, so that a group's zones hold the same number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pavedroad.localcloud.autoscaling.model import Member
from pavedroad.localcloud.autoscaling.sources import Market


def count_by_zone(members: Iterable[Member]) -> dict[str, int]:
    """How much of a group's capacity is in each zone."""
    counts: dict[str, int] = {}
    for member in members:
        if member.in_capacity:
            counts[member.zone] = counts.get(member.zone, 0) + member.units
    return counts


def leanest(counts: Mapping[str, int], zones: Sequence[str]) -> str:
    """The zone with the fewest instances; the first of those."""
    return min(zones, key=lambda zone: counts.get(zone, 0))


@dataclass(frozen=True, slots=True)
class Move:
    """An instance to launch in a leaner zone, so that a fuller one can give up one of the same market."""

    zone: str
    market: Market


def rebalancing_moves(
    members: Iterable[Member],
    zones: Sequence[str],
    usable: Mapping[Market, Sequence[str]],
    limit: int,
    heaviest: int = 1,
) -> list[Move]:
    """What to launch beyond the desired capacity, so that fuller zones can give up as many.

    Only members that are not protected can be given up; those in zones that the group has left go first.
    Where instances have weights, zones are even when they differ by no more than the largest, be it of a
    member or, `heaviest`, of what would be launched.
    """
    everyone = [member for member in members if member.in_capacity]
    held = dict.fromkeys(zones, 0) | count_by_zone(everyone)
    step = max(heaviest, *(member.units for member in everyone)) if everyone else heaviest
    free: dict[str, list[Market]] = {}
    for member in everyone:
        if not member.protected and usable.get(member.market):
            free.setdefault(member.zone, []).append(member.market)
    moves: list[Move] = []
    while free and len(moves) < (limit if step == 1 else 1):
        full = max(free, key=lambda zone: (zone not in zones, held[zone]))
        market = free[full].pop()
        if not free[full]:
            del free[full]
        lean = leanest(held, usable[market])
        if full in zones and held[full] - held[lean] <= step:
            break
        held[full] -= step
        held[lean] += step
        moves.append(Move(lean, market))
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
