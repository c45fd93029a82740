# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportPrivateImportUsage=false
"""moto's regions, networks and addresses as this cloud has them: each address once, and really inside 127/8.

`install` changes moto's classes in place, before the first backend is made.
"""

from __future__ import annotations

import ipaddress

from moto.ec2.exceptions import (
    DefaultSubnetAlreadyExistsInAvailabilityZoneError,
    DefaultVpcDoesNotExistError,
)
from moto.ec2.models import elastic_network_interfaces, vpcs
from moto.ec2.models.availability_zones_and_regions import Region, RegionsAndZonesBackend
from moto.ec2.models.instances import Instance
from moto.ec2.models.subnets import Subnet, SubnetBackend

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_places
from pavedroad.localcloud.moto_adapter.ec2_outages import Zone
from pavedroad.localcloud.regions import REGIONS

_networks: dict[str, str] = {}
"""The CIDR of each region's default network."""
_MACHINE = ipaddress.IPv4Network("127.0.0.0/16")
_AWS_RESERVES = 4
"""The network's address and the next three, as in AWS; the broadcast address too."""


def install(networks: dict[str, str]) -> None:
    _networks.update(networks)
    ec2_places.install(networks)
    RegionsAndZonesBackend.regions = [
        Region(name, f"ec2.{name}.amazonaws.com", "opted-in" if it.optional else "opt-in-not-required")
        for name, it in REGIONS.items()
    ]
    RegionsAndZonesBackend.zones = {
        name: [Zone(name=zone.name, region_name=name, zone_id=zone.id) for zone in it.zones]
        for name, it in REGIONS.items()
    }
    vpcs.VPCBackend.create_default_vpc = _create_default_vpc
    SubnetBackend.create_default_subnet = _create_default_subnet
    Subnet.get_available_subnet_ip = _take_next_address
    Subnet.request_ip = _take_address
    Subnet.del_subnet_ip = _give_address_back
    elastic_network_interfaces.random_private_ip = _next_in_cidr
    elastic_network_interfaces.generate_dns_from_ip = _literal
    elastic_network_interfaces.NetworkInterface.check_auto_public_ip = _show_private_as_public


def loopback_network(cidr: str) -> ipaddress.IPv4Network | None:
    """None for one that is elsewhere. Where the machine itself has its loopback address is nobody's."""
    try:
        network = ipaddress.IPv4Network(str(cidr), strict=False)
    except ValueError:
        raise ServiceError(
            "InvalidParameterValue", f"Value ({cidr}) for parameter cidrBlock is invalid."
        ) from None
    if network.overlaps(_MACHINE):
        raise ServiceError("InvalidVpc.Range", f"The CIDR '{cidr}' is the machine's own.")
    return network if network.is_loopback else None


def _create_default_vpc(self):
    if self.describe_vpcs(filters={"is-default": ["true"]}):
        raise ServiceError(
            "DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region."
        )
    vpc = self.create_vpc(cidr_block=_networks[self.region_name], is_default=True)
    for zone in self.describe_availability_zones():
        self.create_default_subnet(zone.name)
    return vpc


def _create_default_subnet(self, availability_zone: str) -> Subnet:
    """The first free quarter of the network, of a /16 a /20 as on AWS."""
    known = self.get_default_subnets()
    if availability_zone in known:
        raise DefaultSubnetAlreadyExistsInAvailabilityZoneError(
            known[availability_zone].id, availability_zone
        )
    vpc = self.get_default_vpc()
    if vpc is None:
        raise DefaultVpcDoesNotExistError()
    network = ipaddress.IPv4Network(vpc.cidr_block)
    taken = [it.cidr for zone in self.subnets.values() for it in zone.values() if it.vpc_id == vpc.id]
    for cidr in network.subnets(new_prefix=max(20, network.prefixlen + 2)):
        if not any(cidr.overlaps(it) for it in taken):
            made = self.create_subnet(vpc.id, str(cidr), availability_zone=availability_zone)
            made.default_for_az = made.map_public_ip_on_launch = True  # also beside others of its zone
            return made
    raise ServiceError("InsufficientCidrBlocks", f"There is no room for another subnet in {vpc.id}.")


def network_of_region(network: ipaddress.IPv4Network, own: str) -> str:
    """The region whose default network overlaps one, besides its own; empty where none does."""
    others = ((name, cidr) for name, cidr in _networks.items() if name != own)
    return next((name for name, cidr in others if network.overlaps(ipaddress.IPv4Network(cidr))), "")


def _take_next_address(self: Subnet, instance: object) -> str:
    """The next free address after the last one given, so that a freed one rests as long as it may."""
    first = int(self.cidr.network_address)
    size = self.cidr.num_addresses
    usable = size - _AWS_RESERVES - 1
    last = getattr(self, "_last_offset", -1)
    reserved = {int(address) for address in self._reserved_ips}
    lent = ec2_places.lent_of(self.ec2_backend)
    for step in range(1, usable + 1):
        offset = (last + step) % usable
        number = first + _AWS_RESERVES + offset
        address = str(ipaddress.ip_address(number))
        if address not in self._subnet_ips and number not in reserved and address not in lent:
            ec2_places.settle(self, address)
            self._last_offset = offset
            self._subnet_ips[address] = instance
            return address
    raise ServiceError(
        "InsufficientFreeAddressesInSubnet",
        f"There are not enough free addresses in subnet '{self.id}' to satisfy the requested number.",
    )


def free_addresses(subnet: Subnet) -> int:
    """How many more instances and interfaces a subnet has room for."""
    return subnet.cidr.num_addresses - _AWS_RESERVES - 1 - len(subnet._subnet_ips)


def _take_address(self: Subnet, ip: str, instance: object) -> None:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        raise ServiceError(
            "InvalidParameterValue", f"Value ({ip}) for parameter privateIpAddress is invalid."
        ) from None
    if address not in self.cidr or int(address) - int(self.cidr.network_address) < _AWS_RESERVES:
        raise ServiceError(
            "InvalidParameterValue", f"Address {ip} does not fall within the subnet's address range."
        )
    if ip in self._subnet_ips:
        raise ServiceError("InvalidIPAddress.InUse", f"Address {ip} is in use.")
    ec2_places.settle(self, ip)
    self._subnet_ips[ip] = instance


def _give_address_back(self: Subnet, ip: str) -> None:
    """An instance keeps its address until it is forgotten, so that nobody takes the new for the old."""
    holder = self._subnet_ips.get(ip)
    if isinstance(holder, Instance) and not getattr(holder, "forgotten", True):
        return
    self._subnet_ips.pop(ip, None)
    ec2_places.leave(self, ip)


def _next_in_cidr(cidr: str | None = None, ipv6: bool = False) -> str:
    raise ServiceError("InvalidParameterValue", "An address inside the subnet must be named.")


def _literal(ip: str, dns_type: str = "internal") -> str:
    """Names of machines are addresses here: they open anywhere without touching the system's resolver."""
    return ip.split("/", maxsplit=1)[0]


def _show_private_as_public(self) -> None:
    if str(self.public_ip_auto_assign).lower() == "true":
        self.public_ip = ec2_places.place(self.subnet, self.private_ip_address)
