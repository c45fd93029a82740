# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false, reportOptionalMemberAccess=false
"""RunInstances: the launch template under the request, every name checked, all of MinCount or nothing."""

from __future__ import annotations

import hashlib
import json

from moto.core.exceptions import ServiceException
from moto.core.types import Base64EncodedString
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Reservation
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import convert_tag_spec, filter_iam_instance_profiles, parse_user_data

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend

INSTANCE_LIMIT = 2000
"""Instances that are not terminated, an account and region."""
_USER_DATA_LIMIT = 16384


class Launch(InstanceResponse, EC2BaseResponse):
    """The part of our EC2 response that starts instances."""

    ec2_backend: LocalEC2Backend

    def launch(self) -> Reservation:
        fingerprint = self._fingerprint()
        token = self._get_param("ClientToken") or ""
        if token and (made := self.ec2_backend.client_tokens.get(token)):
            if made[0] != fingerprint:
                raise ServiceError(
                    "IdempotentParameterMismatch",
                    "The request uses the same client token as a previous, but non-identical request.",
                )
            return self.ec2_backend.reservations[made[1]]
        template_tags = self._merge_template()
        reservation = self._run(template_tags)
        if token:
            self.ec2_backend.client_tokens[token] = (fingerprint, reservation.id)
        return reservation

    def _fingerprint(self) -> str:
        asked = json.dumps(self.params, sort_keys=True, default=str)
        return hashlib.sha256(asked.encode()).hexdigest()

    def _merge_template(self) -> dict[str, str]:
        """Lay the request over its launch template; gives the tags that EC2 adds for it."""
        named = self._get_param("LaunchTemplate")
        if not named:
            return {}
        version = self.ec2_backend.launch_template_version(
            named.get("LaunchTemplateId"), named.get("LaunchTemplateName"), named.get("Version", "$Default")
        )
        merged = {**{k: v for k, v in version.data.items() if v is not None}, **self.params}
        tags = convert_tag_spec(version.data.get("TagSpecifications") or [])
        for kind, pairs in convert_tag_spec(self.params.get("TagSpecifications") or []).items():
            tags[kind] = {**tags.get(kind, {}), **pairs}
        merged["TagSpecifications"] = [
            {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in pairs.items()]}
            for kind, pairs in tags.items()
            if pairs
        ]
        self.params = merged
        return {
            "aws:ec2launchtemplate:id": version.template.id,
            "aws:ec2launchtemplate:version": str(version.number),
        }

    def _run(self, template_tags: dict[str, str]) -> Reservation:
        image_id = self._get_param("ImageId") or ""
        check_image(self.ec2_backend, image_id)
        user_data = self._checked_user_data()
        instance_type = self._get_param("InstanceType") or "m1.small"
        key_name = self._get_param("KeyName")
        check_type_and_key(self.ec2_backend, instance_type, key_name)
        nics = self._placed_nics()
        subnet_id = None if nics else self._checked_subnet()
        profile = self._profile()
        groups = [] if nics else self._group_ids(subnet_id)
        tags = self._parse_tag_specification()
        tags["instance"] = {**tags.get("instance", {}), **template_tags}
        mappings = self._parse_block_device_mapping()
        options = {"block_device_mappings": mappings} if mappings else {}
        count = self._count()
        self.error_on_dryrun()
        reservation = self.ec2_backend.run_instances(
            image_id,
            count,
            user_data,
            [],
            instance_type=instance_type,
            is_instance_type_default=False,
            placement=None,
            region_name=self.region,
            subnet_id=subnet_id,
            key_name=key_name,
            security_group_ids=groups,
            nics=nics,
            private_ip=self._get_param("PrivateIpAddress"),
            associate_public_ip=None,
            tags=tags,
            ebs_optimized=self._get_param("EbsOptimized") or False,
            disable_api_stop=self._get_param("DisableApiStop") or False,
            disable_api_termination=self._get_param("DisableApiTermination") or False,
            instance_market_options=self._get_param("InstanceMarketOptions.MarketType", {}),
            instance_initiated_shutdown_behavior=self._get_param("InstanceInitiatedShutdownBehavior"),
            hibernation_options=self._get_param("HibernationOptions", {}),
            monitoring_state="enabled" if self._get_param("Monitoring.Enabled") else "disabled",
            metadata_options=self._get_param("MetadataOptions", {}),
            client_token=self._get_param("ClientToken") or "",
            **options,
        )
        for instance in reservation.instances if profile else ():
            self.ec2_backend.associate_iam_instance_profile(
                instance_id=instance.id, iam_instance_profile_arn=profile
            )
        return reservation

    def _checked_user_data(self) -> Base64EncodedString | None:
        given = self._get_param("UserData")
        user_data = given if isinstance(given, Base64EncodedString) else parse_user_data(given)
        if user_data is not None and len(str(user_data)) > _USER_DATA_LIMIT * 4 / 3 + 4:
            raise ServiceError("InvalidParameterValue", f"User data is limited to {_USER_DATA_LIMIT} bytes")
        return user_data

    def _checked_subnet(self) -> str:
        zone = self._get_param("Placement.AvailabilityZone")
        if not (subnet_id := self._get_param("SubnetId")):
            return self.ec2_backend.default_subnet_id(zone)
        subnet = self.ec2_backend.get_subnet(subnet_id)
        if zone and subnet.availability_zone != zone:
            raise ServiceError(
                "InvalidParameterValue",
                f"The availability zone '{zone}' is not the one of the subnet '{subnet_id}': "
                f"{subnet.availability_zone}.",
            )
        return subnet_id

    def _placed_nics(self) -> list[dict]:
        """Network interfaces as asked for, each in a subnet, the first with its groups."""
        nics = self._get_param("NetworkInterfaces", [])
        if nics and (self._get_param("SubnetId") or self._get_param("SecurityGroupIds")):
            raise ServiceError(
                "InvalidParameterCombination",
                "Network interfaces and an instance-level subnet ID or security groups may not be specified "
                "on the same request",
            )
        placed = []
        for nic in nics:
            place = (
                {}
                if nic.get("NetworkInterfaceId") or nic.get("SubnetId")
                else {
                    "SubnetId": self.ec2_backend.default_subnet_id(
                        self._get_param("Placement.AvailabilityZone")
                    )
                }
            )
            placed.append({"DeviceIndex": 0, **nic, **place})
        return placed

    def _group_ids(self, subnet_id) -> list[str]:
        named = [
            self.ec2_backend.get_security_group_by_name_or_id(name).id
            for name in self._get_param("SecurityGroups", [])
        ]
        if groups := [*named, *self._get_param("SecurityGroupIds", [])]:
            return groups
        vpc_id = self.ec2_backend.get_subnet(subnet_id).vpc_id
        default = self.ec2_backend.get_default_security_group(vpc_id)
        return [default.id] if default else []

    def _profile(self) -> str | None:
        name, arn = self._get_param("IamInstanceProfile.Name"), self._get_param("IamInstanceProfile.Arn")
        return profile_arn(self.ec2_backend, name, arn)

    def _count(self) -> int:
        low, high = self._get_int_param("MinCount", 1), self._get_int_param("MaxCount", 1)
        if low < 1 or high < low:
            raise ServiceError(
                "InvalidParameterValue",
                f"The instance counts are not valid: MinCount {low}, MaxCount {high}.",
            )
        return min(high, room_for(self.ec2_backend, low))


def check_image(backend: LocalEC2Backend, image_id: str) -> None:
    if not image_id:
        raise ServiceError("MissingParameter", "The request must contain the parameter ImageId")
    if not image_id.startswith("ami-"):
        raise ServiceError("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
    image = backend.amis.get(image_id)
    if image is None:
        raise ServiceError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    if image.state != "available":
        raise ServiceError("InvalidAMIID.Unavailable", f"The image id '[{image_id}]' is {image.state}")


def check_type_and_key(backend: LocalEC2Backend, instance_type: str, key_name: str | None) -> None:
    if instance_type not in INSTANCE_TYPES:
        raise ServiceError("InvalidParameterValue", f"Invalid value '{instance_type}' for InstanceType.")
    if key_name:
        backend.describe_key_pairs(key_names=[key_name])


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


def room_for(backend: LocalEC2Backend, low: int) -> int:
    """How many more instances the account may have, at least `low`."""
    alive = sum(one.life.state != "terminated" for one in backend.by_id.values())
    room = INSTANCE_LIMIT - alive
    if room < low:
        raise ServiceError(
            "InstanceLimitExceeded",
            f"You have requested more instances ({alive + low}) than your current instance limit of "
            f"{INSTANCE_LIMIT} allows.",
        )
    return room
