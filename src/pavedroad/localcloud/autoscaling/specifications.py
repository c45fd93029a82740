"""What to launch next: a group's source resolved to the ways in which one instance can be launched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from pavedroad.localcloud.autoscaling import prices, requirements
from pavedroad.localcloud.autoscaling.model import Group, Region
from pavedroad.localcloud.autoscaling.shares import MARKETS, Holdings, Pool
from pavedroad.localcloud.autoscaling.sources import (
    ConfigurationChoice,
    Distribution,
    LaunchSpecification,
    Market,
    MixedPolicy,
    Override,
    TemplateChoice,
    TemplateUse,
)
from pavedroad.localcloud.ports import Compute, LaunchTemplateVersion

DEFAULT_SPOT_POOLS = 2


@dataclass(slots=True)
class Specifications:
    """A group's, looked up once a pass."""

    region: Region
    group: Group
    compute: Compute
    now: datetime
    _templates: dict[TemplateChoice, LaunchTemplateVersion] = field(
        default_factory=dict[TemplateChoice, LaunchTemplateVersion]
    )
    _by_place: dict[tuple[Market, str], list[LaunchSpecification]] = field(
        default_factory=dict[tuple[Market, str], list[LaunchSpecification]]
    )

    def preferred(self, market: Market, zone: str, holdings: Holdings) -> list[LaunchSpecification]:
        """The ways to launch an instance of that market in that zone, the preferred first."""
        if (market, zone) not in self._by_place:
            self._by_place[market, zone] = self._of(market, zone)
        found = self._by_place[market, zone]
        source = self.group.launches_from
        if market == "spot" and isinstance(source, MixedPolicy):
            distribution = source.distribution
            if distribution.spot_strategy == "lowest-price":
                # The cheapest pools share the zone's spot capacity evenly; the others come after them.
                pools = distribution.spot_pools or DEFAULT_SPOT_POOLS
                used = holdings.pools
                shared = sorted(found[:pools], key=lambda one: used[zone, one.data.instance_type, market])
                return [*shared, *found[pools:]]
        return found

    def preference(self) -> dict[Pool, int]:
        """How far down its market's allocation strategy has a pool; empty where there is none."""
        if not isinstance(self.group.launches_from, MixedPolicy):
            return {}
        return {
            (zone, one.data.instance_type, market): place
            for market in MARKETS
            for zone in self.group.zones
            for place, one in enumerate(self._of(market, zone))
        }

    def template(self, choice: TemplateChoice) -> LaunchTemplateVersion:
        if choice not in self._templates:
            self._templates[choice] = self.compute.launch_template(choice.id, choice.version or "$Default")
        return self._templates[choice]

    def _of(self, market: Market, zone: str) -> list[LaunchSpecification]:
        source = self.group.launches_from
        if isinstance(source, MixedPolicy):
            return self._mixed(source, market, zone)
        if isinstance(source, ConfigurationChoice):
            configuration = self.region.configurations[source.name]
            return [LaunchSpecification(configuration.data, configuration=configuration.name)]
        resolved = self.template(source)
        return [LaunchSpecification(resolved.data, template=_use(resolved), placement=resolved.placement)]

    def _mixed(self, policy: MixedPolicy, market: Market, zone: str) -> list[LaunchSpecification]:
        found: dict[str, LaunchSpecification] = {}
        for override in policy.overrides or (Override(),):
            for one in self._overridden(policy, override, market):
                found.setdefault(one.data.instance_type, one)
        if ordered_by_price(policy.distribution, market):
            types = self.compute.instance_types()

            def price(one: LaunchSpecification) -> float:
                described = types[one.data.instance_type]
                return prices.now(described, market, zone, self.now) / (one.weight or 1)

            return sorted(found.values(), key=price)
        return list(found.values())

    def _overridden(
        self, policy: MixedPolicy, override: Override, market: Market
    ) -> Iterable[LaunchSpecification]:
        resolved = self.template(override.template or policy.template)
        data = replace(
            resolved.data,
            market=market,
            spot_max_price=policy.distribution.spot_max_price if market == "spot" else "",
            image_id=override.image_id or resolved.data.image_id,
        )
        use = _use(resolved)
        if override.requirements is None:
            named = replace(data, instance_type=override.instance_type or data.instance_type)
            yield LaunchSpecification(
                named, template=use, weight=override.weight, placement=resolved.placement
            )
            return
        unit = self.group.capacity_type
        architecture = self.compute.architecture(data.image_id)
        types = {
            name: one
            for name, one in self.compute.instance_types().items()
            if architecture in one["ProcessorInfo"]["SupportedArchitectures"]
        }
        for name in requirements.matching(types, override.requirements, market, unit):
            weight = None if unit == "units" else requirements.units(types[name], unit)
            one_type = replace(data, instance_type=name)
            yield LaunchSpecification(one_type, template=use, weight=weight, placement=resolved.placement)


def ordered_by_price(shares: Distribution, market: Market) -> bool:
    """Else the order of the overrides is the order of preference. How much capacity a pool has nobody knows
    here before it refuses: pools that have just refused come last in whatever order."""
    if market == "on-demand":
        return shares.on_demand_strategy == "lowest-price"
    return shares.spot_strategy in ("lowest-price", "price-capacity-optimized")


def _use(resolved: LaunchTemplateVersion) -> TemplateUse:
    return TemplateUse(resolved.template_id, resolved.template_name, resolved.version)
