# pyright: basic, reportAttributeAccessIssue=false
"""What must be so before routes are made and route tables and access lists are associated."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from moto.ec2.models.route_tables import Route, RouteTable

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_held import attached_to, living

Asked = dict[str, Any]

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_TARGETS: dict[str, tuple[str, str, str]] = {
    "CarrierGatewayId": ("carrier_gateways", "InvalidCarrierGatewayID.NotFound", "carrier gateway ID"),
    "EgressOnlyInternetGatewayId": (
        "egress_only_internet_gateways",
        "InvalidGatewayID.NotFound",
        "eigw ID",
    ),
    "InstanceId": ("by_id", "InvalidInstanceID.NotFound", "instance ID"),
    "NatGatewayId": ("nat_gateways", "InvalidNatGatewayID.NotFound", "natGateway ID"),
    "NetworkInterfaceId": ("enis", "InvalidNetworkInterfaceID.NotFound", "networkInterface ID"),
    "TransitGatewayId": ("transit_gateways", "InvalidTransitGatewayID.NotFound", "transitGateway ID"),
    "VpcEndpointId": ("vpc_end_points", "InvalidVpcEndpointId.NotFound", "VPC endpoint ID"),
    "VpcPeeringConnectionId": (
        "vpc_pcxs",
        "InvalidVpcPeeringConnectionID.NotFound",
        "vpcPeeringConnection ID",
    ),
}
"""Where routes lead, by the parameter: which of the backend's collections, and EC2's refusal."""
_WITHIN = {"InstanceId", "NetworkInterfaceId", "NatGatewayId", "VpcEndpointId", "GatewayId"}
"""Where routes may lead that are more specific than the network's own."""


def create_route(backend: LocalEC2Backend, asked: Asked) -> None:
    table = backend.get_route_table(asked["RouteTableId"])
    destination = _destination(backend, asked)
    target = _target(backend, table, asked)
    if any(destination == _destination_of(it) for it in table.routes):
        raise ServiceError("RouteAlreadyExists", f"The route identified by {destination} already exists.")
    if "." in destination and target not in _WITHIN:
        _refuse_within(table, destination)


def replace_route(backend: LocalEC2Backend, asked: Asked) -> None:
    table = backend.get_route_table(asked["RouteTableId"])
    destination = _destination(backend, asked)
    if not any(destination == _destination_of(it) for it in table.routes):
        raise ServiceError(
            "InvalidParameterValue",
            f"There is no route defined for '{destination}' in the route table. Use CreateRoute instead.",
        )
    if not asked.get("LocalTarget"):
        _target(backend, table, asked)


def delete_route(backend: LocalEC2Backend, asked: Asked) -> None:
    table = backend.get_route_table(asked["RouteTableId"])
    destination = _destination(backend, asked)
    found = next((it for it in table.routes if _destination_of(it) == destination), None)
    if found is None:
        raise ServiceError(
            "InvalidRoute.NotFound",
            f"no route with destination-cidr-block {destination} in route table {table.id}",
        )
    if found.local:
        raise ServiceError(
            "InvalidParameterValue", f"cannot remove local route {destination} in route table {table.id}"
        )


def associate_route_table(backend: LocalEC2Backend, asked: Asked) -> None:
    table = backend.get_route_table(asked["RouteTableId"])
    subnet_id, gateway_id = asked.get("SubnetId"), asked.get("GatewayId")
    if bool(subnet_id) == bool(gateway_id):
        raise ServiceError(
            "InvalidParameterCombination" if subnet_id else "MissingParameter",
            "The request must contain exactly one of the parameters subnetId and gatewayId",
        )
    _refuse_stranger(backend, table, subnet_id or gateway_id)
    for known in backend.route_tables.values():
        if known is not table and (subnet_id or gateway_id) in known._associations.values():
            raise ServiceError(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {table.id} conflicts with an existing one",
            )


def replace_route_table_association(backend: LocalEC2Backend, asked: Asked) -> None:
    table, known = backend.get_route_table(asked["RouteTableId"]), _associated(backend, asked)
    if target := known._associations.get(asked["AssociationId"]):
        _refuse_stranger(backend, table, target)
    elif known.vpc_id != table.vpc_id:
        raise _different(table, known.vpc_id)


