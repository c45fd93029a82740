"""Attributes of load balancers, listeners and target groups: what there is, its default, what it may be.

What this cloud does not do yet can be set to nothing but its default, so that no setting is a promise
that nobody keeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pavedroad.localcloud.balancing.asked import Parameters, invalid, number, one_of, refused, unsupported
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.model import Balancer, Listener, TargetGroup

DELETION_PROTECTION = "deletion_protection.enabled"
IDLE_TIMEOUT = "idle_timeout.timeout_seconds"
CLIENT_KEEP_ALIVE = "client_keep_alive.seconds"
DROP_INVALID = "routing.http.drop_invalid_header_fields.enabled"
PRESERVE_HOST = "routing.http.preserve_host_header.enabled"
TLS_HEADERS = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"
FORWARDED_FOR_PORT = "routing.http.xff_client_port.enabled"
FORWARDED_FOR = "routing.http.xff_header_processing.mode"
HTTP2 = "routing.http2.enabled"

DEREGISTRATION_DELAY = "deregistration_delay.timeout_seconds"
ALGORITHM = "load_balancing.algorithm.type"
ANOMALY_MITIGATION = "load_balancing.algorithm.anomaly_mitigation"
CROSS_ZONE = "load_balancing.cross_zone.enabled"
SLOW_START = "slow_start.duration_seconds"
STICKY = "stickiness.enabled"
STICKY_BY = "stickiness.type"
STICKY_SECONDS = "stickiness.lb_cookie.duration_seconds"
APP_COOKIE = "stickiness.app_cookie.cookie_name"
APP_COOKIE_SECONDS = "stickiness.app_cookie.duration_seconds"
FAIL_OVER = "target_group_health.dns_failover.minimum_healthy_targets"
FAIL_OPEN = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
PROXY_PROTOCOL = "proxy_protocol.enabled"
"""Of target groups that serve classic load balancers only."""

IDLE_SECONDS = "tcp.idle_timeout.seconds"
SERVER_HEADER = "routing.http.response.server.enabled"

Check = Callable[[str, str], object]
_MOST_TARGETS = 1000
_COOKIE_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,4096}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,1024}")


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


def _but(exception: str, check: Check) -> Check:
    return lambda value, key: value == exception or check(value, key)


def _cookie_name(value: str, key: str) -> object:
    if not _COOKIE_NAME.fullmatch(value) or value.startswith("AWSALB"):
        raise invalid(f"The value of '{key}' is not valid: '{value}'; names from AWSALB on are reserved")
    return value


def _header_name(value: str, key: str) -> object:
    if not _HEADER_NAME.fullmatch(value):
        raise invalid(f"The value of '{key}' is not a valid header name: '{value}'")
    return value


def _header_value(value: str, key: str) -> object:
    if not _HEADER_VALUE.fullmatch(value):
        raise invalid(f"The value of '{key}' is not a valid header value")
    return value


Attributes = Mapping[str, Attribute]

OF_BALANCERS: Attributes = {
    "access_logs.s3.bucket": Attribute(""),
    "access_logs.s3.enabled": Attribute("false"),
    "access_logs.s3.prefix": Attribute(""),
    CLIENT_KEEP_ALIVE: Attribute("3600", _between(60, 604_800)),
    "connection_logs.s3.bucket": Attribute(""),
    "connection_logs.s3.enabled": Attribute("false"),
    "connection_logs.s3.prefix": Attribute(""),
    DELETION_PROTECTION: Attribute("false", _flag),
    "health_check_logs.s3.bucket": Attribute(""),
    "health_check_logs.s3.enabled": Attribute("false"),
    "health_check_logs.s3.prefix": Attribute(""),
    IDLE_TIMEOUT: Attribute("60", _between(1, 4000)),
    "ipv6.deny_all_igw_traffic": Attribute("false"),
    CROSS_ZONE: Attribute("true", _any_of("true")),
    # Envoy refuses what smuggles requests in any mode.
    "routing.http.desync_mitigation_mode": Attribute(
        "defensive", _any_of("monitor", "defensive", "strictest")
    ),
    DROP_INVALID: Attribute("false", _flag),
    PRESERVE_HOST: Attribute("false", _flag),
    TLS_HEADERS: Attribute("false", _flag),
    FORWARDED_FOR_PORT: Attribute("false", _flag),
    FORWARDED_FOR: Attribute("append", _any_of("append", "preserve", "remove")),
    HTTP2: Attribute("true", _flag),
    "waf.fail_open.enabled": Attribute("false", _flag),
    "zonal_shift.config.enabled": Attribute("false"),
}

TLS_HEADER_NAMES = {
    "routing.http.request.x_amzn_tls_version.header_name": "x-amzn-tls-version",
    "routing.http.request.x_amzn_tls_cipher_suite.header_name": "x-amzn-tls-cipher-suite",
}
"""Listeners' attributes that give these headers other names."""

