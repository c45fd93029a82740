# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""RegisterImage: with `ImageLocation`, an image of ours, whose layers are in the host's store first."""

from __future__ import annotations

from moto.ec2.models.amis import Ami
from moto.ec2.utils import random_ami_id

from pavedroad.localcloud.api.ec2.images import Manifest, Objects, read_manifest
from pavedroad.localcloud.api.ec2.layers import LayerStore
from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.ec2_answers import dry_run, written
from pavedroad.localcloud.moto_adapter.ec2_checks import Form
from pavedroad.localcloud.state import State


def register_image(
    state: State, objects: Objects, layers: LayerStore, request: ApiRequest, form: Form
) -> str:
    name = form.get("Name", "")
    check_name(name)
    with state.lock:
        backend = ec2_backend.backend(request.account, request.region)
        refuse_duplicate(backend, name)
    location = form.get("ImageLocation", "")
    with state.lock:
        manifest = read_manifest(objects, request.account, location) if location else None
    with layers.holding(manifest):
        if manifest:
            layers.fetch(objects, request.account, manifest)
        dry_run(form)
        return _registered(state, request, form, manifest)


def _registered(state: State, request: ApiRequest, form: Form, manifest: Manifest | None) -> str:
    name, location = form.get("Name", ""), form.get("ImageLocation", "")
    backend = ec2_backend.backend(request.account, request.region)
    with state.changing():
        refuse_duplicate(backend, name)
        image_id = random_ami_id()
        image = Ami(
            backend,
            image_id,
            name=name,
            description=form.get("Description"),
            architecture=form.get("Architecture", "x86_64"),
            virtualization_type=form.get("VirtualizationType", "hvm"),
            root_device_name=form.get("RootDeviceName", "/dev/sda1"),
            root_device_type="instance-store" if manifest else "ebs",
            image_location=location or f"{request.account}/{name}",
            hypervisor="xen",
            region_name=f"{request.region}a",
            tags=image_tags(form),
        )
        backend.amis[image_id] = image
        if manifest:
            backend.guest_images[image_id] = manifest.guest_image(image_id)
    return written("RegisterImage", request.request_id, {"ImageId": image_id})


def check_name(name: str) -> None:
    if not 3 <= len(name) <= 128:
        raise ServiceError("InvalidAMIName.Malformed", "AMI names must be between 3 and 128 characters long")


def refuse_duplicate(backend: ec2_backend.LocalEC2Backend, name: str) -> None:
    for image in backend.amis.values():
        if image.name == name and image.owner_id == backend.account_id:
            raise ServiceError(
                "InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}"
            )


def image_tags(form: Form) -> dict[str, str]:
    tags: dict[str, str] = {}
    for key, kind in form.items():
        if key.startswith("TagSpecification.") and key.endswith(".ResourceType") and kind == "image":
            prefix = key.removesuffix("ResourceType") + "Tag."
            for name, value in form.items():
                if name.startswith(prefix) and name.endswith(".Key"):
                    tags[value] = form.get(name.removesuffix("Key") + "Value", "")
    return tags
