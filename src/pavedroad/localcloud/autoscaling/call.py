"""A call of an operation, and what operations ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pavedroad.localcloud.autoscaling.hooks.messages import Notices
from pavedroad.localcloud.autoscaling.model import Group, Member, Region
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Balancers, Compute, Metrics, Queues, Topics

Result = dict[str, Any] | None
Operation = Callable[["Call"], Result]


@dataclass(frozen=True, slots=True)
class Call:
    """`parameters` have AWS's names and have passed the model's constraints."""

    region: Region
    compute: Compute
    balancers: Balancers
    metrics: Metrics
    topics: Topics
    parameters: Mapping[str, Any]
    now: datetime
    queues: Queues

    @property
    def notices(self) -> Notices:
        return Notices(self.region.account, self.topics, self.queues)

    def get(self, name: str, default: Any = None) -> Any:
        value = self.parameters.get(name)
        return default if value is None else value

    def texts(self, name: str) -> Sequence[str]:
        """A list parameter; empty where it was not given."""
        return self.parameters.get(name) or ()

    def entries(self, name: str) -> Sequence[Mapping[str, Any]]:
        """A parameter that is a list of structures."""
        return self.parameters.get(name) or ()

    def group(self) -> Group:
        """The group that AutoScalingGroupName names."""
        return find_group(self.region, self.parameters["AutoScalingGroupName"])

    def changeable_group(self) -> Group:
        """The same, but not one that is on its way out."""
        group = self.group()
        if group.deleting:
            raise refused(f"AutoScalingGroup '{group.name}' is pending delete.")
        return group

    def members(self, group: Group) -> list[Member]:
        """Those that InstanceIds names; every one must be in the group."""
        return [member_of(group, instance_id) for instance_id in dict.fromkeys(self.texts("InstanceIds"))]


def refused(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def find_group(region: Region, name: str) -> Group:
    group = region.groups.get(name)
    if group is None:
        raise refused(f"AutoScalingGroup name not found - AutoScalingGroup: {name} not found")
    return group


def member_of(group: Group, instance_id: str) -> Member:
    member = group.members.get(instance_id)
    if member is None:
        raise refused(f"The instance {instance_id} is not part of Auto Scaling group {group.name}.")
    return member


def find_member(region: Region, instance_id: str) -> tuple[Group, Member]:
    """An instance of whichever group."""
    for group in region.groups.values():
        if instance_id in group.members:
            return group, group.members[instance_id]
    raise refused(f"Instance Id not found - No managed instance found for instance ID {instance_id}")
