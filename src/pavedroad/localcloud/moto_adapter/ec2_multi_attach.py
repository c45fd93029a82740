# pyright: basic, reportAttributeAccessIssue=false
"""Volumes that several instances have at once: moto's has one attachment."""

from __future__ import annotations

from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_block_store import Volume, VolumeAttachment

MOST = 16
"""Instances that may have one volume."""


class MultiAttach(EC2Backend):
    """Part of `LocalEC2Backend`. Whether it may be is asked before."""

    def attach_volume(self, volume_id, instance_id, device_path, delete_on_termination=False):
        volume = self.get_volume(volume_id)
        first = volume.attachment
        made = super().attach_volume(volume_id, instance_id, device_path, delete_on_termination)
        if first is not None:
            volume.attachment = first
            vars(volume)["_others"] = [*_others(volume), made]
        return made

    def detach_volume(self, volume_id, instance_id, device_path):
        """The others stay."""
        volume = self.get_volume(volume_id)
        every = attachments_of(volume)
        wanted = next((it for it in every if it.instance.id == instance_id), volume.attachment)
        rest = [it for it in every if it is not wanted]
        volume.attachment = wanted
        detached = super().detach_volume(volume_id, instance_id, device_path)
        if rest:
            volume.attachment, vars(volume)["_others"] = rest[0], rest[1:]
        return detached


def attachments_of(volume: Volume) -> list[VolumeAttachment]:
    return [volume.attachment, *_others(volume)] if volume.attachment else []


def install() -> None:
    Volume.attachments = property(attachments_of)


def _others(volume: Volume) -> list[VolumeAttachment]:
    """A state from before there were any has none."""
    return vars(volume).get("_others", [])
