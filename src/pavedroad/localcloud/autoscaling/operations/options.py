"""A group's newer settings: how capacity is counted and distributed, maintained, reserved and protected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.autoscaling.call import Call, refused
from pavedroad.localcloud.autoscaling.model import Group, Maintenance
from pavedroad.localcloud.autoscaling.sources import MixedPolicy, Source
from pavedroad.localcloud.errors import ServiceError

CAPACITY_TYPES = ("memory-mib", "units", "vcpu")
RESERVED = ("capacity-reservations-first", "capacity-reservations-only")
DESCRIBED = (
    "AvailabilityZoneImpairmentPolicy",
    "CapacityReservationSpecification",
    "InstanceLifecyclePolicy",
)
"""Kept in AWS's structure."""


def check(call: Call, source: Source) -> None:
    """Whether a group that launches from `source` may have the settings that the call names."""
    _capacity_type(call, source)
    _maintenance(call)
    reservation: Mapping[str, Any] = call.get("CapacityReservationSpecification", {})
    preference: str = reservation.get("CapacityReservationPreference") or "default"
    if reservation.get("CapacityReservationTarget") and preference not in RESERVED:
        raise refused(
            "CapacityReservationTarget cannot be specified when CapacityReservationPreference is "
            f"{preference}."
        )
    impairment: Mapping[str, Any] = call.get("AvailabilityZoneImpairmentPolicy", {})
    if impairment.get("ZonalShiftEnabled") and not impairment.get("ImpairedZoneHealthCheckBehavior"):
        raise refused("ImpairedZoneHealthCheckBehavior is required when ZonalShiftEnabled is true.")


def apply(call: Call, group: Group) -> None:
    """Set what the call names; `check` has passed."""
    group.capacity_type = call.get("DesiredCapacityType", group.capacity_type)
    distribution: Mapping[str, Any] = call.get("AvailabilityZoneDistribution", {})
    group.zone_distribution = distribution.get("CapacityDistributionStrategy") or group.zone_distribution
    group.deletion_protection = call.get("DeletionProtection", group.deletion_protection)
    if call.get("InstanceMaintenancePolicy") is not None:
        group.maintenance = _maintenance(call)
    for name in DESCRIBED:
        if call.get(name) is not None:
            group.described[name] = call.parameters[name]


def refuse_deletion(group: Group, *, forced: bool) -> None:
    """Deletion protection holds until it is lessened by an update."""
    if group.deletion_protection == "prevent-all-deletion" or (
        forced and group.deletion_protection == "prevent-force-deletion"
    ):
        raise ServiceError(
            "ValidationError",
            f"AutoScalingGroup {group.name} cannot be deleted: its deletion protection is "
            f"{group.deletion_protection}.",
        )


def _capacity_type(call: Call, source: Source) -> None:
    asked: str = call.get("DesiredCapacityType", "units")
    if asked not in CAPACITY_TYPES:
        raise refused(f"Invalid DesiredCapacityType {asked}. Valid values are: {', '.join(CAPACITY_TYPES)}")
    by_attributes = isinstance(source, MixedPolicy) and any(
        one.requirements is not None for one in source.overrides
    )
    if asked != "units" and not by_attributes:
        raise refused(
            f"DesiredCapacityType {asked} is supported for attribute-based instance type selection only."
        )


def _maintenance(call: Call) -> Maintenance | None:
    asked: Mapping[str, int | None] | None = call.get("InstanceMaintenancePolicy")
    if asked is None:
        return None
    least, most = asked.get("MinHealthyPercentage"), asked.get("MaxHealthyPercentage")
    if least is None or most is None:
        raise refused("Both MinHealthyPercentage and MaxHealthyPercentage must be specified.")
    if least == -1 and most == -1:
        return None
    if least == -1 or most < 100:
        raise refused(
            "MinHealthyPercentage must be between 0 and 100, and MaxHealthyPercentage between 100 and 200; "
            "-1 clears both of them."
        )
    if most - least > 100:
        raise refused(
            "The difference between MinHealthyPercentage and MaxHealthyPercentage must not be greater "
            "than 100."
        )
    return Maintenance(least, most)
