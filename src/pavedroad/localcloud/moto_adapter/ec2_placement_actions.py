# pyright: basic, reportAttributeAccessIssue=false
"""The calls that make, show and delete placement groups, and that move a stopped instance between them."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.responses import EC2Response
from moto.ec2.utils import convert_tag_spec

from pavedroad.localcloud.api.ec2.placement import PlacementGroup
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_placement import (
    delete_group,
    group_named,
    make_group,
    place_asked,
)


class PlacementActions(EC2Response):
    """The part of our EC2 response that is about placement."""

    ec2_backend: LocalEC2Backend

    def create_placement_group(self) -> ActionResult:
        backend, name = self.ec2_backend, self._get_param("GroupName") or ""
        if not name:
            raise ServiceError("MissingParameter", "The request must contain the parameter GroupName")
        if len(name) > 255 or not name.isascii():
            raise ServiceError(
                "InvalidParameterValue", f"Value ({name[:200]}) for parameter groupName is invalid."
            )
        strategy = self._get_param("Strategy") or "cluster"
        if strategy == "precision-time" or self._get_param("ParentGroupId"):
            raise ServiceError(
                "UnsupportedOperation", "Precision time and parents of placement groups are not available."
            )
        partitions = self._get_param("PartitionCount")
        group = make_group(
            backend,
            name,
            strategy,
            None if partitions is None else int(partitions),
            self._get_param("SpreadLevel"),
        )
        tags = convert_tag_spec(self._get_param("TagSpecifications") or []).get("placement-group", {})
        backend.tags[group.id].update(tags)
        return ActionResult({"PlacementGroup": self._shown(group)})

    def describe_placement_groups(self) -> ActionResult:
        backend = self.ec2_backend
        names, ids = self._get_param("GroupNames") or [], self._get_param("GroupIds") or []
        found = [group_named(backend, name=name) for name in names]
        found += [group_named(backend, group_id=group_id) for group_id in ids]
        every = found if names or ids else list(backend.placement_groups.values())
        return ActionResult({"PlacementGroups": [self._shown(group) for group in dict.fromkeys(every)]})

    def delete_placement_group(self) -> ActionResult:
        delete_group(self.ec2_backend, self._get_param("GroupName") or "")
        return EmptyResult()

    def modify_instance_placement(self) -> ActionResult:
        """What is not named stays; an empty group name takes the instance out of its group."""
        backend = self.ec2_backend
        one = backend.get_instance(self._get_param("InstanceId"))
        known = (
            "Affinity",
            "GroupId",
            "GroupName",
            "HostId",
            "HostResourceGroupArn",
            "PartitionNumber",
            "Tenancy",
        )
        asked = {name: value for name in known if (value := self._get_param(name)) is not None}
        if not asked:
            raise ServiceError("InvalidParameterCombination", "No attributes specified.")
        if asked.get("GroupName") is None and "GroupId" not in asked and one.placement_group:
            asked["GroupId"] = one.placement_group.id
        place = place_asked(backend, asked, one.instance_type)
        if one.life.state != "stopped":
            raise ServiceError(
                "IncorrectInstanceState", f"The instance '{one.id}' is not in the 'stopped' state."
            )
        place.room(backend, one.availability_zone or "", 1)
        place.take(backend, one)
        return ActionResult({"Return": True})

    def _shown(self, group: PlacementGroup) -> dict[str, Any]:
        backend = self.ec2_backend
        tags = backend.tags.get(group.id) or {}
        owned = f"arn:aws:ec2:{backend.region_name}:{backend.account_id}"
        return {
            "GroupName": group.name,
            "State": "available",
            "Strategy": group.strategy,
            "PartitionCount": group.partitions,
            "GroupId": group.id,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            "GroupArn": f"{owned}:placement-group/{group.name}",
            "SpreadLevel": group.spread_level,
        }
