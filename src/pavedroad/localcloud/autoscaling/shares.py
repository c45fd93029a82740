"""How a group's capacity is divided: between on-demand and spot, and over pools of instance types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pavedroad.localcloud.autoscaling import requirements
from pavedroad.localcloud.autoscaling.model import Group, Member, Region
from pavedroad.localcloud.autoscaling.sources import ConfigurationChoice, Market, MixedPolicy
from pavedroad.localcloud.autoscaling.spread import Move, count_by_zone, leanest

MARKETS: tuple[Market, ...] = ("on-demand", "spot")
Pool = tuple[str, str, Market]
"""Zone, instance type and market."""


@dataclass(slots=True)
class Holdings:
    """What a group holds, in units of capacity."""

    markets: Counter[Market] = field(default_factory=Counter[Market])
    pools: Counter[Pool] = field(default_factory=Counter[Pool])

    @classmethod
    def of(cls, members: Iterable[Member]) -> Holdings:
        found = cls()
        for member in members:
            if member.in_capacity:
                found.add(member)
        return found

    def add(self, member: Member) -> None:
        self.markets[member.market] += member.units
        self.pools[member.zone, member.instance_type, member.market] += member.units


def wanted(group: Group, market: Market) -> int:
    """How much of the desired capacity is to be of the market, under a mixed instances policy: the base
    first, then the percentage of what is above it, rounded up in favour of on-demand."""
    if not isinstance(group.launches_from, MixedPolicy):
        return group.desired
    distribution = group.launches_from.distribution
    base = min(distribution.on_demand_base, group.desired)
    on_demand = base + -(-(group.desired - base) * distribution.on_demand_percentage // 100)
    return on_demand if market == "on-demand" else group.desired - on_demand


def weight(group: Group, instance_type: str, types: Mapping[str, Mapping[str, Any]]) -> int | None:
    """What an instance of that type counts for in the group; None where instances have no weights."""
    if group.capacity_type != "units":
        return requirements.units(types[instance_type], group.capacity_type)
    source = group.launches_from
    overrides = source.overrides if isinstance(source, MixedPolicy) else ()
    weights = {one.instance_type: one.weight for one in overrides if one.weight is not None}
    return weights.get(instance_type, 1) if weights else None


def missing(region: Region, group: Group, holdings: Holdings) -> list[Market]:
    """The markets that the group's next instance may come from, the one to try first first."""
    source = group.launches_from
    if isinstance(source, ConfigurationChoice):
        return [region.configurations[source.name].data.market]
    if not isinstance(source, MixedPolicy):
        return ["on-demand"]
    lacking: list[Market] = [one for one in MARKETS if holdings.markets[one] < wanted(group, one)]
    usual: list[Market] = [one for one in MARKETS if wanted(group, one)]
    return lacking or usual or [*MARKETS]


def over(group: Group) -> dict[Market, int]:
    """How much more of each market than its share the group holds; nothing where there are no shares."""
    if not isinstance(group.launches_from, MixedPolicy):
        return {}
    holdings = Holdings.of(group.members.values())
    return {market: holdings.markets[market] - wanted(group, market) for market in MARKETS}


def exchanges(group: Group, usable: Mapping[Market, Sequence[str]]) -> list[Move]:
    """What to launch of a market that has too little beyond the desired capacity, so that the other can give
    up as much. Weights may never come out even, so groups that have them only drift to new shares."""
    exceeding = over(group)
    weighted = any(member.weight is not None for member in group.members.values())
    counts = count_by_zone(group.members.values())
    for market in MARKETS:
        if exceeding.get(market, 0) < 0 and usable[market] and not weighted:
            return [Move(leanest(counts, usable[market]), market)]
    return []
