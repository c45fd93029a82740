"""How a group's capacity is divided: between on-demand and spot, and over pools of instance types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pavedroad.localcloud.autoscaling.model import Group, Member, Region
from pavedroad.localcloud.autoscaling.sources import ConfigurationChoice, Market, MixedPolicy

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
