# pyright: basic, reportAttributeAccessIssue=false
"""What must be so before volumes and network interfaces are made, attached, detached and changed."""

from __future__ import annotations

from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_devices import check_volume
from pavedroad.localcloud.moto_adapter.ec2_held import refuse_held
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from pavedroad.localcloud.moto_adapter.ec2_missing import missing
from pavedroad.localcloud.moto_adapter.ec2_multi_attach import MOST, attachments_of

Asked = dict[str, Any]


def attach_volume(backend: LocalEC2Backend, asked: Asked) -> None:
    volume = backend.get_volume(asked["VolumeId"])
    one = _taking(backend, asked["InstanceId"])
    if volume.availability_zone != one.availability_zone:
        raise ServiceError(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume.id}' is not in the same availability zone as instance '{one.id}'",
        )
    held = attachments_of(volume)
    if held and (not volume.multi_attach_enabled or any(it.instance is one for it in held)):
        raise ServiceError("VolumeInUse", f"{volume.id} is already attached to an instance")
    if len(held) >= MOST:
        raise ServiceError("AttachmentLimitExceeded", f"{volume.id} is attached to {MOST} instances.")
    device = asked["Device"]
    if device in one.block_device_mapping:
        raise ServiceError(
            "InvalidParameterValue",
            f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use",
        )


def detach_volume(backend: LocalEC2Backend, asked: Asked) -> None:
    """Instance and device may be left out; where they are given they must be the volume's."""
    volume = backend.get_volume(asked["VolumeId"])
    instance_id = asked.get("InstanceId")
    if instance_id:
        backend.get_instance(instance_id)
    every = attachments_of(volume)
    attachment = next((it for it in every if it.instance.id == instance_id), every[0] if every else None)
    if attachment is None:
        raise ServiceError("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")
    if len(every) > 1 and not instance_id:
        raise ServiceError(
            "InvalidParameterCombination", f"{volume.id} is attached to several instances: name one of them."
        )
    held = {"InstanceId": attachment.instance.id, "Device": attachment.device}
    wrong = {name: asked[name] for name, value in held.items() if asked.get(name) not in (None, value)}
    if wrong:
        raise ServiceError(
            "InvalidAttachment.NotFound",
            f"The volume '{volume.id}' is attached to instance '{held['InstanceId']}' as device "
            f"'{held['Device']}', not {' and '.join(f'{value!r}' for value in wrong.values())}.",
        )
    one = attachment.instance
    if attachment.device == one.root_device_name and one.life.state not in ("stopped", "terminated"):
        raise ServiceError(
            "OperationNotPermitted",
            f"Unable to detach root volume '{volume.id}' from instance '{one.id}': it is {one.life.state}.",
        )
    asked.update(held)


def create_volume(backend: LocalEC2Backend, asked: Asked) -> None:
    """Sizes and rates by the volume's type, and a zone that there is."""
    in_zone(backend, asked)
    snapshot = backend.snapshots.get(asked.get("SnapshotId") or "")
    if asked.get("SnapshotId") and snapshot is None:
        raise missing(asked["SnapshotId"])
    size = asked.get("Size")
    check_volume(asked.get("VolumeType") or "gp2", size, asked.get("Iops"))
    if snapshot is not None and size is not None and int(size) < int(snapshot.volume.size):
        raise ServiceError(
            "InvalidParameterValue",
            f"Volume of {size}GiB is smaller than snapshot '{snapshot.id}', expect size >= "
            f"{snapshot.volume.size}GiB",
        )


def in_zone(backend: LocalEC2Backend, asked: Asked) -> None:
    """Of a zone that there is, by its name or its id."""
    zone, zone_id = asked.get("AvailabilityZone"), asked.get("AvailabilityZoneId")
    if not zone and not zone_id:
        raise ServiceError(
            "MissingParameter",
            "The request must contain the parameter availabilityZone or availabilityZoneId",
        )
    zones = backend.describe_availability_zones()
    found = next((it for it in zones if (it.name == zone if zone else it.zone_id == zone_id)), None)
    if found is None:
        raise ServiceError("InvalidZone.NotFound", f"The zone '{zone or zone_id}' does not exist.")
    asked["AvailabilityZone"] = found.name


def modify_volume(backend: LocalEC2Backend, asked: Asked) -> None:
    volume = backend.get_volume(asked["VolumeId"])
    size, kind = asked.get("Size"), asked.get("VolumeType") or volume.volume_type
    if size is not None and int(size) < int(volume.size):
        raise ServiceError(
            "InvalidParameterValue",
            f"New size cannot be smaller than existing size: {size} is below {volume.size} GiB.",
        )
    kept = volume.iops if kind == volume.volume_type else None
    check_volume(kind, size or volume.size, asked.get("Iops") or kept)


def attach_network_interface(backend: LocalEC2Backend, asked: Asked) -> None:
    interface = backend.get_network_interface(asked["NetworkInterfaceId"])
    one = _taking(backend, asked["InstanceId"])
    try:
        refuse_held(backend, interface.id)
    except ServiceError as error:
        raise ServiceError("InvalidNetworkInterface.InUse", f"Interface: [{interface.id}] in use.") from error
    index = int(asked["DeviceIndex"])
    if index in one.nics:
        raise ServiceError(
            "InvalidParameterValue",
            f"Instance '{one.id}' already has an interface attached at device index '{index}'.",
        )
    if interface.subnet.availability_zone != one.availability_zone:
        raise ServiceError(
            "InvalidParameterCombination",
            "You may not attach a network interface to an instance of another availability zone: "
            f"{interface.id} is in {interface.availability_zone}, {one.id} in {one.availability_zone}.",
        )


def detach_network_interface(backend: LocalEC2Backend, asked: Asked) -> None:
    attachment_id = asked["AttachmentId"]
    held = next((it for it in backend.enis.values() if it.attachment_id == attachment_id), None)
    if held is None:
        raise ServiceError(
            "InvalidAttachmentID.NotFound", f"The network attachment '{attachment_id}' does not exist"
        )
    if held.device_index == 0:
        raise ServiceError(
            "OperationNotPermitted", "The network interface at device index 0 cannot be detached."
        )


def create_network_interface(backend: LocalEC2Backend, asked: Asked) -> None:
    """Its groups are there, and of its subnet's network: moto makes those that are not."""
    subnet = backend.get_subnet(asked["SubnetId"])
    for group_id in asked.get("Groups") or ():
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            raise missing(group_id)
        if group.vpc_id != subnet.vpc_id:
            raise ServiceError(
                "InvalidParameterValue",
                f"Security group {group_id} and subnet {subnet.id} belong to different networks.",
            )


def _taking(backend: LocalEC2Backend, instance_id: str) -> LocalInstance:
    """One that things may be attached to."""
    one = backend.get_instance(instance_id)
    if one.life.state not in ("pending", "running", "stopped"):
        raise ServiceError(
            "IncorrectState", f"Instance '{one.id}' is not 'running' or 'stopped': it is {one.life.state}."
        )
    return one


CHECKS = {
    "AttachNetworkInterface": attach_network_interface,
    "AttachVolume": attach_volume,
    "CreateDefaultSubnet": in_zone,
    "CreateNetworkInterface": create_network_interface,
    "CreateVolume": create_volume,
    "DetachNetworkInterface": detach_network_interface,
    "DetachVolume": detach_volume,
    "ModifyVolume": modify_volume,
}
