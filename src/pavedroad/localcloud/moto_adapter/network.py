# pyright: basic
"""EC2's networks as load balancers need them, from moto's EC2 backend."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend, ec2_places
from pavedroad.localcloud.ports import Endpoint, Interface, Subnet


class MotoNetwork:
    """`Network` in one account and region."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    @property
    def _ec2(self) -> Any:
        # Asked anew each time: a restored snapshot replaces the backends.
        return ec2_backend.backend(self._account, self._region)

    def vpc_exists(self, vpc_id: str) -> bool:
        return vpc_id in self._ec2.vpcs

    def subnet(self, subnet_id: str) -> Subnet | None:
        found = self._subnet(subnet_id)
        return None if found is None else Subnet(found.id, found.vpc_id, found.availability_zone)

    def default_subnet(self, zone: str) -> Subnet | None:
        there = self._ec2.subnets.get(zone, {}).values()
        found = next((it for it in there if it.default_for_az), None)
        return None if found is None else self.subnet(found.id)

    def security_group_name(self, group_id: str) -> str:
        group = self._ec2.get_security_group_from_id(group_id)
        return "" if group is None else group.name

    def security_group_vpc(self, group_id: str) -> str | None:
        group = self._ec2.get_security_group_from_id(group_id)
        return None if group is None else group.vpc_id

    def default_security_group(self, vpc_id: str) -> str:
        return self._ec2.get_default_security_group(vpc_id).id

    def take_address(self, subnet_id: str, description: str) -> Interface:
        subnet = self._subnet(subnet_id)
        if subnet is None:
            raise ServiceError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")
        try:
            address = subnet.get_available_subnet_ip(instance=None)
        except ServiceError as error:
            raise ServiceError(
                "InvalidSubnet", f"Not enough IP space available in {subnet_id}. ELB requires at least 1."
            ) from error
        interface = self._ec2.create_network_interface(subnet, address, description=description)
        interface.requester_managed = True
        interface.status = "in-use"
        return Interface(interface.id, ec2_places.place(subnet, address))

    def give_back(self, interface_id: str) -> None:
        try:
            interface = self._ec2.get_network_interface(interface_id)
            self._ec2.delete_network_interface(interface_id)
        except ServiceException:
            return
        interface.subnet.del_subnet_ip(interface.private_ip_address)

    def endpoint(self, instance_id: str) -> Endpoint | None:
        instance = self._ec2.get_instance_by_id(instance_id)
        return None if instance is None else _endpoint(instance)

    def place(self, vpc_id: str, address: str) -> str:
        lent = ec2_places.lent_of(self._ec2).items()
        return next((real for real, known in lent if known == (vpc_id, address)), address)

    def _subnet(self, subnet_id: str) -> Any:
        for zone in self._ec2.subnets.values():
            if subnet_id in zone:
                return zone[subnet_id]
        return None


def _endpoint(instance: Any) -> Endpoint:
    return Endpoint(
        instance.id,
        instance.vpc_id or "",
        instance.availability_zone,
        ec2_places.place(instance.nics[0].subnet, instance.private_ip or ""),
        instance.state,
    )
