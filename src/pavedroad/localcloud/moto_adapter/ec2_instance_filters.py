# pyright: basic
"""DescribeInstances' filters: the common ones straight from the instances, the rest from their XML."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from xml.etree import ElementTree

from pavedroad.localcloud.moto_adapter.ec2_describe import instance_xml
from pavedroad.localcloud.moto_adapter.ec2_filters import (
    documented,
    matches,
    path_of,
    unknown_filter,
    values_at,
)
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from pavedroad.localcloud.moto_adapter.ec2_select import plain

ValueOf = Callable[[LocalInstance], object]

_VALUES: dict[str, Callable[[LocalInstance], object]] = {
    "instance-id": lambda one: one.id,
    "image-id": lambda one: one.image_id,
    "instance-type": lambda one: one.instance_type,
    "instance-state-name": lambda one: one.life.state,
    "instance-state-code": lambda one: one.life.code,
    "state-reason-code": lambda one: one.life.reason_code,
    "reason": lambda one: one.life.transition,
    "availability-zone": lambda one: one.availability_zone,
    "placement-group-name": lambda one: one.placement_group.name if one.placement_group else None,
    "tenancy": lambda one: one.placement.tenancy,
    "subnet-id": lambda one: one.subnet_id,
    "network-interface.subnet-id": lambda one: one.subnet_id,
    "vpc-id": lambda one: one.vpc_id,
    "network-interface.vpc-id": lambda one: one.vpc_id,
    "private-ip-address": lambda one: one.private_ip,
    "network-interface.addresses.private-ip-address": lambda one: one.private_ip,
    "private-dns-name": lambda one: one.private_dns_name,
    "network-interface.private-dns-name": lambda one: one.private_dns_name,
    "ip-address": lambda one: one.public_ip,
    "dns-name": lambda one: one.public_dns_name,
    "key-name": lambda one: one.key_name,
    "architecture": lambda one: one.architecture,
    "hypervisor": lambda one: one.hypervisor,
    "virtualization-type": lambda one: one.virtualization_type,
    "root-device-type": lambda one: one.root_device_type,
    "root-device-name": lambda one: one.root_device_name,
    "platform": lambda one: one.platform,
    "owner-id": lambda one: one.owner_id,
    "reservation-id": lambda one: one.reservation_id,
    "client-token": lambda one: one.client_token,
    "launch-index": lambda one: one.ami_launch_index,
    "launch-time": lambda one: one.launch_time.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    "instance-lifecycle": lambda one: one.lifecycle,
    "monitoring-state": lambda one: one.monitoring_state,
    "source-dest-check": lambda one: str(one.source_dest_check).lower(),
    "iam-instance-profile.arn": lambda one: (one.iam_instance_profile or {}).get("Arn"),
    "iam-instance-profile.id": lambda one: (one.iam_instance_profile or {}).get("Id"),
    "instance.group-id": lambda one: [group.id for group in one.security_groups],
    "group-id": lambda one: [group.id for group in one.security_groups],
    "network-interface.group-id": lambda one: [group.id for group in one.security_groups],
    "instance.group-name": lambda one: [group.name for group in one.security_groups],
    "group-name": lambda one: [group.name for group in one.security_groups],
    "network-interface.network-interface-id": lambda one: [nic.id for nic in one.nics.values()],
    "block-device-mapping.volume-id": lambda one: [it.volume_id for it in one.block_device_mapping.values()],
    "block-device-mapping.device-name": lambda one: list(one.block_device_mapping),
    "metadata-options.http-tokens": lambda one: one.metadata_options.http_tokens,
    "metadata-options.state": lambda one: one.metadata_options.state,
    "metadata-options.http-endpoint": lambda one: one.metadata_options.http_endpoint,
    "ebs-optimized": lambda one: str(one.ebs_optimized).lower(),
    "state-reason-message": lambda one: one.life.reason,
    "availability-zone-id": lambda one: one.zone_id,
    "spot-instance-request-id": lambda one: one.spot_request_id or None,
    "tag-key": lambda one: list(one.tag_map),
    "tag-value": lambda one: list(one.tag_map.values()),
    "product-code": lambda one: one.product_codes,
}
_PATHS = {
    "affinity": "placement.affinity",
    "boot-mode": "bootMode",
    "host-id": "placement.hostId",
    "placement-partition-number": "placement.partitionNumber",
    "network-interface.addresses": "networkInterfaceSet.privateIpAddressesSet",
    "network-interface.group-name": "networkInterfaceSet.groupSet.groupName",
    "network-interface.tag-key": "networkInterfaceSet.tagSet.key",
    "network-interface.tag-value": "networkInterfaceSet.tagSet.value",
    "block-device-mapping": "blockDeviceMapping.ebs",
    "product-code.type": "productCodes.type",
}
"""Where a filter, or those below it, are in an instance's XML, when that is not at its own name."""


def filtered(found: Iterable[LocalInstance], name: str, patterns: list[str]) -> Iterable[LocalInstance]:
    """Those that one filter lets through. There must be such a filter."""
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return (one for one in found if matches(one.tag_map.get(key), patterns))
    value_of = _VALUES.get(name) or _in_xml(name)
    return (one for one in found if matches(value_of(one), patterns))


@cache
def _in_xml(name: str) -> ValueOf:
    if name not in documented("DescribeInstances"):
        raise unknown_filter(name)
    longest = max((known for known in _PATHS if f"{name}.".startswith(f"{known}.")), key=len, default="")
    path = path_of(_PATHS[longest] + name.removeprefix(longest) if longest else name)
    return lambda one: list(values_at(_tree(one), path))


def _tree(one: LocalInstance) -> object:
    return plain(ElementTree.fromstring(instance_xml(one)))  # noqa: S314 - of our own making