def disassociate_route_table(backend: LocalEC2Backend, asked: Asked) -> None:
    known = _associated(backend, asked)
    if known.main_association_id == asked["AssociationId"]:
        raise ServiceError(
            "InvalidParameterValue",
            f"cannot disassociate the main route table association {asked['AssociationId']}",
        )


def replace_network_acl_association(backend: LocalEC2Backend, asked: Asked) -> None:
    acl, named = backend.get_network_acl(asked["NetworkAclId"]), asked["AssociationId"]
    known = next((it for it in backend.network_acls.values() if named in it._associations), None)
    if known is None:
        raise ServiceError("InvalidAssociationID.NotFound", f"The association ID '{named}' does not exist")
    if known.vpc_id != acl.vpc_id:
        raise ServiceError(
            "InvalidParameterValue", f"Network ACL {acl.id} and the subnet belong to different networks."
        )


def network_acl_entry(backend: LocalEC2Backend, asked: Asked) -> None:
    """One that there is, to be replaced or deleted."""
    acl = backend.get_network_acl(asked["NetworkAclId"])
    asked_for = (int(asked["RuleNumber"]), bool(asked.get("Egress")))
    if asked_for not in ((int(it.rule_number), _true(it.egress)) for it in acl.network_acl_entries):
        kind = "egress" if asked_for[1] else "ingress"
        raise ServiceError(
            "InvalidNetworkAclEntry.NotFound",
            f"The {kind} entry with rule number {asked_for[0]} does not exist in '{acl.id}'",
        )


def install() -> None:
    """moto's routes are active for ever."""
    Route.state = property(state_of)


def state_of(route: Route) -> str:
    """A route to what is gone leads nowhere."""
    backend = route.route_table.ec2_backend
    alive = [
        route.gateway is None or _leads(backend, route),
        route.instance is None or route.instance.id in backend.by_id,
        route.nat_gateway is None or route.nat_gateway.state == "available",
        route.interface is None or route.interface.id in backend.enis,
        route.egress_only_igw is None or route.egress_only_igw.id in backend.egress_only_internet_gateways,
        route.vpc_pcx is None or route.vpc_pcx._status.code == "active",
    ]
    return "active" if all(alive) else "blackhole"


def _leads(backend: LocalEC2Backend, route: Route) -> bool:
    gateway: Any = route.gateway
    vpc_id = route.route_table.vpc_id
    if gateway.id.startswith("igw-"):
        return gateway.id in backend.internet_gateways and gateway.vpc is not None
    if gateway.id.startswith("vgw-"):
        return gateway.id in backend.vpn_gateways and vpc_id in attached_to(gateway)
    return gateway.id in {it.id for it in living(backend.vpc_end_points)}


def _destination(backend: LocalEC2Backend, asked: Asked) -> str:
    """The one that is given, as EC2 writes it: `10.0.0.7/16` is `10.0.0.0/16`."""
    given = [name for name in _DESTINATIONS if asked.get(name)]
    if len(given) != 1:
        raise ServiceError(
            "InvalidParameterCombination" if given else "MissingParameter",
            "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock and "
            "destinationPrefixListId",
        )
    (name,), value = given, str(asked[given[0]])
    if name == "DestinationPrefixListId":
        if value not in backend.managed_prefix_lists:
            raise ServiceError("InvalidPrefixListID.NotFound", f"The prefix list ID '{value}' does not exist")
        return value
    kind = ipaddress.IPv4Network if name == "DestinationCidrBlock" else ipaddress.IPv6Network
    try:
        if "/" not in value:
            raise ValueError(value)
        asked[name] = str(kind(value, strict=False))
    except ValueError:
        parameter = name[0].lower() + name[1:]
        raise ServiceError(
            "InvalidParameterValue",
            f"Value ({value}) for parameter {parameter} is invalid. This is not a valid CIDR block.",
        ) from None
    return asked[name]