RESPONSE_HEADERS = {
    f"routing.http.response.{name.replace('-', '_')}.header_value": name
    for name in (
        "strict-transport-security",
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-allow-credentials",
        "access-control-expose-headers",
        "access-control-max-age",
        "content-security-policy",
        "x-content-type-options",
        "x-frame-options",
    )
}
"""Listeners' attributes that set these headers on every answer."""

OF_LISTENERS: Attributes = {
    SERVER_HEADER: Attribute("true", _flag),
    **{key: Attribute("", _but("", _header_value)) for key in RESPONSE_HEADERS},
}
OF_TLS_LISTENERS: Attributes = {
    **OF_LISTENERS,
    **{key: Attribute(name, _header_name) for key, name in TLS_HEADER_NAMES.items()},
}

OF_NETWORK_BALANCERS: Attributes = {
    **{key: OF_BALANCERS[key] for key in OF_BALANCERS if key.startswith("access_logs.")},
    DELETION_PROTECTION: Attribute("false", _flag),
    "dns_record.client_routing_policy": Attribute("any_availability_zone"),
    "ipv6.deny_all_igw_traffic": Attribute("false"),
    # Each connection goes to any zone, as with the one address that a balancer has here it must.
    CROSS_ZONE: Attribute("false", _flag),
    "zonal_shift.config.enabled": Attribute("false"),
}

OF_STREAMS: Attributes = {IDLE_SECONDS: Attribute("350", _between(60, 6000))}
"""Of listeners that hand connections on."""

OF_STREAM_GROUPS: Attributes = {
    DEREGISTRATION_DELAY: Attribute("300", _between(0, 3600)),
    "deregistration_delay.connection_termination.enabled": Attribute("false"),
    CROSS_ZONE: Attribute(
        "use_load_balancer_configuration", _any_of("use_load_balancer_configuration", "true")
    ),
    "preserve_client_ip.enabled": Attribute("false"),
    "proxy_protocol_v2.enabled": Attribute("false"),
    STICKY: Attribute("false"),
    STICKY_BY: Attribute("source_ip"),
    f"{FAIL_OVER}.count": Attribute("1"),
    f"{FAIL_OVER}.percentage": Attribute("off"),
    f"{FAIL_OPEN}.count": Attribute("1", _between(1, _MOST_TARGETS)),
    f"{FAIL_OPEN}.percentage": Attribute("off", _but("off", _between(1, 100))),
    "target_health_state.unhealthy.connection_termination.enabled": Attribute("true", _flag),
    "target_health_state.unhealthy.draining_interval_seconds": Attribute("0"),
}

