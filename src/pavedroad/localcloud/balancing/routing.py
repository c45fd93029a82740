"""From what is kept to what the host is to make true: target groups in use as pools, listeners as fronts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast

from pavedroad.localcloud.balancing import attributes
from pavedroad.localcloud.balancing.call import IsUp
from pavedroad.localcloud.balancing.model import (
    TRAFFIC_PORT,
    Balancer,
    ForwardTo,
    Listener,
    ListenerRule,
    Member,
    RuleAction,
    TargetGroup,
)
from pavedroad.localcloud.balancing.ssl_policies import served_ciphers, versions
from pavedroad.localcloud.balancing.store import Store
from pavedroad.localcloud.ports import Certificates, Network
from pavedroad.localcloud.wanted import (
    Action,
    Forward,
    Front,
    Least,
    Manners,
    Node,
    Pool,
    Probe,
    Rule,
    Stickiness,
    Target,
    Tls,
)


def pool_of(group: TargetGroup, members: Iterable[Member], zones: set[str], network: Network) -> Pool:
    """A target group that some listener forwards to, at whatever weight: its targets are probed."""
    targets = (target_of(group, member, zones, network) for member in members)
    algorithm = _group_value(group, attributes.ALGORITHM)
    return Pool(
        group.arn,
        group.protocol,
        _probe(group),
        tuple(target for target in targets if target is not None),
        cast('Literal["round_robin", "least_outstanding_requests", "weighted_random"]', algorithm),
        anomaly_mitigation=_group_value(group, attributes.ANOMALY_MITIGATION) == "on",
        slow_start_seconds=int(_group_value(group, attributes.SLOW_START)),
        stickiness=_stickiness(group),
        cross_zone=_group_value(group, attributes.CROSS_ZONE) != "false",
        fail_open=_least(group, attributes.FAIL_OPEN),
        fail_over=_least(group, attributes.FAIL_OVER),
        proxy_protocol=group.attributes.get(attributes.PROXY_PROTOCOL) == "true",
    )


def _group_value(group: TargetGroup, key: str) -> str:
    return attributes.value_of(attributes.OF_GROUPS, group.attributes, key)


def _stickiness(group: TargetGroup) -> Stickiness | None:
    if _group_value(group, attributes.STICKY) != "true":
        return None
    if _group_value(group, attributes.STICKY_BY) == "lb_cookie":
        seconds = int(_group_value(group, attributes.STICKY_SECONDS))
        return Stickiness("lb_cookie", seconds, classic=group.classic)
    seconds = int(_group_value(group, attributes.APP_COOKIE_SECONDS))
    cookie = _group_value(group, attributes.APP_COOKIE)
    return Stickiness("app_cookie", seconds, cookie, classic=group.classic)


def _least(group: TargetGroup, key: str) -> Least:
    count, percentage = (_group_value(group, f"{key}.{part}") for part in ("count", "percentage"))
    return Least(*(0 if it == "off" else int(it) for it in (count, percentage)))


def fronts(store: Store, is_up: IsUp, certificates: Certificates) -> dict[str, Front]:
    """Every listener of a balancer that has a zone which is up; not one of TLS without a certificate."""
    found: dict[str, Front] = {}
    for listener in store.listeners.values():
        balancer = store.balancers[listener.balancer_arn]
        nodes = tuple(Node(it.zone, it.address) for it in balancer.presences if is_up(it.zone))
        front = _front(store, balancer, listener, nodes, certificates)
        if nodes and (front.tls is None or front.tls.certificates):
            found[listener.arn] = front
    return found


def zones_up(store: Store, balancer_arns: set[str], is_up: IsUp) -> set[str]:
    return {zone for zone in enabled_zones(store, balancer_arns) if is_up(zone)}


def enabled_zones(store: Store, balancer_arns: set[str]) -> set[str]:
    """The zones of the balancers that use a target group."""
    return {zone for arn in balancer_arns for zone in store.balancers[arn].zones}


def target_of(group: TargetGroup, member: Member, zones: set[str], network: Network) -> Target | None:
    """The target to balance over; None for an instance that does not run or is in a zone not enabled."""
    check_port = group.health_check.port
    probe_port = member.port if check_port == TRAFFIC_PORT else int(check_port)
    draining = member.drain_until is not None
    if group.target_type == "ip":
        if member.zone and member.zone not in zones:
            return None
        address = network.place(group.vpc_id, member.id)
        return Target(member.id, address, member.port, probe_port, member.zone, draining)
    endpoint = network.endpoint(member.id)
    if endpoint is None or endpoint.state != "running" or endpoint.zone not in zones:
        return None
    return Target(member.id, endpoint.address, member.port, probe_port, endpoint.zone, draining)


def _probe(group: TargetGroup) -> Probe:
    check = group.health_check
    return Probe(
        check.protocol,
        check.path,
        check.interval_seconds,
        check.timeout_seconds,
        check.healthy_threshold,
        check.unhealthy_threshold,
        check.matcher,
    )


def _front(
    store: Store,
    balancer: Balancer,
    listener: Listener,
    nodes: tuple[Node, ...],
    certificates: Certificates,
) -> Front:
    idle = attributes.value_of(attributes.OF_BALANCERS, balancer.attributes, attributes.IDLE_TIMEOUT)
    if balancer.kind == "network":
        idle = attributes.value_of(attributes.OF_STREAMS, listener.attributes, attributes.IDLE_SECONDS)
    return Front(
        listener.arn,
        balancer.address,
        listener.bound_port,
        tuple(_rule(rule) for rule in store.rules_of(listener.arn)),
        int(idle),
        nodes,
        0 if listener.port == listener.bound_port else listener.port,
        _tls(listener, certificates),
        _manners(balancer, listener),
        streams=listener.protocol in ("TCP", "SSL"),
    )


def _tls(listener: Listener, certificates: Certificates) -> Tls | None:
    if listener.protocol not in ("HTTPS", "SSL"):
        return None
    held = (certificates.certificate(arn) for arn in dict.fromkeys(listener.certificates))
    oldest, newest = versions(listener.ssl_policy)
    return Tls(
        tuple(it for it in held if it is not None), oldest, newest, served_ciphers(listener.ssl_policy)
    )


def _manners(balancer: Balancer, listener: Listener) -> Manners:
    def of_balancer(key: str) -> str:
        return attributes.value_of(attributes.OF_BALANCERS, balancer.attributes, key)

    given = listener.attributes
    return Manners(
        client_keep_alive_seconds=int(of_balancer(attributes.CLIENT_KEEP_ALIVE)),
        http2=of_balancer(attributes.HTTP2) == "true",
        drop_invalid_headers=of_balancer(attributes.DROP_INVALID) == "true",
        preserve_host=of_balancer(attributes.PRESERVE_HOST) == "true",
        forwarded_for=cast('Literal["append", "preserve", "remove"]', of_balancer(attributes.FORWARDED_FOR)),
        forwarded_for_port=of_balancer(attributes.FORWARDED_FOR_PORT) == "true",
        tls_headers=of_balancer(attributes.TLS_HEADERS) == "true",
        server_header=given.get(attributes.SERVER_HEADER, "true") == "true",
        tls_header_names={
            name: given[key] for key, name in attributes.TLS_HEADER_NAMES.items() if key in given
        },
        response_headers={
            name: given[key] for key, name in attributes.RESPONSE_HEADERS.items() if given.get(key)
        },
    )


def _rule(rule: ListenerRule) -> Rule:
    return Rule(rule.order, rule.conditions, _action(rule.action), rule.transforms)


def _action(action: RuleAction) -> Action:
    if isinstance(action, ForwardTo):
        return Forward({share.group_arn: share.weight for share in action.shares}, action.sticky_seconds)
    return action
