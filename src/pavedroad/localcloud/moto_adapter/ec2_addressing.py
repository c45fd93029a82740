# pyright: basic, reportAttributeAccessIssue=false
"""What must be so before elastic addresses and gateways are associated, attached, released and detached."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.elastic_ip_addresses import ElasticAddress

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_held import attached_to, living, refuse_held
from pavedroad.localcloud.moto_adapter.ec2_missing import missing

Asked = dict[str, Any]


def associate_address(backend: LocalEC2Backend, asked: Asked) -> None:
    """What has another address, and an address that something else has, only where that is allowed."""
    address = _address(backend, asked)
    if address is None:
        raise ServiceError(
            "MissingParameter", "Either public IP or allocation id must be specified to associate it."
        )
    if named := asked.get("NetworkInterfaceId"):
        interface = backend.get_network_interface(named)
        if interface.instance is not None and asked.get("InstanceId") not in (None, interface.instance.id):
            raise ServiceError(
                "InvalidParameterCombination",
                f"The network interface '{named}' is not attached to instance '{asked['InstanceId']}'.",
            )
    elif instance_id := asked.get("InstanceId"):
        one = backend.get_instance(instance_id)
        if one.life.state not in ("pending", "running", "stopping", "stopped"):
            raise ServiceError(
                "InvalidInstanceID", f"The instance '{one.id}' is not in a valid state for this operation."
            )
        if len(one.nics) > 1:
            raise ServiceError(
                "InvalidInstanceID",
                f"There are multiple interfaces attached to instance '{one.id}'. Please specify an interface "
                "ID for the operation instead.",
            )
        interface = one.nics[0]
    else:
        raise ServiceError("MissingParameter", "Either an instance or a network interface must be specified.")
    if asked.get("AllowReassociation"):
        return
    if address.eni is not None and address.eni is not interface:
        raise ServiceError(
            "Resource.AlreadyAssociated",
            f"resource {address.allocation_id} is already associated with associate-id "
            f"{address.association_id}",
        )
    other = next((it for it in backend.addresses if it.eni is interface and it is not address), None)
    if other is not None:
        raise ServiceError(
            "Resource.AlreadyAssociated",
            f"resource {interface.id} is already associated with associate-id {other.association_id}",
        )


def disassociate_address(backend: LocalEC2Backend, asked: Asked) -> None:
    if association_id := asked.get("AssociationId"):
        found = next((it for it in backend.addresses if it.association_id == association_id), None)
        if found is None:
            raise ServiceError(
                "InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist"
            )
    else:
        found = _address(backend, asked)
    if found is not None and found.eni is not None and _is_of_nat(backend, found.eni.id):
        raise ServiceError("OperationNotPermitted", "The address is of a NAT gateway: delete that first.")


def release_address(backend: LocalEC2Backend, asked: Asked) -> None:
    if found := _address(backend, asked):
        refuse_held(backend, found.allocation_id or "")


def create_nat_gateway(backend: LocalEC2Backend, asked: Asked) -> None:
    backend.get_subnet(asked["SubnetId"])
    allocation_id, private = asked.get("AllocationId"), asked.get("ConnectivityType") == "private"
    if private and allocation_id:
        raise ServiceError(
            "InvalidParameterCombination", "A private NAT gateway has no elastic address: AllocationId."
        )
    if not private and not allocation_id:
        raise ServiceError("MissingParameter", "The request must include the AllocationId parameter.")
    if not private and (found := _address(backend, asked)) and found.association_id:
        raise ServiceError(
            "Resource.AlreadyAssociated",
            f"Elastic IP address [{allocation_id}] is already associated with {found.association_id}",
        )


def delete_nat_gateway(backend: LocalEC2Backend, asked: Asked) -> None:
    nat_id = asked["NatGatewayId"]
    if nat_id not in backend.nat_gateways:
        raise ServiceError("NatGatewayNotFound", f"The Nat Gateway {nat_id} was not found")


def attach_internet_gateway(backend: LocalEC2Backend, asked: Asked) -> None:
    gateway, vpc = backend.get_internet_gateway(asked["InternetGatewayId"]), backend.get_vpc(asked["VpcId"])
    if gateway.vpc is not None:
        raise ServiceError(
            "Resource.AlreadyAssociated",
            f"resource {gateway.id} is already attached to network {gateway.vpc.id}",
        )
    if any(it.vpc is not None and it.vpc.id == vpc.id for it in backend.internet_gateways.values()):
        raise ServiceError(
            "InvalidParameterValue", f"Network {vpc.id} already has an internet gateway attached"
        )


def detach_internet_gateway(backend: LocalEC2Backend, asked: Asked) -> None:
    gateway, vpc = backend.get_internet_gateway(asked["InternetGatewayId"]), backend.get_vpc(asked["VpcId"])
    if gateway.vpc is None or gateway.vpc.id != vpc.id:
        raise ServiceError(
            "Gateway.NotAttached", f"resource {gateway.id} is not attached to network {vpc.id}"
        )
    inside = (it for it in list(backend.enis.values()) if it.subnet.vpc_id == vpc.id)
    if any(it.public_ip for it in inside):
        raise ServiceError(
            "DependencyViolation",
            f"Network {vpc.id} has some mapped public address(es). Please unmap those public address(es) "
            "before detaching the gateway.",
        )


def attach_vpn_gateway(backend: LocalEC2Backend, asked: Asked) -> None:
    gateway, vpc = backend.get_vpn_gateway(asked["VpnGatewayId"]), backend.get_vpc(asked["VpcId"])
    if others := [it for it in attached_to(gateway) if it != vpc.id]:
        raise ServiceError(
            "VpnGatewayAttachmentLimitExceeded", f"The vpnGateway '{gateway.id}' is attached to {others[0]}."
        )
    if any(it is not gateway and vpc.id in attached_to(it) for it in living(backend.vpn_gateways)):
        raise ServiceError("InvalidVpcState", f"Network {vpc.id} already has a virtual private gateway.")


def detach_vpn_gateway(backend: LocalEC2Backend, asked: Asked) -> None:
    gateway = backend.get_vpn_gateway(asked["VpnGatewayId"])
    if asked["VpcId"] not in attached_to(gateway):
        raise ServiceError(
            "InvalidVpnGatewayAttachment.NotFound",
            f"The vpnGateway '{gateway.id}' is not attached to network '{asked['VpcId']}'.",
        )


def _address(backend: LocalEC2Backend, asked: Asked) -> ElasticAddress | None:
    """The one that is named; None where none is."""
    if allocation_id := asked.get("AllocationId"):
        found = next((it for it in backend.addresses if it.allocation_id == allocation_id), None)
        if found is None:
            raise missing(allocation_id)
        return found
    return backend.address_by_ip([asked["PublicIp"]])[0] if asked.get("PublicIp") else None


def _is_of_nat(backend: LocalEC2Backend, interface_id: str) -> bool:
    return any(it._eni.id == interface_id for it in living(backend.nat_gateways))


CHECKS = {
    "AssociateAddress": associate_address,
    "AttachInternetGateway": attach_internet_gateway,
    "AttachVpnGateway": attach_vpn_gateway,
    "CreateNatGateway": create_nat_gateway,
    "DeleteNatGateway": delete_nat_gateway,
    "DetachInternetGateway": detach_internet_gateway,
    "DetachVpnGateway": detach_vpn_gateway,
    "DisassociateAddress": disassociate_address,
    "ReleaseAddress": release_address,
}