OF_GROUPS: Attributes = {
    DEREGISTRATION_DELAY: Attribute("300", _between(0, 3600)),
    ALGORITHM: Attribute(
        "round_robin", _any_of("round_robin", "least_outstanding_requests", "weighted_random")
    ),
    ANOMALY_MITIGATION: Attribute("off", _any_of("on", "off")),
    CROSS_ZONE: Attribute(
        "use_load_balancer_configuration", _any_of("use_load_balancer_configuration", "true", "false")
    ),
    SLOW_START: Attribute("0", _but("0", _between(30, 900))),
    STICKY: Attribute("false", _flag),
    STICKY_BY: Attribute("lb_cookie", _any_of("lb_cookie", "app_cookie")),
    STICKY_SECONDS: Attribute("86400", _between(1, 604_800)),
    APP_COOKIE: Attribute("", _but("", _cookie_name)),
    APP_COOKIE_SECONDS: Attribute("86400", _between(1, 604_800)),
    f"{FAIL_OVER}.count": Attribute("1", _but("off", _between(1, _MOST_TARGETS))),
    f"{FAIL_OVER}.percentage": Attribute("off", _but("off", _between(1, 100))),
    f"{FAIL_OPEN}.count": Attribute("1", _between(1, _MOST_TARGETS)),
    f"{FAIL_OPEN}.percentage": Attribute("off", _but("off", _between(1, 100))),
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
    keys = [pair.get("Key", "") for pair in given]
    for pair in given:
        key, value = pair.get("Key", ""), pair.get("Value", "")
        if keys.count(key) > 1:
            raise invalid(f"{what} attribute key '{key}' is given more than once")
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
    return {"Attributes": written(of_balancer(balancer), balancer.attributes)}


def describe_listener_attributes(call: Call) -> Parameters:
    listener = call.listener(call.parameters["ListenerArn"])
    return {"Attributes": written(of_listener(listener), listener.attributes)}


def describe_group_attributes(call: Call) -> Parameters:
    group = call.group(call.parameters["TargetGroupArn"])
    return {"Attributes": written(of_group(group), group.attributes)}


def modify_balancer_attributes(call: Call) -> Parameters:
    balancer = call.balancer(call.parameters["LoadBalancerArn"])
    given = call.parameters["Attributes"]
    after = changed_by(of_balancer(balancer), balancer.attributes, given, "Load balancer")
    call.store.put(call.store.balancers, balancer.arn, replace(balancer, attributes=after))
    return {"Attributes": written(of_balancer(balancer), after)}


def modify_listener_attributes(call: Call) -> Parameters:
    listener = call.listener(call.parameters["ListenerArn"])
    known = of_listener(listener)
    after = changed_by(known, listener.attributes, call.parameters["Attributes"], "Listener")
    call.store.put(call.store.listeners, listener.arn, replace(listener, attributes=after))
    return {"Attributes": written(known, after)}


def modify_group_attributes(call: Call) -> Parameters:
    group = call.group(call.parameters["TargetGroupArn"])
    given = call.parameters["Attributes"]
    after = changed_by(of_group(group), group.attributes, given, "Target group")
    if not group.streams:
        _check_together(after)
    call.store.put(call.store.groups, group.arn, replace(group, attributes=after))
    return {"Attributes": written(of_group(group), after)}


def of_balancer(balancer: Balancer) -> Attributes:
    return OF_NETWORK_BALANCERS if balancer.kind == "network" else OF_BALANCERS


def of_group(group: TargetGroup) -> Attributes:
    return OF_STREAM_GROUPS if group.streams and not group.classic else OF_GROUPS


def of_listener(listener: Listener) -> Attributes:
    if listener.protocol in ("TCP", "SSL"):
        return OF_STREAMS
    return OF_TLS_LISTENERS if listener.protocol == "HTTPS" else OF_LISTENERS


def _check_together(after: Mapping[str, str]) -> None:
    """What a target group cannot have at once."""
    algorithm = value_of(OF_GROUPS, after, ALGORITHM)
    sticky = value_of(OF_GROUPS, after, STICKY) == "true"
    if algorithm != "round_robin" and value_of(OF_GROUPS, after, SLOW_START) != "0":
        raise refused(f"Slow start cannot be used with the algorithm '{algorithm}'")
    if algorithm != "weighted_random" and value_of(OF_GROUPS, after, ANOMALY_MITIGATION) == "on":
        raise refused("Anomaly mitigation can only be used with the algorithm 'weighted_random'")
    if algorithm == "weighted_random" and sticky:
        raise refused("Stickiness cannot be used with the algorithm 'weighted_random'")
    if sticky and value_of(OF_GROUPS, after, CROSS_ZONE) == "false":
        raise refused("Stickiness cannot be used while cross-zone load balancing is off")
    by_application = value_of(OF_GROUPS, after, STICKY_BY) == "app_cookie"
    if sticky and by_application and not value_of(OF_GROUPS, after, APP_COOKIE):
        raise refused(f"'{APP_COOKIE}' must be set for stickiness of type 'app_cookie'")
