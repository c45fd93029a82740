# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""EC2 as a service of the endpoint: every call is checked by the model; some are ours, the rest moto's."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from urllib.parse import urlencode

from moto.core.utils import get_service_model

from pavedroad.core.errors import Unavailable
from pavedroad.localcloud.api.calls import reads
from pavedroad.localcloud.api.ec2.images import Objects
from pavedroad.localcloud.api.ec2.layers import LayerStore
from pavedroad.localcloud.api.errors import error_response
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.ec2_answers import as_ec2_error, dry_run, with_return, written
from pavedroad.localcloud.moto_adapter.ec2_capture import create_image
from pavedroad.localcloud.moto_adapter.ec2_checks import Form, check, form_of, takes_dry_run, wire_name
from pavedroad.localcloud.moto_adapter.ec2_register import register_image
from pavedroad.localcloud.moto_adapter.ec2_responses import LocalEC2Response, describe_instances
from pavedroad.localcloud.moto_adapter.ec2_select import (
    checked_filters,
    selected,
    selects,
    without_selection,
)
from pavedroad.localcloud.moto_adapter.ec2_tokens import answered, remember
from pavedroad.localcloud.moto_adapter.ec2_types import describe_instance_types
from pavedroad.localcloud.moto_adapter.ec2_whole_calls import Before
from pavedroad.localcloud.moto_adapter.empties import Filled
from pavedroad.localcloud.moto_adapter.outside import called
from pavedroad.localcloud.moto_adapter.responses import respond
from pavedroad.localcloud.moto_adapter.zero_based import counted_from_one
from pavedroad.localcloud.state import State

_XML = (("content-type", "text/xml;charset=UTF-8"),)
_CHECK_FURTHER = {
    "RunInstances",
    "TerminateInstances",
    "StopInstances",
    "StartInstances",
    "RebootInstances",
    "RegisterImage",
    "CreateImage",
}
"""These look at more than the model says before they answer a dry run."""
_FILLED = Filled(partial(get_service_model, "ec2"), wire_name)
_OF_NO_STATE = {"DescribeInstanceTypeOfferings", "DescribeSpotPriceHistory"}
"""Long lists of what is always so, which nobody need wait for."""


class Ec2Service:
    """`pavedroad.localcloud.api.services.Service` by the name `ec2`."""

    name = "ec2"

    def __init__(
        self,
        state: State,
        objects: Objects,
        layers: LayerStore,
        console: Callable[[str], bytes],
    ) -> None:
        self._state = state
        self._console = console
        self._own: dict[str, Callable[[ApiRequest, Form], str]] = {
            "CreateImage": lambda request, form: create_image(state, request, form),
            "DescribeInstances": self._describe_instances,
            "DescribeInstanceTypes": lambda request, form: describe_instance_types(form, request.request_id),
            "GetConsoleOutput": self._console_output,
            "RegisterImage": lambda request, form: register_image(state, objects, layers, request, form),
        }

    def handle(self, request: ApiRequest) -> ApiResponse:
        request = _FILLED.request(counted_from_one(request))
        try:
            form = form_of(request)
            action = check(form)
            if action not in _CHECK_FURTHER and takes_dry_run(action):
                dry_run(form)
            if own := self._own.get(action):
                return ApiResponse(200, _XML, own(request, form).encode())
            return self._ask_moto(request, action, form)
        except Exception as error:
            return error_response(request, as_ec2_error(error, request))

    def _ask_moto(self, request: ApiRequest, action: str, form: Form) -> ApiResponse:
        cut = selects(action, form)
        asked = _with_form(request, without_selection(action, form)) if cut else request
        if cut:
            checked_filters(action, form)
        with self._state.lock:
            ec2_backend.backend(request.account, request.region)
        if action in _OF_NO_STATE:
            answer = self._answer(request, asked, action)
        else:
            answer = called(lambda: self._locked(request, asked, action, form))
        if cut and answer.status == 200:
            return replace(answer, body=selected(action, form, answer.body))
        return answer

    @staticmethod
    def _answer(request: ApiRequest, asked: ApiRequest, action: str) -> ApiResponse:
        answer = respond(LocalEC2Response(request.request_id), asked, as_ec2_error)
        if answer.status != 200:
            return answer
        return replace(answer, body=with_return(action, answer.body))

    def _locked(self, request: ApiRequest, asked: ApiRequest, action: str, form: Form) -> ApiResponse:
        with self._state.lock:
            backend = ec2_backend.backend(request.account, request.region)
            repeats = action != "RunInstances"  # which answers with the instances as they are by then
            if repeats and (told := answered(backend, form)) is not None:
                self._state.touch()  # the first answer may have been that it could not be saved
                return ApiResponse(200, _XML, told)
            before = None if reads(action) else Before(backend, form)
            answer = self._answer(request, asked, action)
            if before and answer.status >= 400:
                before.restore()
            if repeats and answer.status == 200:
                remember(backend, form, answer.body)
            if not reads(action):
                self._state.touch()
        return answer

    def _describe_instances(self, request: ApiRequest, form: Form) -> str:
        with self._state.lock:
            backend = ec2_backend.backend(request.account, request.region)
            return describe_instances(backend, form, request.request_id)

    def _console_output(self, request: ApiRequest, form: Form) -> str:
        instance_id = form["InstanceId"]
        with self._state.lock:
            ec2_backend.backend(request.account, request.region).get_instance(instance_id)
        try:
            output = self._console(instance_id)
        except Unavailable as error:
            raise ServiceError("Unavailable", error.sentence, 503) from error
        result = {
            "InstanceId": instance_id,
            "Timestamp": datetime.now(UTC),
            "Output": base64.b64encode(output).decode(),
        }
        return written("GetConsoleOutput", request.request_id, result)


def _with_form(request: ApiRequest, form: Form) -> ApiRequest:
    body = urlencode(form).encode()
    return replace(request, query="", stream=BytesIO(body), length=len(body))
