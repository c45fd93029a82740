"""The settings that creating and updating a group share: checked first, applied after."""

from __future__ import annotations

from collections.abc import Iterable

from pavedroad.localcloud.autoscaling import scale_in
from pavedroad.localcloud.autoscaling.call import Call, refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.errors import ServiceError

HEALTH_CHECKS = frozenset({"EC2", "ELB", "EBS", "VPC_LATTICE"})
YEAR_SECONDS = 31_536_000


def refuse_what_is_not_offered(call: Call) -> None:
    """Better refused than silently dropped."""
    if named := call.get("PlacementGroup"):
        try:
            call.compute.check_placement({"GroupName": named})
        except ServiceError as refusal:
            raise refused(refusal.message) from refusal
    if call.get("Operator"):
        raise refused("Operator is not offered: no service principal manages groups of this cloud.")


def check_name(name: str, what: str = "Group") -> None:
    if ":" in name or name.strip() != name:
        raise refused(f"{what} name '{name}' must not contain a colon, or begin or end with a space.")


def check_bounds(minimum: int, maximum: int, desired: int) -> None:
    for what, size in (("Min", minimum), ("Max", maximum)):
        if size < 0:
            raise refused(f"{what} bound, {size}, must not be negative.")
    if minimum > maximum:
        raise refused(f"Max bound, {maximum}, must be greater than or equal to min bound, {minimum}")
    if not minimum <= desired <= maximum:
        raise refused(
            f"Desired capacity:{desired} must be between the specified min size:{minimum} "
            f"and max size:{maximum}"
        )


def places(call: Call, *, required: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The zones and the subnets to launch into; both empty where the call says neither."""
    zones = named_zones(call)
    subnets = tuple(
        dict.fromkeys(part.strip() for part in call.get("VPCZoneIdentifier", "").split(",") if part.strip())
    )
    if not zones and not subnets:
        if required:
            raise refused("At least one Availability Zone or VPC Subnet is required.")
        return (), ()
    known = call.compute.zones()
    unknown = [zone for zone in zones if zone not in known]
    if unknown:
        raise refused(f"Invalid availability zones: [{', '.join(unknown)}]")
    if not subnets:
        return tuple(sorted(zones)), ()
    try:
        of_subnets = {call.compute.subnet_zone(subnet) for subnet in subnets}
    except ServiceError as missing:
        raise refused(missing.message) from missing
    if zones and set(zones) != of_subnets:
        raise refused(
            "The availability zones of the specified subnets and the Auto Scaling group do not match"
        )
    return tuple(sorted(of_subnets)), subnets


def zone_ids(call: Call, zones: Iterable[str]) -> dict[str, str]:
    known = call.compute.zone_ids()
    return {zone: known[zone] for zone in zones if zone in known}


def named_zones(call: Call) -> tuple[str, ...]:
    """The zones that AvailabilityZones or AvailabilityZoneIds names."""
    names, ids = call.texts("AvailabilityZones"), call.texts("AvailabilityZoneIds")
    if names and ids:
        raise refused("You cannot specify both AvailabilityZones and AvailabilityZoneIds.")
    if not ids:
        return tuple(dict.fromkeys(names))
    by_id = {id_: zone for zone, id_ in call.compute.zone_ids().items()}
    unknown = [id_ for id_ in ids if id_ not in by_id]
    if unknown:
        raise refused(f"Invalid availability zone ids: [{', '.join(unknown)}]")
    return tuple(dict.fromkeys(by_id[id_] for id_ in ids))


def apply(call: Call, group: Group) -> None:
    """Everything that is simply set. All of it is checked before any of it is kept."""
    health_check_type = _health_check_type(call, group)
    policies = tuple(call.texts("TerminationPolicies")) or group.termination_policies
    _check_policies(policies)
    cooldown = _seconds(call, "DefaultCooldown", group.cooldown_seconds)
    grace = _seconds(call, "HealthCheckGracePeriod", group.grace_seconds)
    lifetime = call.get("MaxInstanceLifetime", group.max_instance_lifetime)
    if lifetime and not 86_400 <= lifetime <= YEAR_SECONDS:
        raise refused("Maximum instance lifetime must be 0, or between 86400 and 31536000 seconds.")
    warmup = call.get("DefaultInstanceWarmup", group.default_warmup_seconds)
    group.health_check_type = health_check_type
    group.termination_policies = policies
    group.cooldown_seconds = cooldown
    group.grace_seconds = grace
    group.max_instance_lifetime = lifetime or None
    group.default_warmup_seconds = None if warmup is not None and warmup < 0 else warmup
    group.placement_group = call.get("PlacementGroup", group.placement_group) or None
    group.protects_new = call.get("NewInstancesProtectedFromScaleIn", group.protects_new)
    group.capacity_rebalance = call.get("CapacityRebalance", group.capacity_rebalance)
    group.context = call.get("Context", group.context)
    group.service_role_arn = call.get("ServiceLinkedRoleARN", group.service_role_arn)


def page_size(call: Call, *, default: int, most: int) -> int:
    size: int = call.get("MaxRecords", default)
    if not 1 <= size <= most:
        raise refused(
            f"1 validation error detected: Value '{size}' at 'maxRecords' failed to satisfy constraint: "
            f"Member must have value between 1 and {most}"
        )
    return size


def _check_policies(policies: tuple[str, ...]) -> None:
    for place, policy in enumerate(policies):
        custom = scale_in.CUSTOM_POLICY.fullmatch(policy) is not None
        if policy not in scale_in.POLICIES and not custom:
            raise refused(f"The termination policy {policy} is invalid.")
        if custom and place:
            raise refused(
                "A Lambda function must be the first termination policy, and there can be only one."
            )


def _health_check_type(call: Call, group: Group) -> str:
    asked: str = call.get("HealthCheckType", group.health_check_type)
    checks = asked.split(",")
    if any(check not in HEALTH_CHECKS for check in checks):
        raise refused(
            f"{asked} is not a valid health check type. Valid types are EC2, ELB, EBS and VPC_LATTICE."
        )
    return asked


def _seconds(call: Call, name: str, current: int) -> int:
    seconds: int = call.get(name, current)
    if seconds < 0:
        own = name[0].lower() + name[1:]
        raise refused(
            f"1 validation error detected: Value '{seconds}' at '{own}' failed to satisfy constraint: "
            "Member must have value greater than or equal to 0"
        )
    return seconds
