"""What instance types would cost. Nothing is paid for here: allocation by price needs the order, and price
protection the proportion, and both follow from what a type has, as AWS's prices do within a generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VCPU_DOLLARS = 0.033
GIB_DOLLARS = 0.00375
ACCELERATOR_DOLLARS = 0.35
BURSTABLE_SHARE = 0.3
SPOT_SHARE = 0.3


def accelerators(described: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """A type's accelerators, by AWS's name for their kind."""
    gpus: Mapping[str, Any] = described.get("GpuInfo") or {}
    fpgas: Mapping[str, Any] = described.get("FpgaInfo") or {}
    inference: Mapping[str, Any] = described.get("InferenceAcceleratorInfo") or {}
    return {
        "gpu": gpus.get("Gpus") or [],
        "fpga": fpgas.get("Fpgas") or [],
        "inference": inference.get("Accelerators") or [],
    }


def on_demand(described: Mapping[str, Any]) -> float:
    """Dollars an hour, by EC2's description of the type."""
    count = sum(one.get("Count", 0) for found in accelerators(described).values() for one in found)
    price = (
        VCPU_DOLLARS * described["VCpuInfo"]["DefaultVCpus"]
        + GIB_DOLLARS * described["MemoryInfo"]["SizeInMiB"] / 1024
        + ACCELERATOR_DOLLARS * count
    )
    return round(price * (BURSTABLE_SHARE if described.get("BurstablePerformanceSupported") else 1), 4)


def spot(described: Mapping[str, Any]) -> float:
    return round(on_demand(described) * SPOT_SHARE, 4)
