# pyright: basic
"""Placement groups: what each strategy allows of the instances in one.

All of this cloud share one machine: AWS's rules hold here, the distance between machines cannot.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

from pavedroad.localcloud.api.ec2.placement import PlacementGroup
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend
from pavedroad.localcloud.moto_adapter.ec2_instances import LocalInstance

_MOST_GROUPS = 500
_MOST_SPREAD = 7
_MOST_PARTITIONS = 7
_PARTITIONS = 2
_NOT_OFFERED = ("HostId", "HostResourceGroupArn", "SpreadDomain", "Affinity")


@dataclass(frozen=True, slots=True)
class Place:
    """The group that a launch goes to, or none, and the partition that it names."""

    group: PlacementGroup | None = None
    partition: int | None = None

    def zone(self, backend: LocalEC2Backend) -> str | None:
        """The one that the group is bound to, by those who are there already."""
        if self.group is None or self.group.strategy != "cluster":
            return None
        return next((one.availability_zone for one in _running(backend, self.group)), None)

    def room(self, backend: LocalEC2Backend, zone: str, wanted: int) -> int:
        """For how many there is room in the zone; AWS's errors where that is fewer than `wanted`."""
        group = self.group
        if group is None:
            return 1_000_000
        if group.strategy == "cluster" and (bound := self.zone(backend)) not in (None, zone):
            raise ServiceError(
                "InvalidPlacementGroup.InUse",
                f"The placement group '{group.name}' is in use in another availability zone: {bound}",
            )
        if group.strategy != "spread":
            return 1_000_000
        room = _MOST_SPREAD - sum(one.availability_zone == zone for one in _running(backend, group))
        if room < wanted:
            raise ServiceError(
                "InsufficientInstanceCapacity",
                f"We currently do not have sufficient capacity to launch {wanted} more in the spread "
                f"placement group '{group.name}' in the Availability Zone you requested ({zone}): a group "
                f"has at most {_MOST_SPREAD} running instances per zone.",
            )
        return room

    def take(self, backend: LocalEC2Backend, one: LocalInstance) -> None:
        """Put an instance there."""
        group = self.group
        one.partition_number = None
        if group is not None and group.strategy == "partition":
            one.partition_number = self.partition or _emptiest(backend, group, one)
        one.placement_group = group


def place_asked(backend: LocalEC2Backend, placement: Mapping[str, Any], instance_type: str) -> Place:
    """What a launch's `Placement` comes to; refused where it is more than there is."""
    tenancy = placement.get("Tenancy") or "default"
    if tenancy != "default":
        raise ServiceError(
            "UnsupportedOperation",
            f"The tenancy '{tenancy}' is not available: all instances of this cloud share one machine.",
        )
    for name in _NOT_OFFERED:
        if placement.get(name) not in (None, "", "default"):
            raise ServiceError(
                "UnsupportedOperation",
                f"The placement's {name} is not available: there are no dedicated hosts.",
            )
    name, group_id = placement.get("GroupName"), placement.get("GroupId")
    if name and group_id:
        raise ServiceError(
            "InvalidParameterCombination",
            "The parameters GroupName and GroupId may not be specified together.",
        )
    partition = int(placement["PartitionNumber"]) if placement.get("PartitionNumber") is not None else None
    if not (name or group_id):
        if partition is not None:
            raise _partition_without_partitions()
        return Place()
    group = group_named(backend, name=name, group_id=group_id)
    _check_strategy(group, instance_type)
    if partition is not None:
        _check_partition(group, partition)
    return Place(group, partition)


def group_named(
    backend: LocalEC2Backend, *, name: str | None = None, group_id: str | None = None
) -> PlacementGroup:
    for group in backend.placement_groups.values():
        if group.name == name or group.id == group_id:
            return group
    raise ServiceError(
        "InvalidPlacementGroup.Unknown", f"The Placement Group '{name or group_id}' is unknown."
    )


