"""Operations on targets: registering, draining, and how they do."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace

from pavedroad.core.clock import Clock
from pavedroad.localcloud.balancing.asked import Parameters, number
from pavedroad.localcloud.balancing.attributes import DEREGISTRATION_DELAY, OF_GROUPS, value_of
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.health import NOT_REGISTERED, HealthOf
from pavedroad.localcloud.balancing.model import TRAFFIC_PORT, Member, TargetGroup
from pavedroad.localcloud.balancing.store import Store
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Registration

_MOST = 1000


def register_targets(call: Call) -> Parameters:
    group = call.group(call.parameters["TargetGroupArn"])
    members = [_new_member(call, group, target) for target in call.parameters["Targets"]]
    if group.target_type == "instance" and (idle := _not_running(call, members)):
        raise ServiceError(
            "InvalidTarget",
            "The following targets are not in a running state and cannot be registered: "
            + ", ".join(f"'{instance_id}'" for instance_id in idle),
        )
    there = {member.key for member in call.store.members_of(group.arn)}
    if len(there | {member.key for member in members}) > _MOST:
        raise ServiceError("TooManyTargets", f"A target group can have at most {_MOST} targets")
    enroll(call.store, group.arn, members)
    return {}


def deregister_targets(call: Call) -> Parameters:
    """A target that is not registered is passed over, but for one that could never be."""
    group = call.group(call.parameters["TargetGroupArn"])
    leaving: list[Member] = []
    for target in call.parameters["Targets"]:
        leaving += _matching(call.store, group, target)
    dismiss(call.store, group, leaving, call.clock)
    return {}


def describe_target_health(call: Call) -> Parameters:
    group = call.group(call.parameters["TargetGroupArn"])
    health_of = HealthOf(call.store, group, call.network, call.actual, call.is_up)
    asked = call.parameters.get("Targets")
    if not asked:
        members = sorted(call.store.members_of(group.arn), key=lambda member: member.key)
        return {"TargetHealthDescriptions": [_describe(group, it, health_of(it)) for it in members]}
    described: list[Parameters] = []
    for target in asked:
        port = int(target.get("Port", group.port))
        member = call.store.members.get(group.arn, {}).get((target["Id"], port))
        if member is None:
            absent = Member(group.arn, target["Id"], port, "")
            described.append(_describe(group, absent, NOT_REGISTERED))
        else:
            described.append(_describe(group, member, health_of(member)))
    return {"TargetHealthDescriptions": described}


def enroll(store: Store, group_arn: str, members: Sequence[Member]) -> None:
    """Register; one that is there stays as it is, one that drains comes back."""
    table = store.members.get(group_arn)
    if table is None:
        table = {}
        store.put(store.members, group_arn, table)
    for member in members:
        there = table.get(member.key)
        if there is None or there.drain_until is not None:
            store.put(table, member.key, member)


def dismiss(store: Store, group: TargetGroup, members: Sequence[Member], clock: Clock) -> None:
    """Start to drain; what takes no traffic, or need not be waited for, leaves at once."""
    table = store.members.get(group.arn, {})
    delay = int(value_of(OF_GROUPS, group.attributes, DEREGISTRATION_DELAY))
    used = bool(store.users().get(group.arn))
    for member in members:
        if delay == 0 or not used:
            store.drop(table, member.key)
        elif member.drain_until is None:
            until = clock.now().timestamp() + delay
            store.put(table, member.key, replace(member, drain_until=until))


def _new_member(call: Call, group: TargetGroup, target: Parameters) -> Member:
    target_id = target["Id"]
    port = number(target.get("Port", group.port), 1, 65535, "Port")
    zone = target.get("AvailabilityZone", "")
    if group.target_type == "ip":
        _check_address(target_id)
        return Member(group.arn, target_id, port, "" if zone == "all" else zone)
    endpoint = call.network.endpoint(target_id)
    if endpoint is None:
        raise ServiceError("InvalidTarget", f"The following targets are not valid instances: '{target_id}'")
    if endpoint.vpc_id != group.vpc_id:
        raise ServiceError(
            "InvalidTarget", f"The following targets are not in the target group's VPC: '{target_id}'"
        )
    return Member(group.arn, target_id, port, "")


def _check_address(text: str) -> None:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        raise ServiceError("InvalidTarget", f"The IP address '{text}' is not a valid IPv4 address") from None
    if not (address.is_private or address.is_loopback):
        raise ServiceError("InvalidTarget", f"The IP address '{text}' is not a private address")


def _not_running(call: Call, members: Sequence[Member]) -> list[str]:
    endpoints = {member.id: call.network.endpoint(member.id) for member in members}
    return [it for it, endpoint in endpoints.items() if endpoint is None or endpoint.state != "running"]


def _matching(store: Store, group: TargetGroup, target: Parameters) -> list[Member]:
    """The registrations that a target description means: one port, or all of the id's."""
    table = store.members.get(group.arn, {})
    if (port := target.get("Port")) is not None:
        member = table.get((target["Id"], port))
        return [member] if member else []
    return [member for member in table.values() if member.id == target["Id"]]


def _describe(group: TargetGroup, member: Member, health: Registration) -> Parameters:
    described: Parameters = {"Id": member.id, "Port": member.port}
    if member.zone:
        described["AvailabilityZone"] = member.zone
    check_port = group.health_check.port
    written: Parameters = {"State": health.state}
    if health.reason:
        written["Reason"] = health.reason
    if health.description:
        written["Description"] = health.description
    return {
        "Target": described,
        "HealthCheckPort": str(member.port) if check_port == TRAFFIC_PORT else check_port,
        "TargetHealth": written,
    }
