"""Launch configurations: made once, never changed, and kept while a group launches from them."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pavedroad.core.numbers import real
from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling import views
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.autoscaling.operations.catalogues import MOST_LAUNCH_CONFIGURATIONS
from pavedroad.localcloud.autoscaling.sources import ConfigurationChoice, LaunchConfiguration
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import LaunchData

STORED = (
    "AssociatePublicIpAddress",
    "BlockDeviceMappings",
    "ClassicLinkVPCId",
    "ClassicLinkVPCSecurityGroups",
    "MetadataOptions",
    "PlacementTenancy",
    "SpotPrice",
)
"""Shown as they were given, and only if they were."""
USER_DATA_BYTES = 16_384
VOLUME_TYPES = ("standard", "io1", "gp2", "st1", "sc1", "gp3")


def create(call: Call) -> Result:
    keep(call, proposed(call, call.parameters["LaunchConfigurationName"]))
    return None


def keep(call: Call, made: LaunchConfiguration) -> None:
    call.region.configurations[made.name] = made


def proposed(call: Call, name: str) -> LaunchConfiguration:
    """A new launch configuration from the call's parameters, and from the instance that they may name."""
    settings.check_name(name, "Launch configuration")
    if name in call.region.configurations:
        raise ServiceError(
            "AlreadyExists",
            "Launch Configuration by this name already exists - A launch configuration already exists with "
            f"the name {name}",
        )
    if len(call.region.configurations) >= MOST_LAUNCH_CONFIGURATIONS:
        raise ServiceError("LimitExceeded", "You have reached the limit of launch configurations.")
    _check_mappings(call)
    _check_tenancy(call)
    data = _launch_data(call)
    return LaunchConfiguration(
        name=name,
        arn=(
            f"arn:aws:autoscaling:{call.region.name}:{call.region.account}:launchConfiguration:"
            f"{uuid.uuid4()}:launchConfigurationName/{name}"
        ),
        created_at=call.now,
        settings=_settings(call, data),
        data=data,
    )


def delete(call: Call) -> Result:
    name: str = call.parameters["LaunchConfigurationName"]
    if name not in call.region.configurations:
        raise refused(f"Launch configuration name not found - Launch configuration {name} not found")
    for group in call.region.groups.values():
        if group.source == ConfigurationChoice(name):
            raise ServiceError(
                "ResourceInUse",
                f"Cannot delete launch configuration {name} because it is attached to AutoScalingGroup "
                f"{group.name}",
            )
    del call.region.configurations[name]
    return None


def describe(call: Call) -> Result:
    named = call.texts("LaunchConfigurationNames")
    found = call.region.configurations
    if len(named) > 50:
        raise refused("The number of launch configuration names must not be more than 50.")
    shown, token = paging.page(
        (found[name] for name in sorted(set(named) or found) if name in found),
        key=lambda configuration: (configuration.name,),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=100),
    )
    return {"LaunchConfigurations": [views.configuration(one) for one in shown], "NextToken": token}


def _launch_data(call: Call) -> LaunchData:
    """What instances are launched with: the named instance's own where the call does not say otherwise."""
    like = _like(call)
    image_id: str = call.get("ImageId") or (like.image_id if like else "")
    instance_type: str = call.get("InstanceType") or (like.instance_type if like else "")
    if not image_id or not instance_type:
        missing = "ImageId" if not image_id else "InstanceType"
        raise refused(
            f"Valid requests must contain either the InstanceID parameter or both the ImageId and "
            f"InstanceType parameters. {missing} is missing."
        )
    price: str = call.get("SpotPrice") or ""
    check_price(price, "spotPrice")
    monitoring = call.get("InstanceMonitoring", {}).get("Enabled")
    if monitoring is None:
        monitoring = like.monitored if like else True
    data = replace(
        like or LaunchData(image_id, instance_type),
        image_id=image_id,
        instance_type=instance_type,
        user_data=_user_data(call.get("UserData", like.user_data if like else "")),
        key_name=call.get("KeyName", like.key_name if like else None),
        security_group_ids=tuple(call.texts("SecurityGroups")) or (like.security_group_ids if like else ()),
        instance_profile_arn=call.get("IamInstanceProfile", like.instance_profile_arn if like else None),
        market="spot" if price else "on-demand",
        spot_max_price=price,
        metadata_options=call.get("MetadataOptions", like.metadata_options if like else {}),
        monitored=monitoring,
        ebs_optimized=call.get("EbsOptimized", like.ebs_optimized if like else False),
    )
    try:
        call.compute.check(data)
    except ServiceError as refusal:
        if refusal.code.startswith("InvalidAMIID"):
            raise refused(f"AMI {image_id} is invalid: {refusal.message}") from refusal
        raise refused(refusal.message) from refusal
    return data