def make_group(
    backend: LocalEC2Backend, name: str, strategy: str, partitions: int | None, spread_level: str | None
) -> PlacementGroup:
    if any(group.name == name for group in backend.placement_groups.values()):
        raise ServiceError("InvalidPlacementGroup.Duplicate", f"The placement group '{name}' already exists.")
    if len(backend.placement_groups) >= _MOST_GROUPS:
        raise ServiceError(
            "PlacementGroupLimitExceeded",
            f"You have reached the limit of {_MOST_GROUPS} placement groups of an account in a region.",
        )
    if partitions is not None and strategy != "partition":
        raise ServiceError(
            "InvalidParameterCombination", "The partition count is of placement groups with partitions only."
        )
    if partitions is not None and not 1 <= partitions <= _MOST_PARTITIONS:
        raise ServiceError(
            "InvalidParameterValue",
            f"Value ({partitions}) for parameter partitionCount is invalid. It may be from 1 to "
            f"{_MOST_PARTITIONS}.",
        )
    if spread_level is not None and strategy != "spread":
        raise ServiceError(
            "InvalidParameterCombination", "The spread level is of spread placement groups only."
        )
    if spread_level == "host":
        raise ServiceError(
            "UnsupportedOperation", "The spread level 'host' is of placement groups on Outposts only."
        )
    group = PlacementGroup(
        id=f"pg-{uuid.uuid4().hex[:17]}",
        name=name,
        strategy=strategy,
        partitions=(partitions or _PARTITIONS) if strategy == "partition" else None,
        spread_level="rack" if strategy == "spread" else None,
    )
    backend.placement_groups[group.id] = group
    return group


def delete_group(backend: LocalEC2Backend, name: str) -> None:
    group = group_named(backend, name=name)
    if any(_members(backend, group)):
        raise ServiceError(
            "InvalidPlacementGroup.InUse", f"The placement group '{name}' is in use and may not be deleted."
        )
    del backend.placement_groups[group.id]
    backend.tags.pop(group.id, None)


def refuse_start(backend: LocalEC2Backend, one: LocalInstance) -> None:
    """One that comes back needs its room in its group as one that is launched."""
    Place(one.placement_group).room(backend, one.availability_zone or "", 1)


def _members(backend: LocalEC2Backend, group: PlacementGroup) -> Iterator[LocalInstance]:
    """Terminated ones are none any more."""
    for one in backend.by_id.values():
        if one.placement_group == group and one.life.state != "terminated":
            yield one


def _running(backend: LocalEC2Backend, group: PlacementGroup) -> Iterator[LocalInstance]:
    return (one for one in _members(backend, group) if one.life.state in ("pending", "running"))


def _emptiest(backend: LocalEC2Backend, group: PlacementGroup, new: LocalInstance) -> int:
    """EC2 spreads over the partitions as evenly as it can."""
    crowd = Counter(
        one.partition_number
        for one in _members(backend, group)
        if one is not new and one.availability_zone == new.availability_zone
    )
    return min(range(1, (group.partitions or 1) + 1), key=lambda number: (crowd[number], number))


def _check_strategy(group: PlacementGroup, instance_type: str) -> None:
    known = INSTANCE_TYPES.get(instance_type, {}).get("PlacementGroupInfo", {})
    if known and group.strategy not in known.get("SupportedStrategies", ()):
        raise ServiceError(
            "InvalidParameterCombination",
            f"{group.strategy.capitalize()} placement groups are not supported by the '{instance_type}' "
            "instance type. Specify a supported instance type or change the placement group strategy, and "
            "try again.",
        )


def _check_partition(group: PlacementGroup, partition: int) -> None:
    if group.strategy != "partition":
        raise _partition_without_partitions()
    if not 1 <= partition <= (group.partitions or 0):
        raise ServiceError(
            "InvalidParameterValue",
            f"Value ({partition}) for parameter partitionNumber is invalid. The placement group "
            f"'{group.name}' has {group.partitions} partitions.",
        )


def _partition_without_partitions() -> ServiceError:
    return ServiceError(
        "InvalidParameterCombination",
        "The partition number is of instances in placement groups with partitions only.",
    )
