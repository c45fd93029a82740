# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""EC2 as a service of the endpoint: the fast and the slow calls apart from moto's, the rest through it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from moto.ec2.models.amis import Ami
from moto.ec2.utils import random_ami_id

from pavedroad.core.errors import Unavailable
from pavedroad.localcloud.api.ec2.images import LayerStore, Objects, read_manifest
from pavedroad.localcloud.api.errors import error_response
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.ec2_responses import LocalEC2Response, describe_instances
from pavedroad.localcloud.moto_adapter.responses import as_service_error, respond
from pavedroad.localcloud.moto_adapter.zero_based import counted_from_one
from pavedroad.localcloud.state import State

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
Form = dict[str, str]


class Ec2Service:
    """`pavedroad.localcloud.api.services.Service` by the name `ec2`."""

    name = "ec2"

    def __init__(
        self, state: State, objects: Objects, layers: LayerStore, console: Callable[[str], bytes]
    ) -> None:
        self._state = state
        self._objects = objects
        self._layers = layers
        self._console = console
        self._own: dict[str, Callable[[ApiRequest, Form], str]] = {
            "DescribeInstances": self._describe_instances,
            "GetConsoleOutput": self._console_output,
            "RegisterImage": self._register_image,
        }

    def handle(self, request: ApiRequest) -> ApiResponse:
        request = counted_from_one(request)
        form = _form(request)
        action = form.get("Action", "")
        if own := self._own.get(action):
            try:
                body = own(request, form)
            except Exception as error:
                return error_response(request, as_service_error(error, request))
            return ApiResponse(200, (("content-type", "text/xml;charset=UTF-8"),), body.encode())
        with self._state.lock:
            answer = respond(LocalEC2Response(request.request_id), request)
            if not action.startswith(("Describe", "Get", "List")):
                self._state.touch()
        return answer

    def _describe_instances(self, request: ApiRequest, form: Form) -> str:
        with self._state.lock:
            backend = ec2_backend.backend(request.account, request.region)
            return describe_instances(backend, form, request.request_id)

    def _console_output(self, request: ApiRequest, form: Form) -> str:
        instance_id = form.get("InstanceId", "")
        if not instance_id:
            raise ServiceError("MissingParameter", "The request must contain the parameter InstanceId")
        with self._state.lock:
            ec2_backend.backend(request.account, request.region).get_instance(instance_id)
        try:
            output = self._console(instance_id)
        except Unavailable as error:
            raise ServiceError("Unavailable", error.sentence, 503) from error
        said = base64.b64encode(output).decode()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        inside = f"<instanceId>{instance_id}</instanceId><timestamp>{now}</timestamp><output>{said}</output>"
        return _answer("GetConsoleOutput", request, inside)

    def _register_image(self, request: ApiRequest, form: Form) -> str:
        """With `ImageLocation`, an image of ours: its layers are in the host's store before it is there."""
        name = form.get("Name", "")
        if not 3 <= len(name) <= 128:
            raise ServiceError(
                "InvalidAMIName.Malformed", "AMI names must be between 3 and 128 characters long"
            )
        with self._state.lock:
            backend = ec2_backend.backend(request.account, request.region)
            self._refuse_duplicate(backend, name)
        location = form.get("ImageLocation", "")
        with self._state.lock:
            manifest = read_manifest(self._objects, request.account, location) if location else None
        if manifest:
            self._layers.fetch(self._objects, request.account, manifest)
        if form.get("DryRun", "").lower() == "true":
            raise ServiceError(
                "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412
            )
        with self._state.changing():
            self._refuse_duplicate(backend, name)
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
                tags=_image_tags(form),
            )
            backend.amis[image_id] = image
            if manifest:
                backend.guest_images[image_id] = manifest.guest_image(image_id)
        return _answer("RegisterImage", request, f"<imageId>{escape(image_id)}</imageId>")

    @staticmethod
    def _refuse_duplicate(backend: ec2_backend.LocalEC2Backend, name: str) -> None:
        for image in backend.amis.values():
            if image.name == name and image.owner_id == backend.account_id:
                raise ServiceError(
                    "InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}"
                )


def _form(request: ApiRequest) -> Form:
    body = request.body().decode("utf-8", "replace")
    return dict(parse_qsl(request.query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True))


def _answer(operation: str, request: ApiRequest, inside: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{operation}Response xmlns="{_NAMESPACE}">'
        f"<requestId>{request.request_id}</requestId>{inside}</{operation}Response>"
    )


def _image_tags(form: Form) -> dict[str, str]:
    tags: dict[str, str] = {}
    for key, kind in form.items():
        if key.startswith("TagSpecification.") and key.endswith(".ResourceType") and kind == "image":
            prefix = key.removesuffix("ResourceType") + "Tag."
            for name, value in form.items():
                if name.startswith(prefix) and name.endswith(".Key"):
                    tags[value] = form.get(name.removesuffix("Key") + "Value", "")
    return tags