def _like(call: Call) -> LaunchData | None:
    instance_id: str = call.get("InstanceId") or ""
    if not instance_id:
        return None
    found = call.compute.launched_from(instance_id)
    machine = call.compute.machine(instance_id)
    if found is None or machine is None or machine.state == "terminated":
        raise refused(f"Instance [{instance_id}] is invalid.")
    return found


def _settings(call: Call, data: LaunchData) -> Mapping[str, Any]:
    """As AWS describes it: what was not given is empty, or has AWS's default."""
    return {
        "ImageId": data.image_id,
        "KeyName": data.key_name or "",
        "SecurityGroups": list(data.security_group_ids),
        "ClassicLinkVPCSecurityGroups": [],
        "UserData": data.user_data,
        "InstanceType": data.instance_type,
        "KernelId": call.get("KernelId", ""),
        "RamdiskId": call.get("RamdiskId", ""),
        "BlockDeviceMappings": [],
        "InstanceMonitoring": {"Enabled": data.monitored},
        "IamInstanceProfile": data.instance_profile_arn,
        "EbsOptimized": data.ebs_optimized,
        **{name: call.parameters[name] for name in STORED if call.get(name) is not None},
    }


def _user_data(encoded: str) -> str:
    """As given, once it is seen to be Base64 of at most 16 KB."""
    try:
        size = len(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError) as malformed:
        raise refused("Invalid BASE64 encoding of user data.") from malformed
    if size > USER_DATA_BYTES:
        raise refused(f"User data is limited to {USER_DATA_BYTES} bytes.")
    return encoded


def check_price(price: str, where: str) -> None:
    """A price is a number of dollars, at least a tenth of a cent."""
    try:
        enough = not price or real(price) >= 0.001
    except ValueError:
        enough = False
    if not enough:
        raise refused(f"Invalid value '{price}' for '{where}': it must be a price of at least 0.001.")


def _check_tenancy(call: Call) -> None:
    tenancy: str = call.get("PlacementTenancy", "default")
    if tenancy not in ("default", "dedicated"):
        raise refused(f"Tenancy value '{tenancy}' is invalid. Valid values are: default, dedicated")
    if tenancy == "dedicated" and call.get("SpotPrice"):
        raise refused("Spot instances cannot be launched with dedicated tenancy.")


def _check_mappings(call: Call) -> None:
    seen: set[str] = set()
    for mapping in call.entries("BlockDeviceMappings"):
        device: str = mapping["DeviceName"]
        if device in seen:
            raise refused(f"BlockDeviceMappings contains the device {device} more than once.")
        seen.add(device)
        given = [name for name in ("Ebs", "NoDevice", "VirtualName") if mapping.get(name)]
        if len(given) != 1:
            raise refused(
                f"The block device mapping of {device} must have exactly one of Ebs, NoDevice and "
                "VirtualName."
            )
        volume: Mapping[str, Any] = mapping.get("Ebs") or {}
        if volume:
            _check_volume(volume)


def _check_volume(volume: Mapping[str, Any]) -> None:
    kind: str = volume.get("VolumeType") or "standard"
    if kind not in VOLUME_TYPES:
        raise refused(f"Invalid volume type '{kind}'. Valid values are: {', '.join(VOLUME_TYPES)}")
    if not volume.get("SnapshotId") and not volume.get("VolumeSize"):
        raise refused("An EBS volume must have a SnapshotId or a VolumeSize.")
    if kind == "io1" and not volume.get("Iops"):
        raise refused("The parameter iops must be specified for io1 volumes.")
    if volume.get("Iops") and kind not in ("io1", "gp3"):
        raise refused(f"The parameter iops is not supported for {kind} volumes.")
    if volume.get("Throughput") and kind != "gp3":
        raise refused(f"The parameter throughput is not supported for {kind} volumes.")


OPERATIONS: dict[str, Operation] = {
    "CreateLaunchConfiguration": create,
    "DeleteLaunchConfiguration": delete,
    "DescribeLaunchConfigurations": describe,
}
