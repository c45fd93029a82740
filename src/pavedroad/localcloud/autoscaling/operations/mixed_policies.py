"""Mixed instances policies as calls give them: checked whole, and merged into what a group has already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pavedroad.localcloud.autoscaling import requirements
from pavedroad.localcloud.autoscaling.call import Call, refused
from pavedroad.localcloud.autoscaling.operations.launch_configurations import check_price
from pavedroad.localcloud.autoscaling.operations.launch_templates import choice, ill_formed
from pavedroad.localcloud.autoscaling.sources import (
    Distribution,
    MixedPolicy,
    Override,
    Source,
    TemplateChoice,
)
from pavedroad.localcloud.errors import ServiceError

Asked = Mapping[str, Any]

ON_DEMAND_STRATEGIES = ("lowest-price", "prioritized")
SPOT_STRATEGIES = (
    "capacity-optimized",
    "capacity-optimized-prioritized",
    "lowest-price",
    "price-capacity-optimized",
)
MOST_OVERRIDES = 40
MOST_REQUIREMENTS = 4
MOST_TEMPLATES = 20
MOST_POOLS = 20
RANGES = (
    "AcceleratorCount",
    "AcceleratorTotalMemoryMiB",
    "BaselineEbsBandwidthMbps",
    "MemoryGiBPerVCpu",
    "MemoryMiB",
    "NetworkBandwidthGbps",
    "NetworkInterfaceCount",
    "TotalLocalStorageGB",
    "VCpuCount",
)


def policy(call: Call, asked: Asked, current: Source | None) -> MixedPolicy:
    """What is left out stays as it is in the group's policy, if it has one."""
    earlier = current if isinstance(current, MixedPolicy) else None
    launch: Asked = asked.get("LaunchTemplate") or {}
    named: Asked | None = launch.get("LaunchTemplateSpecification")
    if named is not None:
        template = _template(call, named)
    elif earlier is not None:
        template = earlier.template
    else:
        raise refused("LaunchTemplateSpecification is required in the MixedInstancesPolicy's LaunchTemplate.")
    overrides = earlier.overrides if earlier else ()
    if launch.get("Overrides") is not None:
        overrides = _overrides(call, template, launch["Overrides"])
    by_attributes = any(one.requirements is not None for one in overrides)
    earlier_shares = earlier.distribution if earlier else None
    shares = _distribution(asked.get("InstancesDistribution") or {}, earlier_shares, by_attributes)
    return MixedPolicy(template, overrides, shares)


def _overrides(call: Call, template: TemplateChoice, asked: Sequence[Asked]) -> tuple[Override, ...]:
    if len(asked) > MOST_OVERRIDES:
        raise refused(f"The number of overrides must not be more than {MOST_OVERRIDES}.")
    found = tuple(_override(call, one) for one in asked)
    if sum(one.requirements is not None for one in found) > MOST_REQUIREMENTS:
        raise refused(f"At most {MOST_REQUIREMENTS} overrides may specify InstanceRequirements.")
    if len({one.template for one in found if one.template} | {template}) > MOST_TEMPLATES:
        raise refused(f"A group may use at most {MOST_TEMPLATES} launch templates.")
    types = [one.instance_type for one in found if one.instance_type]
    if len(set(types)) < len(types):
        twice = next(name for name in types if types.count(name) > 1)
        raise refused(f"Duplicate instance types are not allowed in overrides: {twice}")
    if types and any(one.requirements is not None for one in found):
        raise refused("You cannot specify both InstanceType and InstanceRequirements in the overrides.")
    weighted = sum(one.weight is not None for one in found)
    if weighted and weighted < len(found):
        raise refused("You must specify WeightedCapacity for all instance types or for none of them.")
    for one in found:
        _check_launches(call, one.template or template, one)
    return found


def _override(call: Call, asked: Asked) -> Override:
    wanted: Asked | None = asked.get("InstanceRequirements")
    weight: str | None = asked.get("WeightedCapacity")
    if wanted is not None:
        if asked.get("InstanceType"):
            raise refused("You cannot specify both InstanceType and InstanceRequirements in an override.")
        if weight is not None:
            raise refused("You cannot specify WeightedCapacity with InstanceRequirements.")
        _check_requirements(wanted)
    template: Asked | None = asked.get("LaunchTemplateSpecification")
    return Override(
        instance_type=asked.get("InstanceType") or "",
        weight=None if weight is None else _weight(weight),
        template=None if template is None else _template(call, template),
        requirements=wanted,
        image_id=asked.get("ImageId") or "",
    )


