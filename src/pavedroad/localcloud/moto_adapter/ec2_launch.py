# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false, reportOptionalMemberAccess=false
"""A launch: RunInstances' parameters over those of a launch template, every name checked, then instances."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.types import Base64EncodedString
from moto.ec2.models.instances import Reservation
from moto.ec2.utils import convert_tag_spec, filter_iam_instance_profiles

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_devices import block_devices
from pavedroad.localcloud.moto_adapter.ec2_limits import room_for
from pavedroad.localcloud.moto_adapter.ec2_metadata_options import check_metadata_options
from pavedroad.localcloud.moto_adapter.ec2_network import free_addresses
from pavedroad.localcloud.moto_adapter.ec2_not_offered import check_options
from pavedroad.localcloud.moto_adapter.ec2_placement import place_asked
from pavedroad.localcloud.moto_adapter.ec2_types import architectures, check_cpu_options, type_of

Parameters = dict[str, Any]

_USER_DATA_LIMIT = 16384


def with_template(backend: LocalEC2Backend, asked: Parameters) -> Parameters:
    """The request laid over its launch template, with the tags that EC2 adds for it."""
    named = asked.get("LaunchTemplate")
    if not named:
        return asked
    version = backend.launch_template_version(
        named.get("LaunchTemplateId"), named.get("LaunchTemplateName"), named.get("Version", "$Default")
    )
    merged = {**{k: v for k, v in version.data.items() if v is not None}, **asked}
    tags = convert_tag_spec(version.data.get("TagSpecifications") or [])
    for kind, pairs in convert_tag_spec(asked.get("TagSpecifications") or []).items():
        tags[kind] = {**tags.get(kind, {}), **pairs}
    tags["instance"] = {
        **tags.get("instance", {}),
        "aws:ec2launchtemplate:id": version.template.id,
        "aws:ec2launchtemplate:version": str(version.number),
    }
    merged["TagSpecifications"] = [
        {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in pairs.items()]}
        for kind, pairs in tags.items()
        if pairs
    ]
    return merged


def repeated(backend: LocalEC2Backend, token: str, fingerprint: str) -> Reservation | None:
    """What a launch with the same client token made before."""
    made = backend.client_tokens.get(token) if token else None
    if made is None:
        return None
    if made[0] != fingerprint:
        raise ServiceError(
            "IdempotentParameterMismatch",
            "The request uses the same client token as a previous, but non-identical request.",
        )
    return backend.reservations[made[1]]


class Launch:
    """What a whole set of parameters comes to. Making one checks all of them and changes nothing."""

    def __init__(self, backend: LocalEC2Backend, asked: Parameters) -> None:
        self._backend = backend
        self._asked = asked
        self.image_id = asked.get("ImageId") or ""
        check_image(backend, self.image_id)
        self.instance_type = asked.get("InstanceType") or "m1.small"
        check_type_and_key(backend, self.instance_type, asked.get("KeyName"))
        check_architecture(backend, self.image_id, self.instance_type)
        self._user_data = checked_user_data(asked.get("UserData"))
        self._place = place_asked(backend, asked.get("Placement") or {}, self.instance_type)
        self._nics = self._placed_nics()
        self.subnet_id = self._nics[0].get("SubnetId") if self._nics else self._checked_subnet()
        self._groups = self._group_ids()
        profile = asked.get("IamInstanceProfile") or {}
        self._profile = profile_arn(backend, profile.get("Name"), profile.get("Arn"))
        self._devices = block_devices(backend, asked.get("BlockDeviceMappings") or [])
        self._tags = convert_tag_spec(asked.get("TagSpecifications") or [])
        check_options(asked)
        check_metadata_options(asked.get("MetadataOptions") or {}, self._tags.get("instance", {}))
        check_cpu_options(self.instance_type, asked.get("CpuOptions"))

    @property
    def is_spot(self) -> bool:
        return (self._asked.get("InstanceMarketOptions") or {}).get("MarketType") == "spot"

    @property
    def zone(self) -> str:
        """Where it goes."""
        if self.subnet_id:
            return self._backend.get_subnet(self.subnet_id).availability_zone
        given = self._nics[0].get("NetworkInterfaceId") if self._nics else None
        return self._backend.get_network_interface(given).subnet.availability_zone if given else ""

    def tags(self, kind: str) -> dict[str, str]:
        return self._tags.get(kind, {})

    def count(self, low: int, high: int) -> int:
        """How many of these there may be."""
        if low < 1 or high < low:
            raise ServiceError(
                "InvalidParameterValue",
                f"Value ({high}) for parameter maxCount is invalid. It must be at least minCount ({low})."
                if low >= 1
                else f"Value ({low}) for parameter minCount is invalid. It must be at least 1.",
            )
        if self._nics and high > 1 and any(nic.get("NetworkInterfaceId") for nic in self._nics):
            raise ServiceError(
                "InvalidParameterCombination",
                "A network interface that exists can be attached to one instance only.",
            )
        if self._asked.get("PrivateIpAddress") and high > 1:
            raise ServiceError(
                "InvalidParameterCombination",
                "The parameter privateIpAddress cannot be used with more than one instance.",
            )
        room = room_for(self._backend, low, high=high, instance_type=self.instance_type, spot=self.is_spot)
        room = min(room, self._place.room(self._backend, self.zone, low))
        if not self.subnet_id or any(nic.get("NetworkInterfaceId") for nic in self._nics):
            return room
        free = free_addresses(self._backend.get_subnet(self.subnet_id))
        if free < low:
            raise ServiceError(
                "InsufficientFreeAddressesInSubnet",
                f"There are not enough free addresses in subnet '{self.subnet_id}' to satisfy the requested "
                "number of instances.",
            )
        return min(room, free)

    def launch(self, count: int) -> Reservation:
        asked = self._asked
        options = {"block_device_mappings": self._devices} if self._devices else {}
        reservation = self._backend.run_instances(
            self.image_id,
            count,
            self._user_data,
            [],
            instance_type=self.instance_type,
            is_instance_type_default=False,
            placement=None,
            region_name=self._backend.region_name,
            subnet_id=None if self._nics else self.subnet_id,
            key_name=asked.get("KeyName"),
            security_group_ids=[] if self._nics else self._groups,
            nics=self._nics,
            private_ip=asked.get("PrivateIpAddress"),
            associate_public_ip=None,
            tags=self._tags,
            ebs_optimized=asked.get("EbsOptimized") or False,
            disable_api_stop=asked.get("DisableApiStop") or False,
            disable_api_termination=asked.get("DisableApiTermination") or False,
            instance_market_options="spot" if self.is_spot else {},
            instance_initiated_shutdown_behavior=asked.get("InstanceInitiatedShutdownBehavior"),
            hibernation_options=asked.get("HibernationOptions") or {},
            monitoring_state="enabled" if (asked.get("Monitoring") or {}).get("Enabled") else "disabled",
            metadata_options={
                **self._backend.metadata_defaults,
                **(asked.get("MetadataOptions") or {}),
            },
            client_token=asked.get("ClientToken") or "",
            **options,
        )
        for instance in reservation.instances:
            self._place.take(self._backend, instance)
            instance.cpu_options = dict(asked.get("CpuOptions") or {})
            instance.cpu_credits = (asked.get("CreditSpecification") or {}).get("CpuCredits") or ""
            if self._profile:
                self._backend.associate_iam_instance_profile(
                    instance_id=instance.id, iam_instance_profile_arn=self._profile
                )
        return reservation

    def _zone_asked(self) -> str | None:
        placement = self._asked.get("Placement") or {}
        zone, zone_id = placement.get("AvailabilityZone"), placement.get("AvailabilityZoneId")
        if not zone_id:
            return zone
        names = {known.zone_id: known.name for known in self._backend.describe_availability_zones()}
        if zone_id not in names or (zone and names[zone_id] != zone):
            raise ServiceError("InvalidParameterValue", f"Invalid availability zone-id: [{zone_id}]")
        return names[zone_id]

    def _free_zone(self) -> str | None:
        """Where it goes that names no subnet: where it was asked to, or where its placement group is."""
        return self._zone_asked() or self._place.zone(self._backend)

    def _checked_subnet(self) -> str:
        zone = self._zone_asked()
        if not (subnet_id := self._asked.get("SubnetId")):
            return self._backend.default_subnet_id(self._free_zone())
        subnet = self._backend.get_subnet(subnet_id)
        if zone and subnet.availability_zone != zone:
            raise ServiceError(
                "InvalidParameterValue",
                f"The availability zone '{zone}' is not the one of the subnet '{subnet_id}': "
                f"{subnet.availability_zone}.",
            )
        return subnet_id

    def _placed_nics(self) -> list[dict]:
        """Network interfaces as asked for, each in a subnet, the first with its groups."""
        nics = self._asked.get("NetworkInterfaces") or []
        if nics and (self._asked.get("SubnetId") or self._asked.get("SecurityGroupIds")):
            raise ServiceError(
                "InvalidParameterCombination",
                "Network interfaces and an instance-level subnet ID or security groups may not be specified "
                "on the same request",
            )
        placed = []
        for nic in nics:
            where = {}
            if nic.get("NetworkInterfaceId"):
                known = self._backend.get_network_interface(nic["NetworkInterfaceId"])
                if known.status == "in-use":
                    raise ServiceError("InvalidNetworkInterface.InUse", f"Interface: [{known.id}] in use.")
            elif nic.get("SubnetId"):
                self._check_groups(nic.get("Groups") or [], nic["SubnetId"])
            else:
                where = {"SubnetId": self._backend.default_subnet_id(self._free_zone())}
            placed.append({"DeviceIndex": 0, **nic, **where})
        return placed

    def _group_ids(self) -> list[str]:
        named = [
            self._backend.get_security_group_by_name_or_id(name).id
            for name in self._asked.get("SecurityGroups") or []
        ]
        if groups := [*named, *(self._asked.get("SecurityGroupIds") or [])]:
            self._check_groups(groups, self.subnet_id)
            return groups
        if self._nics or not self.subnet_id:
            return []
        vpc_id = self._backend.get_subnet(self.subnet_id).vpc_id
        default = self._backend.get_default_security_group(vpc_id)
        return [default.id] if default else []

    def _check_groups(self, groups: list[str], subnet_id: str) -> None:
        vpc_id = self._backend.get_subnet(subnet_id).vpc_id
        for group_id in groups:
            group = self._backend.get_security_group_from_id(group_id)
            if group is None:
                raise ServiceError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
            if group.vpc_id != vpc_id:
                raise ServiceError(
                    "InvalidParameter",
                    f"Security group {group_id} and subnet {subnet_id} belong to different networks.",
                )


def checked_user_data(given: Any) -> Base64EncodedString | None:
    if given in (None, ""):
        return None
    text = base64.b64encode(given).decode() if isinstance(given, bytes) else str(given)
    try:
        size = len(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        raise ServiceError("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from error
    if size > _USER_DATA_LIMIT:
        raise ServiceError("InvalidParameterValue", f"User data is limited to {_USER_DATA_LIMIT} bytes")
    return Base64EncodedString(text)


def check_image(backend: LocalEC2Backend, image_id: str) -> None:
    if not image_id:
        raise ServiceError("MissingParameter", "The request must contain the parameter ImageId")
    if not image_id.startswith("ami-"):
        raise ServiceError("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
    image = backend.amis.get(image_id)
    if image is None:
        raise ServiceError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    if image.state != "available":
        raise ServiceError(
            "InvalidAMIID.Unavailable", f"The image ID '{image_id}' is not available: it is {image.state}"
        )


def check_type_and_key(backend: LocalEC2Backend, instance_type: str, key_name: str | None) -> None:
    type_of(instance_type)
    if key_name:
        backend.describe_key_pairs(key_names=[key_name])


def check_architecture(backend: LocalEC2Backend, image_id: str, instance_type: str) -> None:
    wanted, offered = backend.amis[image_id].architecture or "x86_64", architectures(instance_type)
    if wanted not in offered:
        raise ServiceError(
            "InvalidParameterValue",
            f"The architecture '{','.join(offered)}' of the specified instance type does not match the "
            f"architecture '{wanted}' of the specified AMI. Specify an instance type and an AMI that have "
            "matching architectures, and try again. You can use 'describe-instance-types' or "
            "'describe-images' to discover the architecture of the instance type or AMI.",
        )


def profile_arn(backend: LocalEC2Backend, name: str | None, arn: str | None) -> str | None:
    """The ARN of an instance profile that there is."""
    if not (name or arn):
        return None
    try:
        return filter_iam_instance_profiles(
            backend.account_id,
            partition=backend.partition,
            iam_instance_profile_arn=arn,
            iam_instance_profile_name=name,
        ).arn
    except ServiceException as error:
        parameter = "iamInstanceProfile.arn" if arn else "iamInstanceProfile.name"
        raise ServiceError(
            "InvalidParameterValue",
            f"Value ({arn or name}) for parameter {parameter} is invalid. Invalid IAM Instance Profile.",
        ) from error
