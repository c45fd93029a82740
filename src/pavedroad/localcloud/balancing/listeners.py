"""Operations on listeners."""

from __future__ import annotations

from dataclasses import replace

from pavedroad.localcloud.balancing.actions import read_action, write_action
from pavedroad.localcloud.balancing.asked import Parameters, arn, invalid, number, page, shown_protocol, tags
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.certificates import read_terms
from pavedroad.localcloud.balancing.model import Balancer, Listener, ListenerRule
from pavedroad.localcloud.balancing.ports import choose_port
from pavedroad.localcloud.errors import ServiceError

_MOST = 50


def create_listener(call: Call) -> Parameters:
    asked, store = call.parameters, call.store
    balancer = call.balancer(asked["LoadBalancerArn"])
    for name in ("Protocol", "Port"):
        if name not in asked:
            raise invalid(f"A listener {name.lower()} must be specified")
    terms = read_terms(call, Listener("", balancer.arn, 0, 0))
    port = number(asked["Port"], 1, 65535, "Port")
    action = read_action(call, asked["DefaultActions"], balancer.arn)
    new_tags = tags(asked.get("Tags", []))
    there = store.listeners_of(balancer.arn)
    for listener in there:
        if listener.port == port:
            same = (listener.protocol, listener.ssl_policy, listener.certificates[:1])
            wanted = (terms.protocol, terms.ssl_policy, terms.certificates)
            if same == wanted and store.default_rule(listener.arn).action == action:
                return {"Listeners": [write_listener(call, listener)]}
            raise _duplicate(balancer)
    if len(there) >= _MOST:
        raise ServiceError("TooManyListeners", f"A load balancer can have at most {_MOST} listeners")
    listener_arn = call.new_arn(f"listener/{balancer.path}")
    bound_port = free_port(call, balancer, port)
    listener = replace(terms, arn=listener_arn, port=port, bound_port=bound_port)
    rule_arn = call.new_arn(f"listener-rule/{listener.path}")
    store.put(store.listeners, listener_arn, listener)
    store.put(store.tags, listener_arn, new_tags)
    store.put(store.rules, rule_arn, ListenerRule(rule_arn, listener_arn, None, (), action))
    call.opens.append(listener_arn)
    return {"Listeners": [write_listener(call, listener)]}


def describe_listeners(call: Call) -> Parameters:
    balancer_arn, arns = call.parameters.get("LoadBalancerArn"), call.parameters.get("ListenerArns")
    if bool(balancer_arn) == bool(arns):
        raise invalid("You must specify either listener ARNs or a load balancer ARN")
    if balancer_arn:
        balancer = call.balancer(arn(balancer_arn, "loadbalancer", "load balancer"))
        found = call.store.listeners_of(balancer.arn)
    else:
        found = [call.listener(arn(it, "listener", "listener")) for it in dict.fromkeys(arns or [])]
    shown, more = page(found, lambda listener: f"{listener.port:05} {listener.arn}", call.parameters)
    return {"Listeners": [write_listener(call, listener) for listener in shown], **more}


def modify_listener(call: Call) -> Parameters:
    asked, store = call.parameters, call.store
    listener = call.listener(asked["ListenerArn"])
    balancer = store.balancers[listener.balancer_arn]
    terms = read_terms(call, listener)
    port = number(asked.get("Port", listener.port), 1, 65535, "Port")
    if terms != listener:
        listener = terms
        store.put(store.listeners, listener.arn, listener)
    if port != listener.port:
        if any(it.port == port for it in store.listeners_of(balancer.arn)):
            raise _duplicate(balancer)
        listener = replace(listener, port=port, bound_port=free_port(call, balancer, port))
        store.put(store.listeners, listener.arn, listener)
        call.opens.append(listener.arn)
    if "DefaultActions" in asked:
        action = read_action(call, asked["DefaultActions"], balancer.arn)
        rule = replace(store.default_rule(listener.arn), action=action)
        store.put(store.rules, rule.arn, rule)
    return {"Listeners": [write_listener(call, listener)]}


def delete_listener(call: Call) -> Parameters:
    store = call.store
    listener = call.listener(call.parameters["ListenerArn"])
    for rule in store.rules_of(listener.arn):
        store.drop(store.rules, rule.arn)
        store.drop(store.tags, rule.arn)
    store.drop(store.listeners, listener.arn)
    store.drop(store.tags, listener.arn)
    return {}


def free_port(call: Call, balancer: Balancer, port: int, failed: frozenset[int] = frozenset()) -> int:
    """The port to listen on for the one asked for; `failed` could not be opened after all."""
    others = {it.bound_port for it in call.store.listeners_of(balancer.arn)}
    chosen = choose_port(balancer.addresses, port, others | failed)
    if chosen is None:
        raise ServiceError(
            "ServiceUnavailable", f"No port of {balancer.address} can be opened for listener port {port}", 503
        )
    return chosen


def _duplicate(balancer: Balancer) -> ServiceError:
    return ServiceError(
        "DuplicateListener", f"A listener already exists on this port for this load balancer '{balancer.arn}'"
    )


def write_listener(call: Call, listener: Listener) -> Parameters:
    written: Parameters = {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.balancer_arn,
        "Port": listener.port,
        "Protocol": shown_protocol(listener.protocol),
        "DefaultActions": write_action(call.store.default_rule(listener.arn).action),
    }
    if listener.certificates:
        written["SslPolicy"] = listener.ssl_policy
        written["Certificates"] = [{"CertificateArn": listener.certificates[0]}]
    if listener.protocol == "HTTPS":
        written["MutualAuthentication"] = {"Mode": "off"}
    return written
