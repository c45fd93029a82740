"""A classic load balancer made true: its listeners, a target group for each, and who is in them."""

from __future__ import annotations

from dataclasses import replace

from pavedroad.localcloud.balancing import attributes
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.classic import kinds
from pavedroad.localcloud.balancing.classic.model import Classic, ClassicListener
from pavedroad.localcloud.balancing.listeners import free_port
from pavedroad.localcloud.balancing.model import (
    Balancer,
    ForwardTo,
    HealthCheck,
    Listener,
    ListenerRule,
    Member,
    Share,
    TargetGroup,
)
from pavedroad.localcloud.balancing.targets import dismiss, enroll


def keep(call: Call, classic: Classic) -> None:
    """Keep it, and make what serves it follow; what stays as it was is left alone."""
    store = call.store
    there = tuple(it for it in classic.instances if call.network.endpoint(it) is not None)
    classic = replace(classic, instances=there)
    store.put(store.classics, classic.arn, classic)
    balancer = replace(store.balancers[classic.arn], attributes=_of_balancer(classic))
    if balancer != store.balancers[classic.arn]:
        store.put(store.balancers, classic.arn, balancer)
    wanted = {listener_arn(classic, it.port): it for it in classic.listeners}
    for there in store.listeners_of(classic.arn):
        if there.arn not in wanted:
            drop_listener(call, there.arn)
    for arn, listener in wanted.items():
        _listen(call, balancer, classic, arn, listener)


def drop_listener(call: Call, arn: str) -> None:
    store, group_arn = call.store, _group_arn(arn)
    store.drop(store.rules, arn)
    store.drop(store.listeners, arn)
    store.drop(store.members, group_arn)
    store.drop(store.groups, group_arn)


def listener_arn(classic: Classic, port: int) -> str:
    """Nobody is shown it: AWS has no ARNs of these."""
    return f"{classic.arn.replace(':loadbalancer/', ':listener/')}/{port}"


def group_arns(classic: Classic) -> list[str]:
    """The target groups that serve it."""
    return [_group_arn(listener_arn(classic, it.port)) for it in classic.listeners]


def _group_arn(listener: str) -> str:
    return listener.replace(":listener/", ":targetgroup/")


def _listen(call: Call, balancer: Balancer, classic: Classic, arn: str, asked: ClassicListener) -> None:
    store = call.store
    before = store.listeners.get(arn)
    listener = Listener(
        arn,
        balancer.arn,
        asked.port,
        before.bound_port if before else free_port(call, balancer, asked.port),
        asked.protocol,
        kinds.ssl_policy(classic, asked) if asked.protocol in ("HTTPS", "SSL") else "",
        (asked.certificate,) if asked.certificate else (),
    )
    group = _group(balancer, classic, arn, asked)
    rule = ListenerRule(arn, arn, None, (), ForwardTo((Share(group.arn, 1),)))
    if store.groups.get(group.arn) != group:
        store.put(store.groups, group.arn, group)
    if before != listener:
        store.put(store.listeners, arn, listener)
    if store.rules.get(arn) != rule:
        store.put(store.rules, arn, rule)
    if before is None:
        call.opens.append(arn)
    _fill(call, classic, group)


def _fill(call: Call, classic: Classic, group: TargetGroup) -> None:
    wanted = classic.instances
    enroll(call.store, group.arn, [Member(group.arn, it, group.port, "") for it in wanted])
    leaving = [
        it
        for it in call.store.members_of(group.arn)
        if it.drain_until is None and (it.id not in wanted or it.port != group.port)
    ]
    dismiss(call.store, group, leaving, call.clock)


def _group(balancer: Balancer, classic: Classic, arn: str, asked: ClassicListener) -> TargetGroup:
    check, of = classic.check, classic.attributes
    streams = asked.protocol in ("TCP", "SSL")
    changed = {
        attributes.DEREGISTRATION_DELAY: str(of.draining_seconds if of.draining else 0),
        attributes.CROSS_ZONE: "true" if of.cross_zone or streams else "false",
        **kinds.stickiness(classic, asked),
    }
    if kinds.says_who_connects(classic, asked.instance_port):
        changed[attributes.PROXY_PROTOCOL] = "true"
    return TargetGroup(
        _group_arn(arn),
        f"{classic.name}/{asked.port}",
        asked.instance_protocol,
        asked.instance_port,
        balancer.vpc_id,
        "instance",
        HealthCheck(
            check.protocol,
            str(check.port),
            check.path,
            check.interval_seconds,
            check.timeout_seconds,
            check.healthy_threshold,
            check.unhealthy_threshold,
            "200",
        ),
        changed,
        classic=True,
    )


def _of_balancer(classic: Classic) -> dict[str, str]:
    return {attributes.IDLE_TIMEOUT: str(classic.attributes.idle_seconds), attributes.HTTP2: "false"}
