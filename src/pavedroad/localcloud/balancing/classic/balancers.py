"""Operations on classic load balancers as a whole: making, showing and deleting them, and where they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pavedroad.localcloud.balancing.asked import Parameters, page, refused, resource_name, tags
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.classic import kinds
from pavedroad.localcloud.balancing.classic.asked import asked_balancer, balancer_named, read_listeners
from pavedroad.localcloud.balancing.classic.model import Classic, ClassicCheck, ClassicListener
from pavedroad.localcloud.balancing.classic.policies import with_predefined
from pavedroad.localcloud.balancing.classic.realising import drop_listener, keep
from pavedroad.localcloud.balancing.load_balancers import (
    close_balancer,
    open_balancer,
    present,
    security_groups,
)
from pavedroad.localcloud.balancing.model import Balancer
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Subnet

_MOST = 20
_ZONE_ID = "Z35SXDOTRQ7X7K"


def create_load_balancer(call: Call) -> Parameters:
    asked, store = call.parameters, call.store
    name = resource_name(asked["LoadBalancerName"], "The load balancer")
    listeners = read_listeners(call, asked["Listeners"])
    if not listeners:
        raise refused("A load balancer must have at least one listener")
    scheme = asked.get("Scheme", "internet-facing")
    if scheme not in ("internet-facing", "internal"):
        raise ServiceError("InvalidScheme", f"The scheme '{scheme}' is not valid")
    subnets = _placed(call)
    vpc_id = subnets[0].vpc_id
    groups = security_groups(call, vpc_id) or (call.network.default_security_group(vpc_id),)
    new_tags = tags(asked.get("Tags", []))
    arn = f"arn:aws:elasticloadbalancing:{store.region}:{store.account}:loadbalancer/{name}"
    if there := store.classics.get(arn):
        balancer = store.balancers[arn]
        placed = {subnet.id for subnet in subnets}
        same = (
            _plain(there.listeners) == listeners
            and (balancer.scheme, balancer.security_groups) == (scheme, groups)
            and placed == {it.subnet_id for it in balancer.presences}
        )
        if same:
            return {"DNSName": balancer.address}
        raise ServiceError(
            "DuplicateLoadBalancerName",
            f"A load balancer named '{name}' exists, but with different settings",
        )
    if len(store.classics) >= _MOST:
        raise ServiceError("TooManyLoadBalancers", f"There can be at most {_MOST} classic load balancers")
    balancer = open_balancer(call, arn, name, scheme, subnets, groups)
    store.put(store.balancers, arn, balancer)
    store.put(store.tags, arn, new_tags)
    check = ClassicCheck("TCP", listeners[0].instance_port, "")
    keep(call, with_predefined(Classic(arn, name, listeners, check)))
    return {"DNSName": balancer.address}


def describe_load_balancers(call: Call) -> Parameters:
    asked = call.parameters
    found = list(call.store.classics.values())
    if names := asked.get("LoadBalancerNames"):
        found = [balancer_named(call, name) for name in dict.fromkeys(names)]
    shown, more = page(found, lambda classic: classic.name, asked)
    return {"LoadBalancerDescriptions": [_written(call, classic) for classic in shown], **more}


def delete_load_balancer(call: Call) -> Parameters:
    """Gone already is fine."""
    store, name = call.store, call.parameters["LoadBalancerName"]
    classic = next((it for it in store.classics.values() if it.name == name), None)
    if classic is None:
        return {}
    balancer = store.balancers[classic.arn]
    for listener in store.listeners_of(classic.arn):
        drop_listener(call, listener.arn)
    store.drop(store.classics, classic.arn)
    close_balancer(call, balancer)
    return {}


def attach_to_subnets(call: Call) -> Parameters:
    classic = asked_balancer(call)
    balancer = call.store.balancers[classic.arn]
    added = [_subnet(call, it) for it in call.parameters["Subnets"]]
    _place(call, classic, [*_present_subnets(call, balancer), *added])
    return {"Subnets": [it.subnet_id for it in call.store.balancers[classic.arn].presences]}


def detach_from_subnets(call: Call) -> Parameters:
    classic = asked_balancer(call)
    balancer = call.store.balancers[classic.arn]
    leaving = set(call.parameters["Subnets"])
    if missing := leaving - {it.subnet_id for it in balancer.presences}:
        raise refused(f"{min(missing)} is not attached to the load balancer")
    _place(call, classic, [it for it in _present_subnets(call, balancer) if it.id not in leaving])
    return {"Subnets": [it.subnet_id for it in call.store.balancers[classic.arn].presences]}


def enable_zones(call: Call) -> Parameters:
    classic = asked_balancer(call)
    balancer = call.store.balancers[classic.arn]
    added = _in_zones(call, call.parameters["AvailabilityZones"])
    there = _present_subnets(call, balancer)
    taken = {it.zone for it in there}
    _place(call, classic, [*there, *(it for it in added if it.zone not in taken)])
    return {"AvailabilityZones": list(call.store.balancers[classic.arn].zones)}


def disable_zones(call: Call) -> Parameters:
    classic = asked_balancer(call)
    balancer = call.store.balancers[classic.arn]
    leaving = set(call.parameters["AvailabilityZones"])
    if missing := leaving - set(balancer.zones):
        raise refused(f"{min(missing)} is not enabled for the load balancer")
    _place(call, classic, [it for it in _present_subnets(call, balancer) if it.zone not in leaving])
    return {"AvailabilityZones": list(call.store.balancers[classic.arn].zones)}


def apply_security_groups(call: Call) -> Parameters:
    classic = asked_balancer(call)
    balancer = call.store.balancers[classic.arn]
    groups = security_groups(call, balancer.vpc_id)
    if not groups:
        raise refused("At least one security group must be specified")
    call.store.put(call.store.balancers, classic.arn, replace(balancer, security_groups=groups))
    return {"SecurityGroups": list(groups)}


def _placed(call: Call) -> list[Subnet]:
    zones, subnets = call.parameters.get("AvailabilityZones", []), call.parameters.get("Subnets", [])
    if bool(zones) == bool(subnets):
        raise refused("Either AvailabilityZones or Subnets must be specified")
    return _checked([_subnet(call, it) for it in subnets] if subnets else _in_zones(call, zones))


def _checked(subnets: Iterable[Subnet]) -> list[Subnet]:
    """By zone, of which each has one."""
    found = list({it.id: it for it in subnets}.values())
    if not found:
        raise refused("A load balancer must be in at least one Availability Zone")
    if len({it.vpc_id for it in found}) > 1:
        raise refused("All subnets must belong to the same VPC")
    if len({it.zone for it in found}) < len(found):
        raise refused("A load balancer cannot be attached to two subnets of the same Availability Zone")
    return sorted(found, key=lambda it: it.zone)


def _place(call: Call, classic: Classic, subnets: Sequence[Subnet]) -> None:
    balancer = call.store.balancers[classic.arn]
    chosen = _checked(subnets)
    if any(it.vpc_id != balancer.vpc_id for it in chosen):
        raise ServiceError("InvalidSubnet", "The subnets are not in the load balancer's VPC")
    presences = present(call, classic.arn, balancer.presences, chosen)
    call.store.put(call.store.balancers, classic.arn, replace(balancer, presences=presences))


def _present_subnets(call: Call, balancer: Balancer) -> list[Subnet]:
    return [Subnet(it.subnet_id, balancer.vpc_id, it.zone) for it in balancer.presences]


def _subnet(call: Call, subnet_id: str) -> Subnet:
    if found := call.network.subnet(subnet_id):
        return found
    raise ServiceError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")


def _in_zones(call: Call, zones: Iterable[str]) -> list[Subnet]:
    """The default subnets there."""
    found: list[Subnet] = []
    for zone in dict.fromkeys(zones):
        subnet = call.network.default_subnet(zone)
        if subnet is None:
            raise ServiceError("ValidationError", f"The Availability Zone '{zone}' has no default subnet")
        found.append(subnet)
    return found


def _plain(listeners: Iterable[ClassicListener]) -> tuple[ClassicListener, ...]:
    return tuple(replace(it, policies=()) for it in listeners)


def _written(call: Call, classic: Classic) -> Parameters:
    balancer = call.store.balancers[classic.arn]
    groups = list(balancer.security_groups)
    return {
        "LoadBalancerName": classic.name,
        "DNSName": balancer.address,
        "CanonicalHostedZoneName": balancer.address,
        "CanonicalHostedZoneNameID": _ZONE_ID,
        "ListenerDescriptions": [
            {"Listener": _written_listener(it), "PolicyNames": list(it.policies)} for it in classic.listeners
        ],
        "Policies": _written_policies(classic),
        "BackendServerDescriptions": [
            {"InstancePort": int(port), "PolicyNames": list(names)}
            for port, names in sorted(classic.backends.items(), key=lambda it: int(it[0]))
        ],
        "AvailabilityZones": list(balancer.zones),
        "Subnets": [it.subnet_id for it in balancer.presences],
        "VPCId": balancer.vpc_id,
        "Instances": [{"InstanceId": it} for it in classic.instances if call.network.endpoint(it)],
        "HealthCheck": written_check(classic.check),
        "SourceSecurityGroup": {
            "OwnerAlias": call.store.account,
            "GroupName": call.network.security_group_name(groups[0]) if groups else "",
        },
        "SecurityGroups": groups,
        "CreatedTime": balancer.created_at,
        "Scheme": balancer.scheme,
    }


def _written_listener(listener: ClassicListener) -> Parameters:
    written: Parameters = {
        "Protocol": listener.protocol,
        "LoadBalancerPort": listener.port,
        "InstanceProtocol": listener.instance_protocol,
        "InstancePort": listener.instance_port,
    }
    return {**written, "SSLCertificateId": listener.certificate} if listener.certificate else written


def _written_policies(classic: Classic) -> Parameters:
    written: Parameters = {
        "AppCookieStickinessPolicies": [],
        "LBCookieStickinessPolicies": [],
        "OtherPolicies": [],
    }
    for name, policy in classic.policies.items():
        if policy.kind == kinds.APP_COOKIE:
            cookie = policy.attributes[kinds.COOKIE_NAME]
            written["AppCookieStickinessPolicies"].append({"PolicyName": name, "CookieName": cookie})
        elif policy.kind == kinds.LB_COOKIE:
            seconds = policy.attributes.get(kinds.COOKIE_SECONDS)
            lasts = {"CookieExpirationPeriod": int(seconds)} if seconds else {}
            written["LBCookieStickinessPolicies"].append({"PolicyName": name, **lasts})
        else:
            written["OtherPolicies"].append(name)
    return written


def written_check(check: ClassicCheck) -> Parameters:
    return {
        "Target": check.target,
        "Interval": check.interval_seconds,
        "Timeout": check.timeout_seconds,
        "UnhealthyThreshold": check.unhealthy_threshold,
        "HealthyThreshold": check.healthy_threshold,
    }
