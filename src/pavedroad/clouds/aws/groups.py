"""Server groups: an Auto Scaling group with a launch template of its own, of the same name."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pavedroad.clouds.aws import network
from pavedroad.clouds.aws import tags as tagging
from pavedroad.clouds.aws.errors import code_of, is_missing
from pavedroad.clouds.aws.link import Link
from pavedroad.clouds.model import Activity, Member, ServerGroup, ServerGroupSpec
from pavedroad.clouds.ownership import check_known, is_known
from pavedroad.core.errors import CloudFailed, NotFound

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef, FilterTypeDef
    from mypy_boto3_ec2.type_defs import LaunchTemplateTypeDef

_TEMPLATE_EXISTS = "InvalidLaunchTemplateName.AlreadyExistsException"
_MOST_ACTIVITIES = 100


class AwsServerGroups:
    """The `ServerGroups` part of the cloud port."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._templates: dict[str, tuple[str, str]] = {}

    async def zones(self) -> list[str]:
        return await self._link.run(lambda: network.zones(self._link))

    async def create_server_group(self, spec: ServerGroupSpec) -> None:
        await self._link.run(lambda: self._create_group(spec))

    async def server_group(self, name: str) -> ServerGroup:
        return await self._link.run(lambda: self._read_group(self._described_group(name)))

    async def server_groups(self, tags: Mapping[str, str] | None = None) -> list[ServerGroup]:
        def find() -> list[ServerGroup]:
            filters: list[FilterTypeDef] = [
                {"Name": f"tag:{key}", "Values": [text]} for key, text in (tags or {}).items()
            ]
            pages = self._link.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
                Filters=filters
            )
            found = [self._read_group(group) for page in pages for group in page["AutoScalingGroups"]]
            return sorted(found, key=lambda group: group.name)

        return await self._link.run(find)

    async def resize_server_group(self, name: str, *, minimum: int, maximum: int, desired: int) -> None:
        await self._link.run(
            lambda: self._link.autoscaling.update_auto_scaling_group(
                AutoScalingGroupName=name, MinSize=minimum, MaxSize=maximum, DesiredCapacity=desired
            )
        )

    async def in_the_way(self, name: str) -> list[dict[str, str]]:
        def find() -> list[dict[str, str]]:
            found = [_tags_of(group)] if (group := self._find_group(name)) is not None else []
            template = self._find_template(name)
            return [*found, _tags_of(template)] if template is not None else found

        return await self._link.run(find)

    async def delete_server_group(self, name: str, *, known_by: Mapping[str, str]) -> None:
        def delete() -> None:
            group, template = self._find_group(name), self._find_template(name)
            if group is not None and is_known(_tags_of(group), known_by):
                self._delete_group(name)
            if template is not None and is_known(_tags_of(template), known_by):
                self._delete_template(template.get("LaunchTemplateId", ""))

        await self._link.run(delete)

    async def activities(self, name: str) -> list[Activity]:
        def describe() -> list[Activity]:
            answer = self._link.autoscaling.describe_scaling_activities(
                AutoScalingGroupName=name, MaxRecords=_MOST_ACTIVITIES
            )
            return [
                Activity(
                    id=activity["ActivityId"],
                    status=activity["StatusCode"],
                    cause=activity["Cause"],
                    description=activity.get("Description", ""),
                    message=activity.get("StatusMessage", ""),
                    started_at=activity["StartTime"],
                )
                for activity in answer["Activities"]
            ]

        return await self._link.run(describe)

    def _create_group(self, spec: ServerGroupSpec) -> None:
        template = self._find_template(spec.name)
        if template is not None:
            check_known("launch template", spec.name, _tags_of(template), spec.known_by)
        if self._is_there(spec):
            return
        subnets = network.default_subnets(self._link, spec.zones or network.zones(self._link))
        if template is None:
            template = self._create_template(spec)
        try:
            self._link.autoscaling.create_auto_scaling_group(
                AutoScalingGroupName=spec.name,
                LaunchTemplate={
                    "LaunchTemplateId": template.get("LaunchTemplateId", ""),
                    "Version": "$Default",
                },
                MinSize=spec.minimum,
                MaxSize=spec.maximum,
                DesiredCapacity=spec.desired,
                VPCZoneIdentifier=",".join(subnets),
                TargetGroupARNs=list(spec.target_group_ids),
                HealthCheckType="ELB",
                HealthCheckGracePeriod=spec.health_grace_seconds,
                Tags=[
                    {"Key": key, "Value": text, "PropagateAtLaunch": True} for key, text in spec.tags.items()
                ],
            )
        except ClientError as error:
            if code_of(error) != "AlreadyExists" or not self._is_there(spec):
                raise

    def _is_there(self, spec: ServerGroupSpec) -> bool:
        """Whether it is made already; a stranger's group of this name is refused."""
        group = self._find_group(spec.name)
        if group is None:
            return False
        if group.get("Status"):
            raise CloudFailed(
                f"A server group named {spec.name} is still being deleted.", aws_code="AlreadyExists"
            )
        check_known("server group", spec.name, _tags_of(group), spec.known_by)
        return True

    def _create_template(self, spec: ServerGroupSpec) -> LaunchTemplateTypeDef:
        try:
            made = self._link.ec2.create_launch_template(
                LaunchTemplateName=spec.name,
                LaunchTemplateData={
                    "ImageId": spec.image_id,
                    "InstanceType": spec.instance_type,  # pyright: ignore[reportArgumentType] - any of AWS's
                    "UserData": base64.b64encode(spec.user_data.encode()).decode(),
                },
                **tagging.given_to("launch-template", spec.tags),
            )
        except ClientError as error:
            if code_of(error) != _TEMPLATE_EXISTS or (template := self._find_template(spec.name)) is None:
                raise
            check_known("launch template", spec.name, _tags_of(template), spec.known_by)
            return template
        return made["LaunchTemplate"]

    def _delete_group(self, name: str) -> None:
        try:
            self._link.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        except ClientError as error:
            if not is_missing(error):
                raise

    def _delete_template(self, template_id: str) -> None:
        try:
            self._link.ec2.delete_launch_template(LaunchTemplateId=template_id)
        except ClientError as error:
            if not is_missing(error):
                raise

    def _find_template(self, name: str) -> LaunchTemplateTypeDef | None:
        try:
            found = self._link.ec2.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return found[0] if found else None

    def _find_group(self, name: str) -> AutoScalingGroupTypeDef | None:
        answer = self._link.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return next(iter(answer["AutoScalingGroups"]), None)

    def _described_group(self, name: str) -> AutoScalingGroupTypeDef:
        found = self._find_group(name)
        if found is None:
            raise NotFound(f"There is no server group {name} in {self._link.region}.")
        return found

    def _read_group(self, group: AutoScalingGroupTypeDef) -> ServerGroup:
        template = group.get("LaunchTemplate", {}).get("LaunchTemplateId", "")
        image_id, instance_type = self._launches(template)
        return ServerGroup(
            name=group["AutoScalingGroupName"],
            image_id=image_id,
            instance_type=instance_type,
            zones=tuple(group["AvailabilityZones"]),
            minimum=group["MinSize"],
            maximum=group["MaxSize"],
            desired=group["DesiredCapacity"],
            target_group_ids=tuple(group.get("TargetGroupARNs", [])),
            members=tuple(
                Member(
                    instance_id=member["InstanceId"],
                    zone=member["AvailabilityZone"],
                    lifecycle=member["LifecycleState"],
                    health=member["HealthStatus"],
                )
                for member in group.get("Instances", [])
            ),
            suspended=tuple(
                process.get("ProcessName", "") for process in group.get("SuspendedProcesses", [])
            ),
            created_at=group["CreatedTime"],
            deleting=bool(group.get("Status")),
            tags=tagging.read(group.get("Tags", [])),
        )

    def _launches(self, template_id: str) -> tuple[str, str]:
        """Image and instance type of a launch template, asked once: ours never change. Gone: empty."""
        if not template_id:
            return "", ""
        if template_id not in self._templates:
            try:
                answer = self._link.ec2.describe_launch_template_versions(
                    LaunchTemplateId=template_id, Versions=["$Default"]
                )
            except ClientError as error:
                if is_missing(error):
                    return "", ""
                raise
            if not answer["LaunchTemplateVersions"]:
                return "", ""
            data = answer["LaunchTemplateVersions"][0].get("LaunchTemplateData", {})
            self._templates[template_id] = (data.get("ImageId", ""), data.get("InstanceType", ""))
        return self._templates[template_id]


def _tags_of(thing: AutoScalingGroupTypeDef | LaunchTemplateTypeDef) -> dict[str, str]:
    return tagging.read(thing.get("Tags", []))
