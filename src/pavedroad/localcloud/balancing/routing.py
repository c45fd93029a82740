"""From what is kept to what the host is to make true: target groups in use as pools, listeners as fronts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pavedroad.localcloud.balancing import attributes
from pavedroad.localcloud.balancing.model import (
    TRAFFIC_PORT,
    ForwardTo,
    Listener,
    ListenerRule,
    Member,
    RuleAction,
    TargetGroup,
)
from pavedroad.localcloud.balancing.store import Store
from pavedroad.localcloud.ports import Network
from pavedroad.localcloud.wanted import Action, Forward, Front, Pool, Probe, Rule, Target


def pool_of(group: TargetGroup, members: Iterable[Member], zones: set[str], network: Network) -> Pool:
    """A target group that some listener forwards to, at whatever weight: its targets are probed."""
    targets = (target_of(group, member, zones, network) for member in members)
    return Pool(
        group.arn,
        group.protocol,
        _probe(group),
        tuple(target for target in targets if target is not None),
        _algorithm(group),
    )


def fronts(store: Store) -> dict[str, Front]:
    """Every listener."""
    return {listener.arn: _front(store, listener) for listener in store.listeners.values()}


def enabled_zones(store: Store, balancer_arns: set[str]) -> set[str]:
    """The zones of the balancers that use a target group."""
    return {zone for arn in balancer_arns for zone in store.balancers[arn].zones}


def target_of(group: TargetGroup, member: Member, zones: set[str], network: Network) -> Target | None:
    """The target to balance over; None for an instance that does not run or is in a zone not enabled."""
    check_port = group.health_check.port
    probe_port = member.port if check_port == TRAFFIC_PORT else int(check_port)
    draining = member.drain_until is not None
    if group.target_type == "ip":
        return Target(member.id, member.id, member.port, probe_port, member.zone, draining)
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


def _algorithm(group: TargetGroup) -> Literal["round_robin", "least_outstanding_requests"]:
    asked = attributes.value_of(attributes.OF_GROUPS, group.attributes, attributes.ALGORITHM)
    return "least_outstanding_requests" if asked == "least_outstanding_requests" else "round_robin"


def _front(store: Store, listener: Listener) -> Front:
    balancer = store.balancers[listener.balancer_arn]
    idle = attributes.value_of(attributes.OF_BALANCERS, balancer.attributes, attributes.IDLE_TIMEOUT)
    return Front(
        listener.arn,
        balancer.address,
        listener.bound_port,
        tuple(_rule(rule) for rule in store.rules_of(listener.arn)),
        int(idle),
    )


def _rule(rule: ListenerRule) -> Rule:
    return Rule(rule.order, rule.conditions, _action(rule.action))


def _action(action: RuleAction) -> Action:
    if isinstance(action, ForwardTo):
        return Forward({share.group_arn: share.weight for share in action.shares})
    return action
