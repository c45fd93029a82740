"""LaunchInstances: launching into a group at once, and being told at once what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pavedroad.localcloud.autoscaling import wording
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.launching import Launcher
from pavedroad.localcloud.autoscaling.model import Group, LaunchAnswer, Member
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.autoscaling.views import Shape
from pavedroad.localcloud.errors import ServiceError

MOST_INSTANCES = 100
REMEMBERED = timedelta(hours=8)
"""How long a client token is known."""


@dataclass(frozen=True, slots=True)
class Place:
    zone: str
    subnet: str | None


def launch(call: Call) -> Result:
    group = call.changeable_group()
    _forget_old(group, call.now)
    token: str = call.parameters["ClientToken"]
    if earlier := group.launch_answers.get(token):
        if earlier.asked != dict(call.parameters):
            raise ServiceError(
                "IdempotentParameterMismatch",
                f"The parameters do not match those of the earlier request with the client token {token}.",
            )
        return dict(earlier.result)
    place = _place(call, group)
    capacity: int = call.parameters["RequestedCapacity"]
    if group.desired + capacity > group.maximum:
        raise refused(
            f"AutoScalingGroup {group.name} has min-size={group.minimum}, max-size={group.maximum}, and "
            f"desired-size={group.desired}. To launch {capacity} more, please update the AutoScalingGroup "
            "sizes appropriately."
        )
    if group.suspends("Launch"):
        raise refused(f"The Launch process of AutoScalingGroup {group.name} is suspended.")
    result = _launch(call, group, place, capacity) | {
        "AutoScalingGroupName": group.name,
        "ClientToken": token,
    }
    group.launch_answers[token] = LaunchAnswer(call.now, dict(call.parameters), result)
    return dict(result)


def _launch(call: Call, group: Group, place: Place, capacity: int) -> Shape:
    launcher = Launcher(call.region, group, call.compute, call.now)
    if place.subnet:
        launcher.keep_to(place.zone, place.subnet)
    launched: list[Member] = []
    units = 0
    while units < capacity and len(launched) < MOST_INSTANCES:
        was = group.capacity
        cause = wording.launched_by_user(call.now, was, group.desired + capacity)
        member = launcher.launch(place.zone, cause)
        if member is None:
            break
        launched.append(member)
        units += member.units
    retries = call.get("RetryStrategy") == "retry-with-group-configuration"
    group.desired += capacity if retries else min(units, capacity)
    return {"Instances": _collections(launched), "Errors": _errors(launcher, place, group)}


def _collections(launched: list[Member]) -> list[Shape]:
    """What is alike is told together."""
    found: dict[tuple[str, str, str], list[Member]] = {}
    for member in launched:
        found.setdefault((member.instance_type, member.market, member.subnet_id), []).append(member)
    return [
        {
            "InstanceType": kind,
            "MarketType": market,
            "SubnetId": subnet,
            "AvailabilityZone": members[0].zone,
            "AvailabilityZoneId": members[0].zone_id or None,
            "InstanceIds": [member.id for member in members],
        }
        for (kind, market, subnet), members in found.items()
    ]


def _errors(launcher: Launcher, place: Place, group: Group) -> list[Shape]:
    return [
        {
            "InstanceType": one.instance_type or None,
            "MarketType": one.market,
            "SubnetId": place.subnet,
            "AvailabilityZone": place.zone,
            "AvailabilityZoneId": group.zone_ids.get(place.zone),
            "ErrorCode": one.refusal.code[:64],
            "ErrorMessage": one.refusal.message,
        }
        for one in launcher.refusals
    ]


def _place(call: Call, group: Group) -> Place:
    """The one zone, and perhaps the subnet, to launch in."""
    zones, subnets = settings.named_zones(call), call.texts("SubnetIds")
    subnet = subnets[0] if subnets else None
    if subnet is not None:
        if subnet not in group.subnets:
            raise refused(f"The subnet {subnet} is not part of AutoScalingGroup {group.name}.")
        zone = call.compute.subnet_zone(subnet)
        if zones and zones[0] != zone:
            raise refused(f"The subnet {subnet} is not in the Availability Zone {zones[0]}.")
        return Place(zone, subnet)
    if zones:
        if zones[0] not in group.zones:
            raise refused(f"The Availability Zone {zones[0]} is not part of AutoScalingGroup {group.name}.")
        return Place(zones[0], None)
    if len(group.zones) > 1:
        raise refused(
            "Either AvailabilityZones or SubnetIds must be specified for groups with multiple Availability "
            "Zones."
        )
    return Place(min(group.zones), None)


def _forget_old(group: Group, now: datetime) -> None:
    answers: Mapping[str, LaunchAnswer] = group.launch_answers
    for token in [token for token, answer in answers.items() if answer.at + REMEMBERED < now]:
        del group.launch_answers[token]


OPERATIONS: dict[str, Operation] = {"LaunchInstances": launch}
