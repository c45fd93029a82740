"""InstanceRequirements: which of EC2's instance types have the attributes that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from pavedroad.localcloud.autoscaling import prices
from pavedroad.localcloud.autoscaling.prices import Described
from pavedroad.localcloud.autoscaling.sources import Market

Requirements = Mapping[str, Any]
Price = Callable[[Described], float]
USUAL_SPOT_SHARE = 0.375
"""Of the on-demand price, over the zones and the day."""

MANUFACTURERS = {"AWS": "amazon-web-services", "Habana": "habana"}
ON_DEMAND_PROTECTION_PERCENT = 20
SPOT_PROTECTION_PERCENT = 100
"""AWS's defaults."""


def matching(types: Mapping[str, Described], asked: Requirements, market: Market, unit: str) -> list[str]:
    """The names of the types that have it all and are not too dear, cheapest first.

    Prices are compared by instance, or by vCPU or MiB where the desired capacity is counted in those.
    """
    price = _price(market, unit)
    found = [one for one in types.values() if market in one["SupportedUsageClasses"] and fits(one, asked)]
    found.sort(key=lambda one: (price(one), one["InstanceType"]))
    limit = _protection(asked, market, unit, found)
    return [one["InstanceType"] for one in found if limit is None or price(one) <= limit]


def fits(one: Described, asked: Requirements) -> bool:
    """Whether a type has every attribute that is asked for."""
    name: str = one["InstanceType"]
    allowed: list[str] = asked.get("AllowedInstanceTypes") or []
    if allowed and not _any_pattern(name, allowed):
        return False
    if _any_pattern(name, asked.get("ExcludedInstanceTypes") or []):
        return False
    generation = "current" if one.get("CurrentGeneration") else "previous"
    made_by = one.get("ProcessorInfo", {}).get("Manufacturer", "")
    return (
        _within(asked.get("VCpuCount"), vcpus(one))
        and _within(asked.get("MemoryMiB"), memory(one))
        and _within(asked.get("MemoryGiBPerVCpu"), memory(one) / 1024 / vcpus(one))
        and _among(asked.get("CpuManufacturers"), [_manufacturer(made_by)])
        and _among(asked.get("InstanceGenerations"), [generation])
        and _wanted(asked.get("BareMetal", "excluded"), one.get("BareMetal", False))
        and _wanted(
            asked.get("BurstablePerformance", "excluded"), one.get("BurstablePerformanceSupported", False)
        )
        and (not asked.get("RequireHibernateSupport") or one.get("HibernationSupported", False))
        and _has_network(one, asked)
        and _has_storage(one, asked)
        and _has_accelerators(one, asked)
    )


def vcpus(one: Described) -> int:
    return one["VCpuInfo"]["DefaultVCpus"]


def memory(one: Described) -> int:
    """In MiB."""
    return one["MemoryInfo"]["SizeInMiB"]


def units(one: Described, unit: str) -> int:
    """What an instance of the type counts for, in the group's DesiredCapacityType."""
    return {"vcpu": vcpus(one), "memory-mib": memory(one)}.get(unit, 1)


def _has_network(one: Described, asked: Requirements) -> bool:
    network: Mapping[str, Any] = one.get("NetworkInfo") or {}
    cards: list[Mapping[str, Any]] = network.get("NetworkCards") or []
    gigabits = sum(card.get("BaselineBandwidthInGbps", 0) for card in cards)
    volumes: Mapping[str, Any] = one.get("EbsInfo") or {}
    ebs: Mapping[str, Any] = volumes.get("EbsOptimizedInfo") or {}
    return (
        _within(asked.get("NetworkInterfaceCount"), network.get("MaximumNetworkInterfaces", 0))
        and _within(asked.get("NetworkBandwidthGbps"), gigabits)
        and _within(asked.get("BaselineEbsBandwidthMbps"), ebs.get("BaselineBandwidthInMbps", 0))
    )


