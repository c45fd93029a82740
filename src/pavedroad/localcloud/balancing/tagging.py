"""Operations on tags, of load balancers, listeners, rules and target groups alike."""

from __future__ import annotations

from pavedroad.localcloud.balancing.asked import Parameters, invalid, tags
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.store import Store
from pavedroad.localcloud.errors import ServiceError

URL = "pavedroad:url"
"""Ours: the address that opens, on a balancer whose listener had to be put on another port."""

_AT_ONCE = 20

_MISSING = {
    "loadbalancer": ("LoadBalancerNotFound", "Load balancer"),
    "listener": ("ListenerNotFound", "Listener"),
    "listener-rule": ("RuleNotFound", "Rule"),
    "targetgroup": ("TargetGroupNotFound", "Target group"),
}


def add_tags(call: Call) -> Parameters:
    given = call.parameters["Tags"]
    for resource_arn in call.parameters["ResourceArns"]:
        present = _tags_of(call.store, resource_arn)
        call.store.put(call.store.tags, resource_arn, tags(given, present))
    return {}


def remove_tags(call: Call) -> Parameters:
    keys = set(call.parameters["TagKeys"])
    for resource_arn in call.parameters["ResourceArns"]:
        present = _tags_of(call.store, resource_arn)
        kept = {key: value for key, value in present.items() if key not in keys}
        call.store.put(call.store.tags, resource_arn, kept)
    return {}


def describe_tags(call: Call) -> Parameters:
    found: list[Parameters] = []
    if len(call.parameters["ResourceArns"]) > _AT_ONCE:
        raise invalid(f"At most {_AT_ONCE} resources can be described at once")
    for resource_arn in call.parameters["ResourceArns"]:
        present = described(call.store, resource_arn)
        listed = [{"Key": key, "Value": value} for key, value in present.items()]
        found.append({"ResourceArn": resource_arn, "Tags": listed})
    return {"TagDescriptions": found}


def described(store: Store, resource_arn: str) -> dict[str, str]:
    """Its tags, and ours."""
    return {**_tags_of(store, resource_arn), **_url(store, resource_arn)}


def _tags_of(store: Store, resource_arn: str) -> dict[str, str]:
    if resource_arn in store.tags:
        return store.tags[resource_arn]
    kind = resource_arn.split(":", 5)[-1].partition("/")[0]
    if kind not in _MISSING:
        raise ServiceError("ValidationError", f"'{resource_arn}' is not a valid ARN")
    code, noun = _MISSING[kind]
    raise ServiceError(code, f"{noun} '{resource_arn}' not found")


def _url(store: Store, resource_arn: str) -> dict[str, str]:
    """The URL that works, where the address and port as AWS shows them do not."""
    balancer = store.balancers.get(resource_arn)
    if balancer is None:
        return {}
    listeners = store.listeners_of(resource_arn)
    if not listeners or listeners[0].bound_port == listeners[0].port:
        return {}
    scheme = listeners[0].protocol.lower()
    return {URL: f"{scheme}://{balancer.address}:{listeners[0].bound_port}"}
