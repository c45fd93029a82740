# pyright: basic, reportAttributeAccessIssue=false, reportReturnType=false
"""What is changed of instances, images and interfaces after they are made."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.responses import EC2Response
from moto.ec2.utils import convert_tag_spec

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance
from pavedroad.localcloud.moto_adapter.ec2_launch import (
    check_architecture,
    check_type_and_key,
    checked_user_data,
)
from pavedroad.localcloud.moto_adapter.ec2_metadata_options import check_metadata_options, check_shown_tags
from pavedroad.localcloud.moto_adapter.ec2_register import check_name, refuse_duplicate
from pavedroad.localcloud.regions import REGIONS

_FLAGS = {
    "DisableApiTermination": "disable_api_termination",
    "DisableApiStop": "disable_api_stop",
    "SourceDestCheck": "source_dest_check",
    "EbsOptimized": "ebs_optimized",
}
_WHEN_STOPPED = {"InstanceType", "UserData", "EbsOptimized", "Kernel", "Ramdisk"}
_ATTRIBUTES = (
    *_FLAGS,
    "InstanceType",
    "UserData",
    "InstanceInitiatedShutdownBehavior",
    "Groups",
    "BlockDeviceMappings",
    "Kernel",
    "Ramdisk",
    "EnaSupport",
    "SriovNetSupport",
)
_DEFAULTS = ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags")
_NO_PREFERENCE = ("no-preference", -1)


class Attributes(EC2Response):
    """The part of our EC2 response that changes what there is."""

    ec2_backend: LocalEC2Backend

    def modify_instance_attribute(self) -> ActionResult:
        one = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        name, value = self._attribute()
        if name in _WHEN_STOPPED and one.life.state != "stopped":
            raise ServiceError(
                "IncorrectInstanceState", f"The instance '{one.id}' is not in the 'stopped' state."
            )
        self._set(one, name, value)
        return EmptyResult()

    def _attribute(self) -> tuple[str, Any]:
        """The one attribute that is changed: by its own parameter, or by `Attribute` and `Value`."""
        given = {name: self._get_param(name) for name in _ATTRIBUTES if self._get_param(name) is not None}
        if named := str(self._get_param("Attribute") or ""):
            own: str = {"groupSet": "Groups", "blockDeviceMapping": "BlockDeviceMappings"}.get(
                named, named[0].upper() + named[1:]
            )
            if own not in ("Groups", "BlockDeviceMappings"):
                given[own] = {"Value": self._get_param("Value")}
        if not given:
            raise ServiceError("InvalidParameterCombination", "No attributes specified.")
        if len(given) > 1:
            raise ServiceError("InvalidParameterCombination", "Fields for multiple attribute types specified")
        name, value = next(iter(given.items()))
        return name, value.get("Value") if isinstance(value, dict) else value

    def _set(self, one: LocalInstance, name: str, value: Any) -> None:
        if name in _FLAGS:
            setattr(one, _FLAGS[name], str(value).lower() == "true")
        elif name == "InstanceType":
            check_type_and_key(self.ec2_backend, value or "", None)
            if one.image_id in self.ec2_backend.amis:
                check_architecture(self.ec2_backend, one.image_id, value)
            one.instance_type = value
        elif name == "UserData":
            one.user_data = checked_user_data(value)
        elif name == "InstanceInitiatedShutdownBehavior":
            if value not in ("stop", "terminate"):
                raise ServiceError(
                    "InvalidParameterValue",
                    f"Value ({value}) for parameter instanceInitiatedShutdownBehavior is invalid.",
                )
            one.instance_initiated_shutdown_behavior = value
        elif name == "Groups":
            self._set_groups(one, value)
        elif name == "BlockDeviceMappings":
            self._set_devices(one, value)
        else:
            raise ServiceError(
                "UnsupportedOperation",
                f"The attribute '{name}' of instances of this cloud cannot be changed.",
            )

    def _set_groups(self, one: LocalInstance, group_ids: list[str]) -> None:
        groups = []
        for group_id in group_ids:
            group = self.ec2_backend.get_security_group_from_id(group_id)
            if group is None:
                raise ServiceError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
            if group.vpc_id != one.vpc_id:
                raise ServiceError(
                    "InvalidParameter",
                    f"Security group {group_id} and interface {one.nics[0].id} belong to different networks.",
                )
            groups.append(group)
        if not groups:
            raise ServiceError("InvalidParameterValue", "An instance must have at least one security group.")
        one.security_groups = groups
        one.nics[0]._group_set = groups

    @staticmethod
    def _set_devices(one: LocalInstance, mappings: list[dict[str, Any]]) -> None:
        for mapping in mappings:
            name = mapping.get("DeviceName")
            device = one.block_device_mapping.get(name)
            if device is None:
                raise ServiceError(
                    "InvalidInstanceAttributeValue", f"No device is currently mapped at {name}"
                )
            ends = (mapping.get("Ebs") or {}).get("DeleteOnTermination")
            if ends is not None:
                device.delete_on_termination = ends

    def create_tags(self) -> ActionResult:
        keys = [str(tag.get("Key") or "") for tag in self._get_param("Tags") or []]
        for resource_id in self._get_param("Resources") or []:
            one = self.ec2_backend.by_id.get(resource_id)
            if one is not None and one.metadata_options.instance_metadata_tags == "enabled":
                check_shown_tags(keys)
        return super().create_tags()

    def monitor_instances(self) -> ActionResult:
        return self._monitor("enabled", "pending")

    def unmonitor_instances(self) -> ActionResult:
        return self._monitor("disabled", "disabling")

    def _monitor(self, state: str, shown: str) -> ActionResult:
        found = self.ec2_backend.get_multi_instances_by_id(self._get_param("InstanceIds") or [])
        for one in found:
            one.monitoring_state = state
        told = [{"InstanceId": one.id, "Monitoring": {"State": shown}} for one in found]
        return ActionResult({"InstanceMonitorings": told})

    def get_instance_metadata_defaults(self) -> ActionResult:
        return ActionResult({"AccountLevel": {**self.ec2_backend.metadata_defaults, "ManagedBy": "account"}})

    def modify_instance_metadata_defaults(self) -> ActionResult:
        asked = {name: self._get_param(name) for name in _DEFAULTS}
        check_metadata_options({k: v for k, v in asked.items() if v not in _NO_PREFERENCE}, ())
        for name in _DEFAULTS:
            value = self._get_param(name)
            if value in _NO_PREFERENCE:
                self.ec2_backend.metadata_defaults.pop(name, None)
            elif value is not None:
                self.ec2_backend.metadata_defaults[name] = value
        return ActionResult({"Return": True})

    def copy_image(self) -> ActionResult:
        region, name = self._get_param("SourceRegion"), self._get_param("Name") or ""
        if region not in REGIONS:
            raise ServiceError(
                "InvalidParameterValue", f"Value ({region}) for parameter sourceRegion is invalid."
            )
        check_name(name)
        source = ec2_backend.backend(self.current_account, region)
        source_id = self._get_param("SourceImageId")
        known = source.amis.get(source_id)
        if known is None:
            raise ServiceError("InvalidAMIID.NotFound", f"The image id '[{source_id}]' does not exist")
        if known.state != "available":
            raise ServiceError("InvalidRequest", f"Image {source_id} is not available: it is {known.state}.")
        refuse_duplicate(self.ec2_backend, name)
        image = self.ec2_backend.copy_image(source_id, region, name, self._get_param("Description"))
        tags = convert_tag_spec(self._get_param("TagSpecifications") or []).get("image", {})
        copied = dict(source.tags.get(source_id, {})) if self._get_param("CopyImageTags") else {}
        image.add_tags({**copied, **tags})
        return ActionResult({"ImageId": image.id})

    def modify_image_attribute(self) -> ActionResult:
        image_id = self._get_param("ImageId")
        image = self.ec2_backend.amis.get(image_id)
        if image is None:
            raise ServiceError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
        if image.owner_id != self.current_account:
            raise ServiceError("AuthFailure", f"Not authorized for image:{image_id}", 403)
        described = self._get_param("Description.Value")
        if described is None and self._get_param("Attribute") == "description":
            described = self._get_param("Value")
        if described is not None:
            image.description = described
            return EmptyResult()
        return super().modify_image_attribute()
