"""Attributes of load balancers, listeners and target groups: what there is, its default, what it may be.

What this cloud does not do yet can be set to nothing but its default, so that no setting is a promise
that nobody keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pavedroad.localcloud.balancing.asked import Parameters, invalid, number, one_of, unsupported
from pavedroad.localcloud.balancing.call import Call

DELETION_PROTECTION = "deletion_protection.enabled"
IDLE_TIMEOUT = "idle_timeout.timeout_seconds"
DEREGISTRATION_DELAY = "deregistration_delay.timeout_seconds"
ALGORITHM = "load_balancing.algorithm.type"

Check = Callable[[str, str], object]


@dataclass(frozen=True, slots=True)
class Attribute:
    """`check` takes the value and the key, and raises; without it only the default is accepted."""

    default: str
    check: Check | None = None


def _flag(value: str, key: str) -> object:
    return one_of(value, ("true", "false"), f"The value of '{key}'")


def _between(low: int, high: int) -> Check:
    return lambda value, key: number(value, low, high, f"The value of '{key}'")


def _any_of(*allowed: str) -> Check:
    return lambda value, key: one_of(value, allowed, f"The value of '{key}'")


Attributes = Mapping[str, Attribute]

OF_BALANCERS: Attributes = {
    "access_logs.s3.bucket": Attribute(""),
    "access_logs.s3.enabled": Attribute("false"),
    "access_logs.s3.prefix": Attribute(""),
    "client_keep_alive.seconds": Attribute("3600"),
    "connection_logs.s3.bucket": Attribute(""),
    "connection_logs.s3.enabled": Attribute("false"),
    "connection_logs.s3.prefix": Attribute(""),
    DELETION_PROTECTION: Attribute("false", _flag),
    IDLE_TIMEOUT: Attribute("60", _between(1, 4000)),
    "ipv6.deny_all_igw_traffic": Attribute("false"),
    "load_balancing.cross_zone.enabled": Attribute("true"),
    "routing.http.desync_mitigation_mode": Attribute("defensive"),
    "routing.http.drop_invalid_header_fields.enabled": Attribute("false"),
    "routing.http.preserve_host_header.enabled": Attribute("true", _any_of("true")),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": Attribute("false"),
    "routing.http.xff_client_port.enabled": Attribute("false"),
    "routing.http.xff_header_processing.mode": Attribute("append"),
    "routing.http2.enabled": Attribute("true"),
    "waf.fail_open.enabled": Attribute("false"),
    "zonal_shift.config.enabled": Attribute("false"),
}

OF_LISTENERS: Attributes = {"routing.http.response.server.enabled": Attribute("true")}

OF_GROUPS: Attributes = {
    DEREGISTRATION_DELAY: Attribute("300", _between(0, 3600)),
    ALGORITHM: Attribute("round_robin", _any_of("round_robin", "least_outstanding_requests")),
    "load_balancing.algorithm.anomaly_mitigation": Attribute("off"),
    "load_balancing.cross_zone.enabled": Attribute(
        "use_load_balancer_configuration", _any_of("use_load_balancer_configuration", "true")
    ),
    "slow_start.duration_seconds": Attribute("0"),
    "stickiness.enabled": Attribute("false"),
    "stickiness.type": Attribute("lb_cookie", _any_of("lb_cookie", "app_cookie")),
    "stickiness.lb_cookie.duration_seconds": Attribute("86400", _between(1, 604800)),
    "stickiness.app_cookie.cookie_name": Attribute("", lambda value, _: value),
    "stickiness.app_cookie.duration_seconds": Attribute("86400", _between(1, 604800)),
    "target_group_health.dns_failover.minimum_healthy_targets.count": Attribute("1"),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": Attribute("off"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": Attribute("1"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": Attribute("off"),
}


def value_of(known: Attributes, changed: Mapping[str, str], key: str) -> str:
    return changed.get(key, known[key].default)


def written(known: Attributes, changed: Mapping[str, str]) -> list[Parameters]:
    return [{"Key": key, "Value": value_of(known, changed, key)} for key in known]


def changed_by(
    known: Attributes, changed: Mapping[str, str], given: Sequence[Parameters], what: str
) -> dict[str, str]:
    """The attributes that differ from their defaults once the given ones are set."""
    after = dict(changed)
    for pair in given:
        key, value = pair.get("Key", ""), pair.get("Value", "")
        if key not in known:
            raise invalid(f"{what} attribute key '{key}' is not recognized")
        attribute = known[key]
        if attribute.check is not None:
            attribute.check(value, key)
        elif value != attribute.default:
            raise unsupported(f"Setting '{key}' to '{value}'")
        after[key] = value
    return after


def describe_balancer_attributes(call: Call) -> Parameters:
    balancer = call.balancer(call.parameters["LoadBalancerArn"])
    return {"Attributes": written(OF_BALANCERS, balancer.attributes)}


def describe_listener_attributes(call: Call) -> Parameters:
    listener = call.listener(call.parameters["ListenerArn"])
    return {"Attributes": written(OF_LISTENERS, listener.attributes)}


def describe_group_attributes(call: Call) -> Parameters:
    group = call.group(call.parameters["TargetGroupArn"])
    return {"Attributes": written(OF_GROUPS, group.attributes)}


def modify_balancer_attributes(call: Call) -> Parameters:
    balancer = call.balancer(call.parameters["LoadBalancerArn"])
    given = call.parameters["Attributes"]
    after = changed_by(OF_BALANCERS, balancer.attributes, given, "Load balancer")
    call.store.put(call.store.balancers, balancer.arn, replace(balancer, attributes=after))
    return {"Attributes": written(OF_BALANCERS, after)}


def modify_listener_attributes(call: Call) -> Parameters:
    listener = call.listener(call.parameters["ListenerArn"])
    given = call.parameters["Attributes"]
    after = changed_by(OF_LISTENERS, listener.attributes, given, "Listener")
    call.store.put(call.store.listeners, listener.arn, replace(listener, attributes=after))
    return {"Attributes": written(OF_LISTENERS, after)}


def modify_group_attributes(call: Call) -> Parameters:
    group = call.group(call.parameters["TargetGroupArn"])
    given = call.parameters["Attributes"]
    after = changed_by(OF_GROUPS, group.attributes, given, "Target group")
    call.store.put(call.store.groups, group.arn, replace(group, attributes=after))
    return {"Attributes": written(OF_GROUPS, after)}
