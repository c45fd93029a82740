"""Attributes and tags of classic load balancers, and the limits of an account."""

from __future__ import annotations

from dataclasses import replace

from pavedroad.localcloud.balancing import tagging
from pavedroad.localcloud.balancing.asked import Parameters, number, one_of, refused, tags, unsupported
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.classic.asked import asked_balancer, balancer_named
from pavedroad.localcloud.balancing.classic.model import ClassicAttributes
from pavedroad.localcloud.balancing.classic.realising import keep

_DESYNC = "elb.http.desyncmitigationmode"
_LIMITS = {"classic-load-balancers": 20, "classic-listeners": 100, "classic-registered-instances": 1000}


def describe(call: Call) -> Parameters:
    return {"LoadBalancerAttributes": _written(asked_balancer(call).attributes)}


def modify(call: Call) -> Parameters:
    """Those that are not named stay as they are."""
    classic = asked_balancer(call)
    given, after = call.parameters["LoadBalancerAttributes"], classic.attributes
    if cross_zone := given.get("CrossZoneLoadBalancing"):
        after = replace(after, cross_zone=cross_zone["Enabled"])
    if given.get("AccessLog", {}).get("Enabled"):
        raise unsupported("An access log")
    if draining := given.get("ConnectionDraining"):
        seconds = draining.get("Timeout", after.draining_seconds)
        checked = number(seconds, 0, 3600, "ConnectionDraining timeout")
        after = replace(after, draining=draining["Enabled"], draining_seconds=checked)
    if settings := given.get("ConnectionSettings"):
        idle = number(settings["IdleTimeout"], 1, 4000, "ConnectionSettings idle timeout")
        after = replace(after, idle_seconds=idle)
    for further in given.get("AdditionalAttributes", []):
        if further.get("Key") != _DESYNC:
            raise refused(f"The attribute '{further.get('Key', '')}' is not known")
        modes = ("monitor", "defensive", "strictest")
        after = replace(after, desync_mode=one_of(further.get("Value", ""), modes, _DESYNC))
    keep(call, replace(classic, attributes=after))
    return {"LoadBalancerName": classic.name, "LoadBalancerAttributes": _written(after)}


def add_tags(call: Call) -> Parameters:
    table = call.store.tags
    for arn in [balancer_named(call, name).arn for name in call.parameters["LoadBalancerNames"]]:
        call.store.put(table, arn, tags(call.parameters["Tags"], table.get(arn)))
    return {}


def remove_tags(call: Call) -> Parameters:
    table = call.store.tags
    leaving = {it.get("Key") for it in call.parameters["Tags"]}
    for arn in [balancer_named(call, name).arn for name in call.parameters["LoadBalancerNames"]]:
        call.store.put(table, arn, {key: it for key, it in table.get(arn, {}).items() if key not in leaving})
    return {}


def describe_tags(call: Call) -> Parameters:
    described: list[Parameters] = []
    for name in call.parameters["LoadBalancerNames"]:
        present = tagging.described(call.store, balancer_named(call, name).arn)
        listed = [{"Key": key, "Value": value} for key, value in present.items()]
        described.append({"LoadBalancerName": name, "Tags": listed})
    return {"TagDescriptions": described}


def describe_limits(call: Call) -> Parameters:
    return {"Limits": [{"Name": name, "Max": str(most)} for name, most in _LIMITS.items()]}


def _written(attributes: ClassicAttributes) -> Parameters:
    return {
        "CrossZoneLoadBalancing": {"Enabled": attributes.cross_zone},
        "AccessLog": {"Enabled": False},
        "ConnectionDraining": {"Enabled": attributes.draining, "Timeout": attributes.draining_seconds},
        "ConnectionSettings": {"IdleTimeout": attributes.idle_seconds},
        "AdditionalAttributes": [{"Key": _DESYNC, "Value": attributes.desync_mode}],
    }
