# pyright: basic, reportAttributeAccessIssue=false
"""What lets go of what else there is when it is deleted or moved: moto leaves it pointing there."""

from __future__ import annotations

from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.elastic_network_interfaces import NetworkInterface


class LettingGo(EC2Backend):
    """Part of `LocalEC2Backend`. Whether it may be is asked before."""

    def delete_network_interface(self, eni_id: str) -> None:
        interface = self.enis.get(eni_id)
        super().delete_network_interface(eni_id)
        for address in self.addresses:
            if address.eni is interface:
                _free(address)

    def associate_address(
        self, instance=None, eni=None, address=None, allocation_id=None, reassociate=False
    ) -> ElasticAddress:
        """An interface has one elastic address, and an address one interface."""
        taken: NetworkInterface = eni or instance.nics[0]
        named = (
            self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id or ""])
        )
        for other in self.addresses:
            if other.eni is taken and other is not named[0]:
                self.disassociate_address(address=other.public_ip)
        if named[0].eni is not None and named[0].eni is not taken:
            self.disassociate_address(address=named[0].public_ip)
        return super().associate_address(
            taken.instance or instance, taken, named[0].public_ip, reassociate=True
        )

    def delete_nat_gateway(self, nat_gateway_id: str):
        """Its interface goes, and its address is free again."""
        gateway = super().delete_nat_gateway(nat_gateway_id)
        interface = gateway._eni
        if interface.id in self.enis:
            interface.delete()
        return gateway

    def delete_subnet(self, subnet_id: str):
        subnet = super().delete_subnet(subnet_id)
        for table in self.route_tables.values():
            for known in [known for known, it in table._associations.items() if it == subnet_id]:
                del table._associations[known]
        for acl in self.network_acls.values():
            for known in [known for known, it in acl._associations.items() if it.subnet_id == subnet_id]:
                del acl._associations[known]
        return subnet

    def associate_dhcp_options(self, dhcp_options, vpc) -> None:
        self.disassociate_dhcp_options(vpc)
        super().associate_dhcp_options(dhcp_options, vpc)


def free_addresses_of(backend, instance) -> None:
    """Those of an instance that has ended; one that stays with an interface is of that alone."""
    for address in backend.addresses:
        if address.instance is instance:
            if address.eni is not None and address.eni.id in backend.enis:
                address.instance = None
            else:
                _free(address)


def _free(address: ElasticAddress) -> None:
    if address.eni is not None:
        address.eni.public_ip = None
    address.eni = address.instance = address.association_id = None