def _destination_of(route: Route) -> str:
    return (
        route.destination_cidr_block
        or route.destination_ipv6_cidr_block
        or route.destination_prefix_list_id
        or ""
    )


def _target(backend: LocalEC2Backend, table: RouteTable, asked: Asked) -> str:
    """The parameter that says where the route leads, which must be there."""
    given = [name for name in (*_TARGETS, "GatewayId") if asked.get(name)]
    if len(given) != 1:
        raise ServiceError(
            "InvalidParameterCombination" if given else "MissingParameter",
            "The request must contain exactly one target of the route: "
            + (", ".join(given) or "gatewayId, natGatewayId, instanceId, networkInterfaceId, ..."),
        )
    (name,), target_id = given, asked[given[0]]
    if name == "GatewayId":
        _refuse_gateway(backend, table, target_id)
        return name
    where, code, what = _TARGETS[name]
    if target_id not in {getattr(it, "id", known) for known, it in _there(getattr(backend, where))}:
        raise ServiceError(code, f"The {what} '{target_id}' does not exist")
    return name


def _there(things: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    alive = {id(it) for it in living(things)}
    return ((known, it) for known, it in list(things.items()) if id(it) in alive)


def _refuse_gateway(backend: LocalEC2Backend, table: RouteTable, gateway_id: str) -> None:
    if gateway_id == "local":
        return
    networks: list[str] | None = None
    if gateway := backend.internet_gateways.get(gateway_id):
        networks = [gateway.vpc.id] if gateway.vpc else []
    elif gateway_id in {it.id for it in living(backend.vpn_gateways)}:
        networks = attached_to(backend.vpn_gateways[gateway_id])
    elif gateway_id in {it.id for it in living(backend.vpc_end_points)}:
        networks = [backend.vpc_end_points[gateway_id].vpc_id]
    if networks is None:
        raise ServiceError("InvalidGatewayID.NotFound", f"The gateway ID '{gateway_id}' does not exist")
    if table.vpc_id not in networks:
        raise ServiceError(
            "InvalidParameterValue",
            f"route table {table.id} and network gateway {gateway_id} belong to different networks",
        )


def _refuse_within(table: RouteTable, destination: str) -> None:
    inside = ipaddress.IPv4Network(destination)
    own = (_destination_of(it) for it in table.routes if it.local)
    if any("." in it and inside.subnet_of(ipaddress.IPv4Network(it, strict=False)) for it in own):
        raise ServiceError(
            "InvalidParameterValue",
            f"The destination CIDR block {destination} is equal to or more specific than one of this VPC's "
            "CIDR blocks. This route can target only an interface or an instance.",
        )


def _refuse_stranger(backend: LocalEC2Backend, table: RouteTable, target_id: Any) -> None:
    """A subnet or gateway of another network than the table's."""
    if str(target_id).startswith("subnet-"):
        vpc_id = backend.get_subnet(target_id).vpc_id
        if vpc_id != table.vpc_id:
            raise _different(table, target_id)
    else:
        _refuse_gateway(backend, table, str(target_id))


def _different(table: RouteTable, other: str) -> ServiceError:
    return ServiceError(
        "InvalidParameterValue", f"Route table {table.id} and {other} belong to different networks"
    )


def _associated(backend: LocalEC2Backend, asked: Asked) -> RouteTable:
    named = asked["AssociationId"]
    found = next((it for it in backend.route_tables.values() if named in it.all_associations_ids), None)
    if found is None:
        raise ServiceError("InvalidAssociationID.NotFound", f"The association ID '{named}' does not exist")
    return found


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


CHECKS = {
    "AssociateRouteTable": associate_route_table,
    "CreateRoute": create_route,
    "DeleteNetworkAclEntry": network_acl_entry,
    "DeleteRoute": delete_route,
    "DisassociateRouteTable": disassociate_route_table,
    "ReplaceNetworkAclAssociation": replace_network_acl_association,
    "ReplaceNetworkAclEntry": network_acl_entry,
    "ReplaceRoute": replace_route,
    "ReplaceRouteTableAssociation": replace_route_table_association,
}
