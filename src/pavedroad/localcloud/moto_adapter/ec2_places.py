# pyright: basic, reportAttributeAccessIssue=false
"""Where the addresses of networks that are not on the loopback interface really are.

A network such as 10.0.0.0/16 is described as it was asked for, and each address that is taken in it stands
for one of the region's own /16, out of its upper half, where no default subnet is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from moto.ec2.models.subnets import Subnet

from pavedroad.localcloud.errors import ServiceError

_pools: dict[str, ipaddress.IPv4Network] = {}


def install(networks: dict[str, str]) -> None:
    for region, cidr in networks.items():
        _pools[region] = list(ipaddress.IPv4Network(cidr).subnets())[1]


def place(subnet: Subnet, address: str) -> str:
    """The address that opens on this machine, for one that is taken in a subnet."""
    return _placed(subnet).get(address, address)


def settle(subnet: Subnet, address: str) -> None:
    """An address of a subnet has been taken."""
    if subnet.cidr.network_address.is_loopback:
        return
    lent = lent_of(subnet.ec2_backend)
    real = next(iter(_free(subnet.ec2_backend, lent)), None)
    if real is None:
        raise ServiceError(
            "InsufficientFreeAddressesInSubnet",
            f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number.",
        )
    _placed(subnet)[address] = real
    lent[real] = subnet.vpc_id, address
    vars(subnet.ec2_backend)["_lent_last"] = real


def leave(subnet: Subnet, address: str) -> None:
    """It is free again."""
    if real := _placed(subnet).pop(address, None):
        lent_of(subnet.ec2_backend).pop(real, None)


def lent_of(backend: object) -> dict[str, tuple[str, str]]:
    """By the real address: the VPC it is lent to, and what it is called there. A state from before there were
    any has none."""
    return vars(backend).setdefault("_lent", {})


def within(backend: object, vpc_id: str, cidr: str) -> list[str]:
    """Where the addresses of a part of a VPC really are, each as a CIDR."""
    lent = lent_of(backend)
    if not lent or cidr == "0.0.0.0/0":
        return []
    network = ipaddress.ip_network(cidr, strict=False)
    return [f"{real}/32" for real, (known, it) in lent.items() if known == vpc_id and _is_in(it, network)]


def _is_in(address: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return ipaddress.ip_address(address) in network


def _placed(subnet: Subnet) -> dict[str, str]:
    return vars(subnet).setdefault("_placed", {})


def _free(backend, lent: dict[str, tuple[str, str]]) -> Iterator[str]:
    """From the one after the last that was given, so that one that is given back rests as long as it may."""
    pool = _pools[backend.region_name]
    first, size = int(pool.network_address), pool.num_addresses
    begin = int(ipaddress.IPv4Address(vars(backend).get("_lent_last", pool.network_address)))
    subnets = [subnet.cidr for zone in backend.subnets.values() for subnet in zone.values()]
    own = [cidr for cidr in subnets if cidr.overlaps(pool)]
    edges = (pool.network_address, pool.broadcast_address)
    for step in range(1, size):
        address = ipaddress.IPv4Address(first + (begin - first + step) % size)
        if str(address) not in lent and address not in edges and not any(address in cidr for cidr in own):
            yield str(address)
