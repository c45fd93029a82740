"""Operations on load balancers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pavedroad.localcloud.balancing.asked import (
    Parameters,
    arn,
    invalid,
    one_of,
    page,
    resource_name,
    tags,
    unsupported,
)
from pavedroad.localcloud.balancing.attributes import DELETION_PROTECTION, of_balancer, value_of
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.model import Balancer, Presence
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Subnet

_MOST = 50
_SORTS = {"application": "app", "network": "net"}
_HOSTED_ZONES = {"application": "Z35SXDOTRQ7X7K", "network": "Z26RNL4JYFTOTI"}


def create_load_balancer(call: Call) -> Parameters:
    asked = call.parameters
    name = resource_name(asked["Name"], "The load balancer")
    if name.startswith("internal-"):
        raise invalid(f"The load balancer name '{name}' cannot begin with 'internal-'")
    kind = asked.get("Type", "application")
    if kind not in ("application", "network"):
        raise unsupported(f"A load balancer of type '{kind}'")
    if asked.get("IpAddressType", "ipv4") != "ipv4":
        raise unsupported(f"The IP address type '{asked['IpAddressType']}'")
    scheme = asked.get("Scheme", "internet-facing")
    if scheme not in ("internet-facing", "internal"):
        raise ServiceError("InvalidScheme", f"The scheme '{scheme}' is not valid")
    subnets = _subnets(call, kind)
    vpc_id = subnets[0].vpc_id
    groups = security_groups(call, vpc_id)
    if not groups and kind == "application":
        groups = (call.network.default_security_group(vpc_id),)
    new_tags = tags(asked.get("Tags", []))
    placed = tuple((subnet.zone, subnet.id) for subnet in subnets)
    for there in call.store.balancers.values():
        if there.name == name:
            settings = (there.kind, there.scheme, there.subnets, set(there.security_groups))
            if settings == (kind, scheme, placed, set(groups)):
                return {"LoadBalancers": [write_balancer(call, there)]}
            raise ServiceError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
    if len(call.store.balancers) >= _MOST:
        raise ServiceError(
            "TooManyLoadBalancers", f"The maximum number of load balancers, {_MOST}, has been reached"
        )
    new_arn = call.new_arn(f"loadbalancer/{_SORTS[kind]}/{name}")
    balancer = open_balancer(call, new_arn, name, scheme, subnets, groups)
    balancer = replace(balancer, kind="network" if kind == "network" else "application")
    call.store.put(call.store.balancers, new_arn, balancer)
    call.store.put(call.store.tags, new_arn, new_tags)
    return {"LoadBalancers": [write_balancer(call, balancer)]}


def describe_load_balancers(call: Call) -> Parameters:
    arns, names = call.parameters.get("LoadBalancerArns"), call.parameters.get("Names")
    if arns and names:
        raise invalid("Load balancer names and ARNs cannot be specified at the same time")
    found = list(call.store.balancers.values())
    if arns:
        found = [call.balancer(arn(it, "loadbalancer", "load balancer")) for it in dict.fromkeys(arns)]
    elif names:
        by_name = {balancer.name: balancer for balancer in found}
        if missing := [name for name in names if name not in by_name]:
            raise ServiceError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
        found = [by_name[name] for name in dict.fromkeys(names)]
    shown, more = page(found, lambda balancer: balancer.name, call.parameters)
    return {"LoadBalancers": [write_balancer(call, balancer) for balancer in shown], **more}


def delete_load_balancer(call: Call) -> Parameters:
    """Gone already is fine, as in AWS."""
    balancer_arn = arn(call.parameters["LoadBalancerArn"], "loadbalancer", "load balancer")
    store = call.store
    balancer = store.balancers.get(balancer_arn)
    if balancer is None:
        return {}
    if value_of(of_balancer(balancer), balancer.attributes, DELETION_PROTECTION) == "true":
        raise ServiceError(
            "OperationNotPermitted",
            f"Load balancer '{balancer_arn}' cannot be deleted because deletion protection is enabled",
        )
    for listener in store.listeners_of(balancer_arn):
        for rule in store.rules_of(listener.arn):
            store.drop(store.rules, rule.arn)
            store.drop(store.tags, rule.arn)
        store.drop(store.listeners, listener.arn)
        store.drop(store.tags, listener.arn)
    close_balancer(call, balancer)
    return {}


def set_subnets(call: Call) -> Parameters:
    """Its address stays, whatever its subnets become: clients know it."""
    balancer = call.balancer(call.parameters["LoadBalancerArn"])
    if call.parameters.get("IpAddressType", "ipv4") != "ipv4":
        raise unsupported(f"The IP address type '{call.parameters['IpAddressType']}'")
    subnets = _subnets(call, balancer.kind)
    if subnets[0].vpc_id != balancer.vpc_id:
        raise ServiceError("InvalidSubnet", "The subnets are not in the load balancer's VPC")
    changed = replace(balancer, presences=present(call, balancer.arn, balancer.presences, subnets))
    call.store.put(call.store.balancers, balancer.arn, changed)
    return {"AvailabilityZones": _zones(changed), "IpAddressType": "ipv4"}


def set_security_groups(call: Call) -> Parameters:
    balancer = call.balancer(call.parameters["LoadBalancerArn"])
    groups = security_groups(call, balancer.vpc_id)
    if not groups:
        raise invalid("At least one security group must be specified")
    if not balancer.security_groups:
        raise ServiceError(
            "InvalidConfigurationRequest",
            f"Load balancer '{balancer.arn}' was made without security groups, and can have none",
        )
    call.store.put(call.store.balancers, balancer.arn, replace(balancer, security_groups=groups))
    return {"SecurityGroupIds": list(groups)}


def set_ip_address_type(call: Call) -> Parameters:
    call.balancer(call.parameters["LoadBalancerArn"])
    kind = one_of(call.parameters["IpAddressType"], ("ipv4", "dualstack"), "The IP address type")
    if kind != "ipv4":
        raise unsupported(f"The IP address type '{kind}'")
    return {"IpAddressType": "ipv4"}


def open_balancer(  # noqa: PLR0917 - what every balancer has
    call: Call, arn: str, name: str, scheme: str, subnets: Sequence[Subnet], groups: tuple[str, ...]
) -> Balancer:
    """One with addresses of its own, which is not kept yet."""
    interface = call.network.take_address(subnets[0].id, _purpose(arn))
    return Balancer(
        arn,
        name,
        scheme,
        subnets[0].vpc_id,
        present(call, arn, (), subnets),
        groups,
        interface.id,
        interface.address,
        call.clock.now(),
    )


def close_balancer(call: Call, balancer: Balancer) -> None:
    """Forget it and its tags, and give its addresses back; its listeners are gone already."""
    call.store.drop(call.store.balancers, balancer.arn)
    call.store.drop(call.store.tags, balancer.arn)
    for interface_id in (balancer.interface_id, *(it.interface_id for it in balancer.presences)):
        call.network.give_back(interface_id)


def present(
    call: Call, balancer_arn: str, before: Sequence[Presence], subnets: Sequence[Subnet]
) -> tuple[Presence, ...]:
    """A node in each subnet; those that are there stay, those that are left give their addresses back."""
    kept = {presence.subnet_id: presence for presence in before}
    after: list[Presence] = []
    for subnet in subnets:
        presence = kept.pop(subnet.id, None)
        if presence is None:
            interface = call.network.take_address(subnet.id, _purpose(balancer_arn))
            presence = Presence(subnet.zone, subnet.id, interface.id, interface.address)
        after.append(presence)
    for presence in kept.values():
        call.network.give_back(presence.interface_id)
    return tuple(after)


def _purpose(balancer_arn: str) -> str:
    return f"ELB {balancer_arn.partition('loadbalancer/')[2]}"


def _subnets(call: Call, kind: str) -> Sequence[Subnet]:
    """The subnets asked for, by zone."""
    mappings = call.parameters.get("SubnetMappings", [])
    given = call.parameters.get("Subnets", [])
    if mappings and given:
        raise invalid("You can specify subnets or subnet mappings, not both")
    if any(set(mapping) - {"SubnetId"} for mapping in mappings):
        raise unsupported("An address of one's own in a subnet mapping")
    ids: list[str] = given or [mapping.get("SubnetId", "") for mapping in mappings]
    found: list[Subnet] = []
    for subnet_id in dict.fromkeys(ids):
        subnet = call.network.subnet(subnet_id)
        if subnet is None:
            raise ServiceError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")
        found.append(subnet)
    zones = {subnet.zone for subnet in found}
    if len({subnet.vpc_id for subnet in found}) > 1:
        raise ServiceError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
    if len(zones) < len(found):
        raise ServiceError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if not zones:
        raise invalid("At least one subnet must be specified")
    if len(zones) < 2 and kind == "application":
        raise invalid("At least two subnets in two different Availability Zones must be specified")
    return sorted(found, key=lambda subnet: subnet.zone)


def security_groups(call: Call, vpc_id: str) -> tuple[str, ...]:
    given = tuple(dict.fromkeys(call.parameters.get("SecurityGroups", [])))
    for group_id in given:
        if call.network.security_group_vpc(group_id) != vpc_id:
            raise ServiceError(
                "InvalidSecurityGroup",
                f"The security group '{group_id}' does not exist in the load balancer's VPC",
            )
    return given


def _zones(balancer: Balancer) -> list[Parameters]:
    return [
        {
            "ZoneName": presence.zone,
            "SubnetId": presence.subnet_id,
            "LoadBalancerAddresses": [{"IpAddress": presence.address}],
        }
        for presence in balancer.presences
    ]


def _state(call: Call, balancer: Balancer) -> Parameters:
    """A balancer goes on with what it served before where it does not serve all that it should."""
    for listener in call.store.listeners_of(balancer.arn):
        arn = listener.arn
        if trouble := call.actual.refused(arn) or call.actual.impaired(arn):
            return {"Code": "active_impaired", "Reason": trouble}
    return {"Code": "active"}


def write_balancer(call: Call, balancer: Balancer) -> Parameters:
    return {
        "LoadBalancerArn": balancer.arn,
        "DNSName": balancer.address,
        "CanonicalHostedZoneId": _HOSTED_ZONES[balancer.kind],
        "CreatedTime": balancer.created_at,
        "LoadBalancerName": balancer.name,
        "Scheme": balancer.scheme,
        "VpcId": balancer.vpc_id,
        "State": _state(call, balancer),
        "Type": balancer.kind,
        "AvailabilityZones": _zones(balancer),
        **({"SecurityGroups": list(balancer.security_groups)} if balancer.security_groups else {}),
        "IpAddressType": "ipv4",
    }