def _check_launches(call: Call, template: TemplateChoice, one: Override) -> None:
    if one.requirements is not None:
        types = call.compute.instance_types()
        if not any(requirements.fits(described, one.requirements) for described in types.values()):
            raise refused("No instance type satisfies the InstanceRequirements that are specified.")
        return
    data = call.compute.launch_template(template.id, template.version or "$Default").data
    try:
        call.compute.check(
            replace(
                data,
                instance_type=one.instance_type or data.instance_type,
                image_id=one.image_id or data.image_id,
            )
        )
    except ServiceError as refusal:
        raise ill_formed(refusal.message) from refusal


def _template(call: Call, asked: Asked) -> TemplateChoice:
    found = choice(call, asked)
    data = call.compute.launch_template(found.id, found.version or "$Default").data
    if data.market == "spot":
        raise refused(
            "Incompatible launch template: You cannot use a launch template that is set to request Spot "
            "Instances (InstanceMarketOptions) when you configure an Auto Scaling group with a mixed "
            "instances policy. Add a different launch template to the group and try again."
        )
    return found


def _weight(asked: str) -> int:
    if not (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= 999):
        raise refused(f"Invalid WeightedCapacity {asked}: it must be a number between 1 and 999.")
    return int(asked)


def _check_requirements(asked: Asked) -> None:
    if asked.get("AllowedInstanceTypes") and asked.get("ExcludedInstanceTypes"):
        raise refused("You cannot specify both AllowedInstanceTypes and ExcludedInstanceTypes.")
    share = asked.get("MaxSpotPriceAsPercentageOfOptimalOnDemandPrice")
    if share is not None and asked.get("SpotMaxPricePercentageOverLowestPrice") is not None:
        raise refused(
            "You cannot specify both SpotMaxPricePercentageOverLowestPrice and "
            "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice."
        )
    for name in RANGES:
        bounds: Mapping[str, float] = asked.get(name) or {}
        low, high = bounds.get("Min"), bounds.get("Max")
        if low is not None and high is not None and low > high:
            raise refused(f"The Min of {name}, {low}, must not be greater than its Max, {high}.")


def _distribution(asked: Asked, earlier: Distribution | None, by_attributes: bool) -> Distribution:
    if asked.get("DistributionSegments"):
        raise refused("DistributionSegments is not offered by this cloud yet.")
    current = earlier or Distribution(on_demand_strategy="lowest-price" if by_attributes else "prioritized")
    given = {name: value for name, value in asked.items() if value is not None}
    on_demand = given.get("OnDemandAllocationStrategy", current.on_demand_strategy)
    spot = given.get("SpotAllocationStrategy", current.spot_strategy)
    _check_strategy("On-Demand", on_demand, ON_DEMAND_STRATEGIES)
    _check_strategy("Spot", spot, SPOT_STRATEGIES)
    if by_attributes and "prioritized" in (on_demand, spot.removeprefix("capacity-optimized-")):
        raise refused("Prioritized allocation strategies cannot be used with InstanceRequirements.")
    base = given.get("OnDemandBaseCapacity", current.on_demand_base)
    if base < 0:
        raise refused(f"OnDemandBaseCapacity {base} must not be negative.")
    percentage = given.get("OnDemandPercentageAboveBaseCapacity", current.on_demand_percentage)
    if not 0 <= percentage <= 100:
        raise refused(f"OnDemandPercentageAboveBaseCapacity {percentage} must be between 0 and 100.")
    pools = given.get("SpotInstancePools", current.spot_pools if spot == "lowest-price" else None)
    if pools is not None and spot != "lowest-price":
        raise refused("SpotInstancePools option is only available with the lowest-price allocation strategy.")
    if pools is not None and not 1 <= pools <= MOST_POOLS:
        raise refused(f"SpotInstancePools {pools} must be between 1 and {MOST_POOLS}.")
    price = given.get("SpotMaxPrice", current.spot_max_price)
    check_price(price, "spotMaxPrice")
    return Distribution(
        on_demand_strategy=on_demand,
        on_demand_base=base,
        on_demand_percentage=percentage,
        spot_strategy=spot,
        spot_pools=2 if pools is None and spot == "lowest-price" else pools,
        spot_max_price=price,
    )


def _check_strategy(market: str, strategy: str, known: Sequence[str]) -> None:
    if strategy not in known:
        raise refused(
            f"Unsupported {market} allocation strategy '{strategy}'. Valid values are: {', '.join(known)}"
        )
