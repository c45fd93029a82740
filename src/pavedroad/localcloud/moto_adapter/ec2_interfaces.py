# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""Network interfaces whose addresses are of their subnets, taken once and given back: moto makes them up."""

from __future__ import annotations

import ipaddress

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.subnets import Subnet
from moto.ec2.utils import add_tag_specification

from pavedroad.localcloud.errors import ServiceError


class Interfaces:
    """Part of `LocalEC2Response`."""

    def create_network_interface(self) -> ActionResult:
        asked = self.params
        backend = self.ec2_backend
        subnet = backend.get_subnet(asked.get("SubnetId"))
        named = [dict(one) for one in asked.get("PrivateIpAddresses") or ()]
        primary = asked.get("PrivateIpAddress") or next(
            (one["PrivateIpAddress"] for one in named if one.get("Primary") is True), None
        )
        others = [one["PrivateIpAddress"] for one in named if one["PrivateIpAddress"] != primary]
        if not primary and others:
            primary = others.pop(0)
        count = int(asked.get("SecondaryPrivateIpAddressCount") or 0)
        if count and others:
            raise ServiceError(
                "InvalidParameterCombination",
                "secondaryPrivateIpAddressCount and privateIpAddresses may not be given together",
            )
        self.error_on_dryrun()
        addresses = take(subnet, [primary, *others, *[None] * count])
        made = backend.create_network_interface(
            subnet,
            addresses[0],
            [{"Primary": it == addresses[0], "PrivateIpAddress": it} for it in addresses],
            asked.get("Groups") or [],
            asked.get("Description"),
            add_tag_specification(asked.get("TagSpecifications") or []),
            ipv6_addresses=[it["Ipv6Address"] for it in asked.get("Ipv6Addresses") or ()],
            ipv6_address_count=int(asked.get("Ipv6AddressCount") or 0),
        )
        return ActionResult({"NetworkInterface": made})

    def assign_private_ip_addresses(self) -> ActionResult:
        interface: NetworkInterface = self.ec2_backend.get_network_interface(
            self._get_param("NetworkInterfaceId")
        )
        named = self._get_param("PrivateIpAddresses", [])
        count = int(self._get_param("SecondaryPrivateIpAddressCount", 0) or 0)
        if bool(named) == bool(count):
            raise ServiceError(
                "InvalidParameterCombination" if named else "MissingParameter",
                "Either privateIpAddresses or secondaryPrivateIpAddressCount must be given",
            )
        known = {it["PrivateIpAddress"] for it in interface.private_ip_addresses}
        self.error_on_dryrun()
        added = take(interface.subnet, [it for it in named if it not in known] or [None] * count)
        interface.private_ip_addresses += [{"Primary": False, "PrivateIpAddress": it} for it in added]
        told = {"NetworkInterfaceId": interface.id}
        return ActionResult(
            {**told, "AssignedPrivateIpAddresses": [{"PrivateIpAddress": it} for it in added]}
        )

    def unassign_private_ip_addresses(self) -> EmptyResult:
        interface: NetworkInterface = self.ec2_backend.get_network_interface(
            self._get_param("NetworkInterfaceId")
        )
        leaving = set(self._get_param("PrivateIpAddresses", []))
        known = {it["PrivateIpAddress"] for it in interface.private_ip_addresses if not it["Primary"]}
        if stray := sorted(leaving - known):
            raise ServiceError(
                "InvalidParameterValue",
                f"Some of the addresses are not assigned to interface {interface.id}: {', '.join(stray)}",
            )
        self.error_on_dryrun()
        interface.private_ip_addresses = [
            it for it in interface.private_ip_addresses if it["PrivateIpAddress"] not in leaving
        ]
        for address in leaving:
            interface.subnet.del_subnet_ip(address)
        return EmptyResult()

    def modify_network_interface_attribute(self):
        """moto forgets what is said of the attachment."""
        if asked := self._get_param("Attachment"):
            interface: NetworkInterface = self.ec2_backend.get_network_interface(
                self._get_param("NetworkInterfaceId")
            )
            if interface.attachment_id is None or interface.attachment_id != asked.get("AttachmentId"):
                raise ServiceError(
                    "InvalidAttachmentID.NotFound",
                    f"The network attachment '{asked.get('AttachmentId')}' does not exist",
                )
            if (goes := asked.get("DeleteOnTermination")) is not None:
                interface.delete_on_termination = str(goes).lower() == "true"
        return super().modify_network_interface_attribute()

    def delete_network_interface(self) -> EmptyResult:
        interface: NetworkInterface = self.ec2_backend.get_network_interface(
            self._get_param("NetworkInterfaceId")
        )
        if interface.requester_managed:
            raise ServiceError(
                "OperationNotPermitted",
                f"You do not have permission to delete the network interface '{interface.id}': it is managed "
                "by another service.",
            )
        if interface.instance is not None and interface.attachment_id:
            raise ServiceError(
                "InvalidParameterValue", f"Network interface '{interface.id}' is currently in use."
            )
        self.error_on_dryrun()
        self.ec2_backend.delete_network_interface(interface.id)
        give_back(interface)
        return EmptyResult()


def take(subnet: Subnet, wanted: list[str | None]) -> list[str]:
    """These addresses, which come first, and any for None; all or none."""
    taken: list[str] = []
    try:
        for address in wanted:
            if address is not None:
                subnet.request_ip(address, None)
            taken.append(address or subnet.get_available_subnet_ip(None))
    except ServiceError:
        for address in taken:
            subnet.del_subnet_ip(address)
        raise
    return taken


def make_up(subnet: Subnet, address: str | None) -> str:
    """An address of the subnet in the place of none, or of one that moto has made up without it."""
    inside = address is not None and ipaddress.ip_address(address) in subnet.cidr
    return address if address and inside else subnet.get_available_subnet_ip(None)


def give_back(interface: NetworkInterface) -> None:
    for address in interface.private_ip_addresses:
        interface.subnet.del_subnet_ip(address["PrivateIpAddress"])
