# pyright: basic, reportAttributeAccessIssue=false
"""What is there but once in AWS, however often it is asked for: moto makes one more each time."""

from __future__ import annotations

from moto.ec2.models import EC2Backend

from pavedroad.localcloud.errors import ServiceError


class MadeOnce(EC2Backend):
    """Part of `LocalEC2Backend`."""

    def create_customer_gateway(self, gateway_type, ip_address, bgp_asn, tags=None):
        """The same one for the same address, number and type."""
        asked = gateway_type or "ipsec.1", ip_address, bgp_asn
        for one in self.customer_gateways.values():
            if (one.type, one.ip_address, one.bgp_asn) == asked and one.state == "available":
                return one
        return super().create_customer_gateway(gateway_type, ip_address, bgp_asn, tags)

    def associate_subnet_cidr_block(self, subnet_id, ipv6_cidr_block):
        there = self.get_subnet(subnet_id).ipv6_cidr_block_associations.values()
        if any(
            it["ipv6CidrBlock"] == ipv6_cidr_block and it["ipv6CidrBlockState"]["State"] == "associated"
            for it in there
        ):
            raise ServiceError(
                "InvalidSubnet.Conflict", f"The CIDR '{ipv6_cidr_block}' conflicts with another subnet"
            )
        return super().associate_subnet_cidr_block(subnet_id, ipv6_cidr_block)

    def set_route_table_propagation(self, transit_gateway_attachment_id, transit_gateway_route_table_id):
        self.disable_route_table_propagation(transit_gateway_attachment_id, transit_gateway_route_table_id)
        super().set_route_table_propagation(transit_gateway_attachment_id, transit_gateway_route_table_id)