def _has_storage(one: Described, asked: Requirements) -> bool:
    storage: Mapping[str, Any] = one.get("InstanceStorageInfo") or {}
    disks: list[Mapping[str, Any]] = storage.get("Disks") or []
    kinds = [disk["Type"] for disk in disks]
    return (
        _wanted(asked.get("LocalStorage", "included"), one.get("InstanceStorageSupported", False))
        and _among(asked.get("LocalStorageTypes"), kinds)
        and _within(asked.get("TotalLocalStorageGB"), storage.get("TotalSizeInGB", 0))
    )


def _has_accelerators(one: Described, asked: Requirements) -> bool:
    by_kind = _accelerators(one)
    all_of_them = [accelerator for found in by_kind.values() for accelerator in found]
    megabytes = sum(each.get("Count", 0) * _own_memory(each) for each in all_of_them)
    return (
        _among(asked.get("AcceleratorTypes"), [kind for kind, found in by_kind.items() if found])
        and _within(asked.get("AcceleratorCount"), sum(each.get("Count", 0) for each in all_of_them))
        and _among(
            asked.get("AcceleratorManufacturers"),
            [_manufacturer(each.get("Manufacturer", "")) for each in all_of_them],
        )
        and _among(
            asked.get("AcceleratorNames"),
            [str(each.get("Name", "")).lower().replace(" ", "-") for each in all_of_them],
        )
        and _within(asked.get("AcceleratorTotalMemoryMiB"), megabytes)
    )


def _accelerators(one: Described) -> dict[str, list[Mapping[str, Any]]]:
    """By AWS's name for their kind."""
    gpus: Mapping[str, Any] = one.get("GpuInfo") or {}
    fpgas: Mapping[str, Any] = one.get("FpgaInfo") or {}
    inference: Mapping[str, Any] = one.get("InferenceAcceleratorInfo") or {}
    return {
        "gpu": gpus.get("Gpus") or [],
        "fpga": fpgas.get("Fpgas") or [],
        "inference": inference.get("Accelerators") or [],
    }


def _own_memory(accelerator: Mapping[str, Any]) -> int:
    found: Mapping[str, Any] = accelerator.get("MemoryInfo") or {}
    return found.get("SizeInMiB", 0)


def _protection(asked: Requirements, market: Market, unit: str, found: Iterable[Described]) -> float | None:
    """The price beyond which a type is left out: a percentage over the cheapest current C, M or R type."""
    candidates = list(found)
    current = [one for one in candidates if one.get("CurrentGeneration")]
    usual = [one for one in current if one["InstanceType"][0] in "cmr"] or current or candidates
    if not usual:
        return None
    on_demand = min(map(_price("on-demand", unit), usual))
    if market == "on-demand":
        return on_demand * (
            1
            + _percent(asked, "OnDemandMaxPricePercentageOverLowestPrice", ON_DEMAND_PROTECTION_PERCENT) / 100
        )
    share: int | None = asked.get("MaxSpotPriceAsPercentageOfOptimalOnDemandPrice")
    if share is not None:
        return on_demand * share / 100
    lowest = min(map(_price("spot", unit), usual))
    return lowest * (
        1 + _percent(asked, "SpotMaxPricePercentageOverLowestPrice", SPOT_PROTECTION_PERCENT) / 100
    )


def _percent(asked: Requirements, name: str, default: int) -> int:
    percent: int | None = asked.get(name)
    return default if percent is None else percent


def _price(market: Market, unit: str) -> Price:
    share = USUAL_SPOT_SHARE if market == "spot" else 1
    return lambda one: share * prices.on_demand(one) / units(one, unit)


def _any_pattern(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _within(bounds: Mapping[str, float] | None, value: float) -> bool:
    if not bounds:
        return True
    low, high = bounds.get("Min"), bounds.get("Max")
    return (low is None or value >= low) and (high is None or value <= high)


def _among(asked: Iterable[str] | None, found: Iterable[str]) -> bool:
    wanted = set(asked or ())
    return not wanted or not wanted.isdisjoint(found)


def _wanted(asked: str, has: bool) -> bool:
    return asked == "included" or has == (asked == "required")


def _manufacturer(name: str) -> str:
    return MANUFACTURERS.get(name, name.lower())
