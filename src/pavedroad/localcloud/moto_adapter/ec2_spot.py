# pyright: basic, reportAttributeAccessIssue=false
"""Spot requests of one account and region: launched when they can be, taken back when it is said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.models.instances import Reservation
from moto.ec2.utils import random_spot_request_id

from pavedroad.core.numbers import real
from pavedroad.localcloud.api.ec2.spot import PRODUCT, SpotRequest, on_demand_price, spot_price
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from pavedroad.localcloud.moto_adapter.ec2_launch import Launch
from pavedroad.localcloud.moto_adapter.ec2_types import memory_mebibytes, vcpus

_WAITING = (
    "InsufficientInstanceCapacity",
    "InsufficientFreeAddressesInSubnet",
    "MaxSpotInstanceCountExceeded",
)


def price_now(instance_type: str, zone: str, now: datetime) -> float:
    on_demand = on_demand_price(vcpus(instance_type), memory_mebibytes(instance_type))
    return spot_price(instance_type, zone, on_demand, now)


def checked_price(text: Any) -> float | None:
    """What a caller would pay at most, in dollars an hour."""
    if text in (None, ""):
        return None
    try:
        price = real(text)
    except ValueError:
        price = -1.0
    if not 0 < price < 1000:
        raise ServiceError("InvalidParameterValue", f"Value ({text}) for parameter spotPrice is invalid.")
    return price


def request_for(options: Mapping[str, Any], launch: dict[str, Any], now: datetime) -> SpotRequest:
    """A request from RunInstances' `SpotOptions` (or RequestSpotInstances' parameters by the same names)."""
    persistent = options.get("SpotInstanceType") == "persistent"
    behaviour = options.get("InstanceInterruptionBehavior") or "terminate"
    if behaviour == "hibernate":
        raise ServiceError("UnsupportedOperation", "Instances of this cloud cannot be hibernated.")
    if behaviour == "stop" and not persistent:
        raise ServiceError(
            "InvalidParameterCombination",
            "The interruption behavior 'stop' is supported for persistent Spot requests only.",
        )
    if options.get("BlockDurationMinutes"):
        raise ServiceError("UnsupportedOperation", "Spot blocks with a defined duration are not offered.")
    until = _moment(options.get("ValidUntil"))
    if until is not None and until <= now:
        raise ServiceError("InvalidParameterValue", "The parameter validUntil must be in the future.")
    return SpotRequest(
        id=random_spot_request_id(),
        max_price=checked_price(options.get("MaxPrice")),
        created=now,
        persistent=persistent,
        behaviour=behaviour,
        launch=launch,
        valid_until=until,
        changed=now,
    )


def refuse_low_price(request: SpotRequest, launch: Launch, now: datetime) -> None:
    """RunInstances waits for no price."""
    refuse_low_price_of(request, launch.instance_type, launch.zone, now)


def refuse_low_price_of(request: SpotRequest, instance_type: str, zone: str, now: datetime) -> None:
    price = price_now(instance_type, zone, now)
    if request.max_price is not None and request.max_price < price:
        raise ServiceError(
            "SpotMaxPriceTooLow",
            f"Your Spot request price of {request.max_price:g} is lower than the minimum required Spot "
            f"request fulfillment price of {price:g}.",
        )


def fulfil(backend: LocalEC2Backend, request: SpotRequest, instance: LocalInstance, now: datetime) -> None:
    instance.lifecycle = "spot"
    backend.census.count(instance)
    instance.spot_request_id = request.id
    request.instance_id, request.zone = instance.id, instance.availability_zone or ""
    request.turn("active", "fulfilled", now)
    backend.spot[request.id] = request


def launched(made: Reservation) -> list[LocalInstance]:
    return made.instances  # pyright: ignore[reportReturnType]


def advance(backend: LocalEC2Backend, now: datetime) -> bool:
    """What is due by now; whether anything has changed."""
    changed = False
    for request in list(backend.spot.values()):
        if request.state == "open":
            changed |= _try(backend, request, now)
        elif request.state in ("active", "disabled", "cancelled") and request.instance_id:
            changed |= _follow(backend, request, now)
    return changed


def _try(backend: LocalEC2Backend, request: SpotRequest, now: datetime) -> bool:
    if request.valid_until is not None and now >= request.valid_until:
        return request.turn("cancelled", "schedule-expired", now)
    try:
        launch = Launch(backend, request.launch)
        price = price_now(launch.instance_type, launch.zone, now)
        if request.max_price is not None and request.max_price < price:
            return request.turn("open", "price-too-low", now)
        launch.count(1, 1)
        made = launched(launch.launch(1))
    except (ServiceError, ServiceException) as error:
        if error.code in _WAITING:
            return request.turn("open", "capacity-not-available", now)
        request.fault = (error.code, str(error.message))
        return request.turn("failed", "bad-parameters", now)
    fulfil(backend, request, made[0], now)
    return True


def _follow(backend: LocalEC2Backend, request: SpotRequest, now: datetime) -> bool:
    one = backend.by_id.get(request.instance_id)
    cancelled = request.state == "cancelled"
    if one is None or one.life.wish == "terminate":
        taken = one is not None and one.life.was_reclaimed
        request.instance_id = request.instance_id if not request.persistent or cancelled else ""
        if request.persistent and not cancelled:
            return request.turn("open", "pending-evaluation", now)
        code = "instance-terminated-no-capacity" if taken else "instance-terminated-by-user"
        return request.turn("closed", code, now) if not cancelled else False
    if one.interruption is not None and one.noticed_at is None:
        one.noticed_at = now
    if one.interruption is None:
        one.noticed_at = None
    elif now >= one.interruption and one.life.should_run:
        one.life.reclaim(now, stop=request.behaviour == "stop")
        one.interruption = None
        if cancelled:
            return True
        if request.behaviour == "stop":
            return request.turn("disabled", "instance-stopped-no-capacity", now)
        return request.turn("closed", "instance-terminated-no-capacity", now)
    if cancelled:
        return False
    if one.life.wish == "stop":
        taken = one.life.was_reclaimed
        return request.turn("disabled", request.code if taken else "instance-stopped-by-user", now)
    marked = "marked-for-stop" if request.behaviour == "stop" else "marked-for-termination"
    return request.turn("active", marked if one.interruption else "fulfilled", now)


def described(backend: LocalEC2Backend, request: SpotRequest) -> dict[str, Any]:
    """As DescribeSpotInstanceRequests has it."""
    tags = backend.tags.get(request.id, {})
    result: dict[str, Any] = {
        "SpotInstanceRequestId": request.id,
        "SpotPrice": f"{_price(request):.6f}",
        "Type": "persistent" if request.persistent else "one-time",
        "State": request.state,
        "Status": {"Code": request.code, "Message": request.message, "UpdateTime": request.changed},
        "CreateTime": request.created,
        "ProductDescription": PRODUCT,
        "LaunchSpecification": _specification(backend, request.launch),
        "InstanceInterruptionBehavior": request.behaviour,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    if request.valid_until:
        result["ValidUntil"] = request.valid_until
    if request.instance_id:
        result |= {"InstanceId": request.instance_id, "LaunchedAvailabilityZone": request.zone}
    if request.fault:
        result["Fault"] = {"Code": request.fault[0], "Message": request.fault[1]}
    return result


def _price(request: SpotRequest) -> float:
    if request.max_price is not None:
        return request.max_price
    name = request.launch.get("InstanceType") or "m1.small"
    return on_demand_price(vcpus(name), memory_mebibytes(name))


def _specification(backend: LocalEC2Backend, launch: Mapping[str, Any]) -> dict[str, Any]:
    groups = []
    for group_id in launch.get("SecurityGroupIds") or ():
        group = backend.get_security_group_from_id(group_id)
        groups.append({"GroupId": group_id, "GroupName": group.name if group else ""})
    placement = launch.get("Placement") or {}
    kept = {
        name: launch[name]
        for name in (
            "ImageId",
            "InstanceType",
            "KeyName",
            "SubnetId",
            "BlockDeviceMappings",
            "IamInstanceProfile",
        )
        if launch.get(name)
    }
    return {
        **kept,
        "SecurityGroups": groups,
        "Placement": {"AvailabilityZone": placement.get("AvailabilityZone")},
        "Monitoring": {"Enabled": bool((launch.get("Monitoring") or {}).get("Enabled"))},
    }


def _moment(given: Any) -> datetime | None:
    return given if given is None or given.tzinfo else given.replace(tzinfo=UTC)
