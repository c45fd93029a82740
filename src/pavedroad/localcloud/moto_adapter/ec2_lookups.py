# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""EC2's resources by their id at once: moto's own lookups go through all that there are."""

from __future__ import annotations

from moto.ec2 import utils
from moto.ec2.exceptions import InvalidNetworkInterfaceIdError, InvalidVolumeIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_block_store import Volume
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.utils import generic_filter
from moto.moto_api._internal import mock_random

from pavedroad.localcloud.errors import ServiceError


class Lookups(EC2Backend):
    """The part of our backend that finds volumes, interfaces and groups."""

    def describe_volumes(self, volume_ids=None, filters=None) -> list[Volume]:
        if not volume_ids:
            return super().describe_volumes(None, filters)
        if missing := [name for name in volume_ids if name not in self.volumes]:
            raise InvalidVolumeIdError(missing[0])
        return generic_filter(filters, [self.volumes[name] for name in dict.fromkeys(volume_ids)])

    def get_network_interface(self, eni_id: str) -> NetworkInterface:
        if interface := self.enis.get(eni_id):
            return interface
        raise InvalidNetworkInterfaceIdError(eni_id)

    def get_all_network_interfaces(self, eni_ids=None, filters=None) -> list[NetworkInterface]:
        if not eni_ids:
            return super().get_all_network_interfaces(None, filters)
        return generic_filter(filters, [self.get_network_interface(name) for name in dict.fromkeys(eni_ids)])

    def get_security_group_from_id(self, group_id: str) -> SecurityGroup | None:
        return next((groups[group_id] for groups in self.groups.values() if group_id in groups), None)

    def do_resources_exist(self, resource_ids) -> bool:
        """Those that moto looks for among all, or takes for granted."""
        rest = []
        for resource_id in resource_ids:
            if resource_id.startswith("i-"):
                self.get_instance(resource_id)
            elif resource_id.startswith("eni-") and not resource_id.startswith("eni-attach-"):
                self.get_network_interface(resource_id)
            elif resource_id.startswith("pg-"):
                if resource_id not in self.placement_groups:
                    raise ServiceError(
                        "InvalidPlacementGroup.Unknown", f"The Placement Group '{resource_id}' is unknown."
                    )
            else:
                rest.append(resource_id)
        return super().do_resources_exist(rest)


def install() -> None:
    utils.random_resource_id = _random_hex
    utils.EC2_RESOURCE_TO_PREFIX["placement-group"] = "pg"
    utils.EC2_PREFIX_TO_RESOURCE["pg"] = "placement-group"


def _random_hex(size: int = 8) -> str:
    """As moto's, that draws each digit alone; a launch makes five ids."""
    return f"{mock_random.getrandbits(4 * size):0{size}x}"
