# pyright: basic, reportAttributeAccessIssue=false
"""What in EC2 is held by what, by the kind of its id: as long as anything holds a thing, it is not deleted.

Nothing here is counted or kept: who holds a thing is looked up among all that there is when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend

Asked = Mapping[str, Any]
Holders = Callable[[LocalEC2Backend, str], Iterator[str]]
"""A thing's id -> the ids of what holds it."""

_GONE = {"deleted", "deleting", "terminated", "rejected", "failed"}


@dataclass(frozen=True, slots=True)
class Hold:
    """EC2's refusal to delete what is held; the sentence may name the thing and who holds it."""

    holders: Holders
    code: str = "DependencyViolation"
    sentence: str = "resource {id} has a dependent object: {by}"


def refuse_held(backend: LocalEC2Backend, held_id: str) -> None:
    """What is not there, and what nothing holds, passes."""
    hold = HOLDS.get(held_id.rpartition("-")[0])
    by = next(hold.holders(backend, held_id), None) if hold else None
    if hold and by:
        raise ServiceError(hold.code, hold.sentence.format(id=held_id, by=by))


def interfaces_of(backend: LocalEC2Backend, subnet_id: str) -> Iterator[str]:
    return (it.id for it in list(backend.enis.values()) if it.subnet.id == subnet_id)


def living(things: Mapping[str, Any]) -> Iterator[Any]:
    """Without those that can only be described yet."""
    return (it for it in list(things.values()) if getattr(it, "state", "") not in _GONE)


def _of_volume(backend: LocalEC2Backend, volume_id: str) -> Iterator[str]:
    volume = backend.volumes.get(volume_id)
    return (it.instance.id for it in (volume.attachments if volume else ()))


def _of_snapshot(backend: LocalEC2Backend, snapshot_id: str) -> Iterator[str]:
    for image in list(backend.amis.values()):
        snapshot = getattr(image, "ebs_snapshot", None)
        if snapshot is not None and snapshot.id == snapshot_id:
            yield image.id


def _of_interface(backend: LocalEC2Backend, interface_id: str) -> Iterator[str]:
    interface = backend.enis.get(interface_id)
    if interface and interface.instance is not None and interface.attachment_id:
        yield interface.instance.id
    for nat in living(backend.nat_gateways):
        if nat._eni.id == interface_id:
            yield nat.id


def _of_address(backend: LocalEC2Backend, allocation_id: str) -> Iterator[str]:
    for address in backend.addresses:
        if address.allocation_id == allocation_id and (address.association_id or address.instance):
            yield address.association_id or address.instance.id


def _of_security_group(backend: LocalEC2Backend, group_id: str) -> Iterator[str]:
    for one in list(backend.by_id.values()):
        if one.life.state != "terminated" and any(it.id == group_id for it in one.security_groups):
            yield one.id
    for interface in list(backend.enis.values()):
        if any(it.id == group_id for it in interface._group_set):
            yield interface.id
    for endpoint in living(backend.vpc_end_points):
        if group_id in (endpoint.security_group_ids or ()):
            yield endpoint.id
    for group in chain.from_iterable(list(it.values()) for it in backend.groups.values()):
        for rule in (*group.ingress_rules, *group.egress_rules):
            if group.id != group_id and rule.source_group.get("GroupId") == group_id:
                yield group.id


def _of_subnet(backend: LocalEC2Backend, subnet_id: str) -> Iterator[str]:
    yield from interfaces_of(backend, subnet_id)
    yield from (it.id for it in living(backend.nat_gateways) if it.subnet_id == subnet_id)
    yield from (it.id for it in living(backend.vpc_end_points) if subnet_id in (it.subnet_ids or ()))


def _of_vpc(backend: LocalEC2Backend, vpc_id: str) -> Iterator[str]:
    subnets = chain.from_iterable(list(zone.values()) for zone in backend.subnets.values())
    yield from (it.id for it in subnets if it.vpc_id == vpc_id)
    yield from (it.id for it in backend.internet_gateways.values() if it.vpc and it.vpc.id == vpc_id)
    yield from (it.id for it in backend.egress_only_internet_gateways.values() if it.vpc_id == vpc_id)
    yield from (it.id for it in living(backend.carrier_gateways) if it.vpc_id == vpc_id)
    yield from (it.id for it in living(backend.vpn_gateways) if vpc_id in attached_to(it))
    yield from (it.id for it in living(backend.nat_gateways) if it.vpc_id == vpc_id)
    yield from (it.id for it in living(backend.vpc_end_points) if it.vpc_id == vpc_id)
    tables = (it for it in backend.route_tables.values() if it.vpc_id == vpc_id)
    yield from (it.id for it in tables if it.main_association_id is None)
    yield from (it.id for it in backend.groups.get(vpc_id, {}).values() if not it.is_default)
    yield from (it.id for it in backend.network_acls.values() if it.vpc_id == vpc_id and not it.default)


