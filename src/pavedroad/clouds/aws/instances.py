"""Single machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pavedroad.clouds.aws import tags as tagging
from pavedroad.clouds.aws.link import Link
from pavedroad.clouds.model import Instance

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

_FILTER_VALUES = 200  # AWS's limit to the values of one filter
_CONSOLE_CHARACTERS = 64 * 1024


class AwsInstances:
    """The `Instances` part of the cloud port."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def instances(self, instance_ids: Sequence[str]) -> list[Instance]:
        def describe() -> list[Instance]:
            found: list[Instance] = []
            for start in range(0, len(instance_ids), _FILTER_VALUES):
                # A filter, unlike InstanceIds, passes over those that are forgotten.
                pages = self._link.ec2.get_paginator("describe_instances").paginate(
                    Filters=[
                        {"Name": "instance-id", "Values": list(instance_ids[start : start + _FILTER_VALUES])}
                    ]
                )
                found += [
                    _read(instance)
                    for page in pages
                    for reservation in page["Reservations"]
                    for instance in reservation.get("Instances", [])
                ]
            return found

        return await self._link.run(describe)

    async def console(self, instance_id: str) -> str:
        answer = await self._link.run(
            lambda: self._link.ec2.get_console_output(InstanceId=instance_id, Latest=True)
        )
        return (answer.get("Output") or "")[-_CONSOLE_CHARACTERS:]

    async def terminate_instance(self, instance_id: str) -> None:
        await self._link.run(
            lambda: self._link.autoscaling.terminate_instance_in_auto_scaling_group(
                InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
            )
        )


def _read(instance: InstanceTypeDef) -> Instance:
    reason = instance.get("StateReason", {}).get("Message") or instance.get("StateTransitionReason", "")
    return Instance(
        id=instance.get("InstanceId", ""),
        image_id=instance.get("ImageId", ""),
        zone=instance.get("Placement", {}).get("AvailabilityZone", ""),
        address=instance.get("PrivateIpAddress", ""),
        state=instance.get("State", {}).get("Name", "pending"),
        state_reason=reason,
        launched_at=instance["LaunchTime"],  # pyright: ignore[reportTypedDictNotRequiredAccess] - always there
        tags=tagging.read(instance.get("Tags", [])),
    )
