"""Operations on target groups."""

from __future__ import annotations

import re
from dataclasses import replace

from pavedroad.localcloud.balancing.asked import (
    Parameters,
    arn,
    invalid,
    kept_protocol,
    number,
    one_of,
    page,
    resource_name,
    shown_protocol,
    tags,
    unsupported,
)
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.model import TRAFFIC_PORT, HealthCheck, TargetGroup
from pavedroad.localcloud.errors import ServiceError

_MOST = 3000
_CONNECTS = HealthCheck("TCP", TRAFFIC_PORT, "", 30, 10, 5, 2, "")
_MATCHER = re.compile(r"[2-4][0-9][0-9](-[2-4][0-9][0-9])?(,[2-4][0-9][0-9](-[2-4][0-9][0-9])?)*")
_PATH = re.compile(r"/[\x21-\x7e]{0,1023}")


def create_target_group(call: Call) -> Parameters:
    asked, store = call.parameters, call.store
    name = resource_name(asked["Name"], "Target group")
    target_type = asked.get("TargetType", "instance")
    if target_type not in ("instance", "ip"):
        raise unsupported(f"The target type '{target_type}'")
    if "Protocol" not in asked or "Port" not in asked:
        raise invalid("A protocol and a port must be specified")
    if asked["Protocol"] in ("UDP", "TCP_UDP", "GENEVE"):
        raise unsupported(f"The protocol '{asked['Protocol']}'")
    protocol = kept_protocol(one_of(asked["Protocol"], ("HTTP", "HTTPS", "TCP", "TLS"), "Protocol"))
    streams = protocol in ("TCP", "SSL")
    if streams and "ProtocolVersion" in asked:
        raise invalid("A protocol version can only be specified for HTTP and HTTPS target groups")
    if asked.get("ProtocolVersion", "HTTP1") != "HTTP1":
        raise unsupported(f"The protocol version '{asked['ProtocolVersion']}'")
    if asked.get("IpAddressType", "ipv4") != "ipv4":
        raise unsupported(f"The IP address type '{asked['IpAddressType']}'")
    port = number(asked["Port"], 1, 65535, "Port")
    vpc_id = asked.get("VpcId")
    if not vpc_id:
        raise invalid("A VPC ID must be specified")
    if not call.network.vpc_exists(vpc_id):
        raise invalid(f"The VPC ID '{vpc_id}' is not found")
    blank = _CONNECTS if streams else HealthCheck("HTTP", TRAFFIC_PORT, "/", 30, 5, 5, 2, "200")
    check = _health_check(asked, blank, streams)
    new_tags = tags(asked.get("Tags", []))
    group = TargetGroup(
        call.new_arn(f"targetgroup/{name}"),
        name,
        protocol,
        port,
        vpc_id,
        "ip" if target_type == "ip" else "instance",
        check,
    )
    for there in store.groups.values():
        if there.name == name:
            if replace(group, arn=there.arn, attributes=there.attributes) == there:
                return {"TargetGroups": [write_group(call, there)]}
            raise ServiceError(
                "DuplicateTargetGroupName",
                f"A target group with the same name '{name}' exists, but with different settings",
            )
    if len(store.groups) >= _MOST:
        raise ServiceError("TooManyTargetGroups", f"There can be at most {_MOST} target groups")
    store.put(store.groups, group.arn, group)
    store.put(store.tags, group.arn, new_tags)
    return {"TargetGroups": [write_group(call, group)]}


def describe_target_groups(call: Call) -> Parameters:
    asked = call.parameters
    balancer_arn, arns, names = asked.get("LoadBalancerArn"), asked.get("TargetGroupArns"), asked.get("Names")
    if sum(map(bool, (balancer_arn, arns, names))) > 1:
        raise invalid("Target group ARNs, names and a load balancer ARN cannot be specified together")
    found = list(call.store.groups.values())
    if arns:
        found = [call.group(arn(it, "targetgroup", "target group")) for it in dict.fromkeys(arns)]
    elif names:
        by_name = {group.name: group for group in found}
        if missing := [name for name in names if name not in by_name]:
            raise ServiceError("TargetGroupNotFound", f"Target groups '[{', '.join(missing)}]' not found")
        found = [by_name[name] for name in dict.fromkeys(names)]
    elif balancer_arn:
        balancer = call.balancer(arn(balancer_arn, "loadbalancer", "load balancer"))
        users = call.store.users()
        found = [group for group in found if balancer.arn in users.get(group.arn, ())]
    shown, more = page(found, lambda group: group.name, asked)
    users = call.store.users()
    return {"TargetGroups": [write_group(call, group, users) for group in shown], **more}