def attached_to(gateway: Any) -> list[str]:
    """The networks of a VPN gateway."""
    return [vpc_id for vpc_id, it in gateway.attachments.items() if it.state != "detached"]


def _of_internet_gateway(backend: LocalEC2Backend, gateway_id: str) -> Iterator[str]:
    gateway = backend.internet_gateways.get(gateway_id)
    if gateway and gateway.vpc:
        yield gateway.vpc.id


def _of_vpn_gateway(backend: LocalEC2Backend, gateway_id: str) -> Iterator[str]:
    gateway = backend.vpn_gateways.get(gateway_id)
    yield from attached_to(gateway) if gateway else ()
    yield from _connections(backend, "vpn_gateway_id", gateway_id)


def _of_customer_gateway(backend: LocalEC2Backend, gateway_id: str) -> Iterator[str]:
    yield from _connections(backend, "customer_gateway_id", gateway_id)


def _connections(backend: LocalEC2Backend, end: str, gateway_id: str) -> Iterator[str]:
    return (it.id for it in living(backend.vpn_connections) if getattr(it, end, "") == gateway_id)


def _of_route_table(backend: LocalEC2Backend, table_id: str) -> Iterator[str]:
    table = backend.route_tables.get(table_id)
    if table:
        yield from sorted(table.all_associations_ids)


def _of_dhcp_options(backend: LocalEC2Backend, options_id: str) -> Iterator[str]:
    used = (it for it in backend.vpcs.values() if it.dhcp_options and it.dhcp_options.id == options_id)
    return (it.id for it in used)


def _of_network_acl(backend: LocalEC2Backend, acl_id: str) -> Iterator[str]:
    acl = backend.network_acls.get(acl_id)
    if acl:
        yield from (str(it.subnet_id) for it in acl._associations.values())
        if acl.default:
            yield acl.vpc_id


def _of_prefix_list(backend: LocalEC2Backend, list_id: str) -> Iterator[str]:
    for group in chain.from_iterable(list(it.values()) for it in backend.groups.values()):
        if any(it.prefix_list_id == list_id for it in (*group.ingress_rules, *group.egress_rules)):
            yield group.id
    for table in list(backend.route_tables.values()):
        if any(it.destination_prefix_list_id == list_id for it in table.routes):
            yield table.id


def _dependencies(kind: str) -> str:
    return f"The {kind} '{{id}}' has dependencies and cannot be deleted: {{by}}."


HOLDS: dict[str, Hold] = {
    "vol": Hold(_of_volume, "VolumeInUse", "Volume {id} is currently attached to {by}"),
    "snap": Hold(_of_snapshot, "InvalidSnapshot.InUse", "The snapshot {id} is currently in use by {by}"),
    "eni": Hold(
        _of_interface, "InvalidParameterValue", "Network interface '{id}' is currently in use: {by}."
    ),
    "eipalloc": Hold(_of_address, "InvalidIPAddress.InUse", "The address {id} is in use: {by}."),
    "sg": Hold(_of_security_group),
    "subnet": Hold(_of_subnet, sentence=_dependencies("subnet")),
    "vpc": Hold(_of_vpc, sentence=_dependencies("vpc")),
    "igw": Hold(_of_internet_gateway, sentence=_dependencies("internetGateway")),
    "vgw": Hold(_of_vpn_gateway, "IncorrectState", "The vpnGateway '{id}' is in use: {by}."),
    "cgw": Hold(_of_customer_gateway, "IncorrectState", "The customer gateway '{id}' is in use: {by}."),
    "rtb": Hold(_of_route_table, sentence=_dependencies("routeTable")),
    "dopt": Hold(_of_dhcp_options, sentence=_dependencies("dhcpOptions")),
    "acl": Hold(_of_network_acl, sentence=_dependencies("networkAcl")),
    "pl": Hold(_of_prefix_list, sentence=_dependencies("prefixList")),
}
"""By the beginning of the id."""

_DELETING = {
    "DeleteCustomerGateway": "CustomerGatewayId",
    "DeleteDhcpOptions": "DhcpOptionsId",
    "DeleteInternetGateway": "InternetGatewayId",
    "DeleteManagedPrefixList": "PrefixListId",
    "DeleteNetworkAcl": "NetworkAclId",
    "DeleteNetworkInterface": "NetworkInterfaceId",
    "DeleteRouteTable": "RouteTableId",
    "DeleteSnapshot": "SnapshotId",
    "DeleteSubnet": "SubnetId",
    "DeleteVolume": "VolumeId",
    "DeleteVpc": "VpcId",
    "DeleteVpnGateway": "VpnGatewayId",
}
"""Which parameter names what an operation deletes. Others find it by more: groups by name, say."""


def refuse_to_delete(action: str, backend: LocalEC2Backend, asked: Asked) -> None:
    """Before an operation that deletes; others pass."""
    if name := _DELETING.get(action):
        refuse_held(backend, asked.get(name) or "")
