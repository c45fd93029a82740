# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""CreateImage: an image of an instance's disk, pending until the host has made a layer of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from moto.ec2.models.amis import Ami
from moto.ec2.utils import random_ami_id

from pavedroad.localcloud.api.ec2.life import Life
from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.ec2_answers import dry_run, written
from pavedroad.localcloud.moto_adapter.ec2_checks import Form
from pavedroad.localcloud.moto_adapter.ec2_register import check_name, image_tags, refuse_duplicate
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import GuestImage


@dataclass(slots=True)
class ImageCapture:
    """`pavedroad.localcloud.api.ec2.captures.Capture`."""

    account: str
    region: str
    image_id: str
    instance_id: str
    rests: bool

    @property
    def _backend(self) -> ec2_backend.LocalEC2Backend:
        return ec2_backend.backend(self.account, self.region)

    @property
    def life(self) -> Life | None:
        one = self._backend.by_id.get(self.instance_id)
        return None if one is None else one.life

    @property
    def source(self) -> GuestImage:
        one = self._backend.by_id.get(self.instance_id)
        return (one.guest_image if one else None) or GuestImage(self.image_id)

    def finish(self, image: GuestImage) -> None:
        backend = self._backend
        del backend.captures[self.image_id]
        if known := backend.amis.get(self.image_id):
            known.state = "available"
            backend.guest_images[self.image_id] = image

    def fail(self, reason: str) -> None:
        backend = self._backend
        del backend.captures[self.image_id]
        if known := backend.amis.get(self.image_id):
            known.state = "failed"
            known.state_reason = {"Code": "Client.InternalError", "Message": reason}


def captures() -> Iterator[ImageCapture]:
    """All that are under way. With the state lock held."""
    for backend in ec2_backend.backends():
        yield from backend.captures.values()


def create_image(state: State, request: ApiRequest, form: Form) -> str:
    name, instance_id = form["Name"], form["InstanceId"]
    check_name(name)
    with state.lock:
        backend = ec2_backend.backend(request.account, request.region)
        one = backend.get_instance(instance_id)
        if one.life.state not in ("running", "stopped", "stopping"):
            raise ServiceError(
                "IncorrectState",
                f"Instance '{instance_id}' is not in state 'running' or 'stopped': it is {one.life.state}.",
            )
        refuse_duplicate(backend, name)
        dry_run(form)
        image_id = random_ami_id()
        backend.amis[image_id] = Ami(
            backend,
            image_id,
            instance=one,
            name=name,
            description=form.get("Description"),
            state="pending",
            root_device_type="ebs",
            root_device_name=one.root_device_name or "/dev/sda1",
            image_location=f"{request.account}/{name}",
            hypervisor="xen",
            region_name=f"{request.region}a",
            tags=image_tags(form),
        )
        rests = form.get("NoReboot", "").lower() not in ("true", "1")
        backend.captures[image_id] = ImageCapture(
            request.account, request.region, image_id, instance_id, rests
        )
        state.touch()
    return written("CreateImage", request.request_id, {"ImageId": image_id})