def modify_target_group(call: Call) -> Parameters:
    group = call.group(call.parameters["TargetGroupArn"])
    changed = replace(group, health_check=_health_check(call.parameters, group.health_check, group.streams))
    call.store.put(call.store.groups, group.arn, changed)
    return {"TargetGroups": [write_group(call, changed)]}


def delete_target_group(call: Call) -> Parameters:
    """Gone already is fine."""
    group_arn = arn(call.parameters["TargetGroupArn"], "targetgroup", "target group")
    store = call.store
    if store.users().get(group_arn):
        raise ServiceError(
            "ResourceInUse", f"Target group '{group_arn}' is currently in use by a listener or a rule"
        )
    store.drop(store.members, group_arn)
    store.drop(store.tags, group_arn)
    store.drop(store.groups, group_arn)
    return {}


def _health_check(asked: Parameters, before: HealthCheck, streams: bool = False) -> HealthCheck:
    if asked.get("HealthCheckEnabled") is False:
        raise invalid("Health checks cannot be disabled for target groups of type 'instance' or 'ip'")
    allowed = ("HTTP", "HTTPS", "TCP") if streams else ("HTTP", "HTTPS")
    protocol = kept_protocol(
        one_of(asked.get("HealthCheckProtocol", before.protocol), allowed, "Health check protocol")
    )
    port = str(asked.get("HealthCheckPort", before.port))
    if port != TRAFFIC_PORT:
        port = str(number(port, 1, 65535, "Health check port"))
    connects = protocol == "TCP"
    if connects and (asked.get("HealthCheckPath") or asked.get("Matcher")):
        raise invalid("Health check paths and matchers are not for health checks of protocol 'TCP'")
    path = "" if connects else asked.get("HealthCheckPath", before.path or "/")
    if not connects and not _PATH.fullmatch(path):
        raise invalid(f"Health check path '{path}' must begin with '/' and have at most 1024 characters")
    matched = asked.get("Matcher", {})
    if "GrpcCode" in matched:
        raise unsupported("A gRPC matcher")
    matcher = "" if connects else matched.get("HttpCode", before.matcher or "200-399")
    if not connects and not _MATCHER.fullmatch(matcher):
        raise invalid(
            f"Health check matcher HTTP code '{matcher}' must be like '200', '200,202' or '200-499'"
        )
    interval = number(
        asked.get("HealthCheckIntervalSeconds", before.interval_seconds), 1, 300, "Health check interval"
    )
    timeout = number(
        asked.get("HealthCheckTimeoutSeconds", min(before.timeout_seconds, interval)),
        1,
        120,
        "Health check timeout",
    )
    if timeout > interval:
        raise invalid(
            f"Health check timeout '{timeout}' must be smaller than or equal to the interval '{interval}'"
        )
    return HealthCheck(
        protocol,
        port,
        path,
        interval,
        timeout,
        number(
            asked.get("HealthyThresholdCount", before.healthy_threshold), 2, 10, "Healthy threshold count"
        ),
        number(
            asked.get("UnhealthyThresholdCount", before.unhealthy_threshold),
            2,
            10,
            "Unhealthy threshold count",
        ),
        matcher,
    )


def write_group(call: Call, group: TargetGroup, users: dict[str, set[str]] | None = None) -> Parameters:
    check = group.health_check
    used_by = (call.store.users() if users is None else users).get(group.arn, set[str]())
    return {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "Protocol": shown_protocol(group.protocol),
        "Port": group.port,
        "VpcId": group.vpc_id,
        "HealthCheckProtocol": check.protocol,
        "HealthCheckPort": check.port,
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": check.interval_seconds,
        "HealthCheckTimeoutSeconds": check.timeout_seconds,
        "HealthyThresholdCount": check.healthy_threshold,
        "UnhealthyThresholdCount": check.unhealthy_threshold,
        **({} if group.streams else {"ProtocolVersion": "HTTP1"}),
        **({"HealthCheckPath": check.path, "Matcher": {"HttpCode": check.matcher}} if check.path else {}),
        "LoadBalancerArns": sorted(used_by),
        "TargetType": group.target_type,
        "IpAddressType": "ipv4",
    }
