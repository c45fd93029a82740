"""The HTTP API of faults on the cloud's own endpoint, `/_pavedroad/faults`: JSON, and RFC 9457 for errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, cast
from urllib.parse import unquote

from pavedroad.core.errors import InvalidInput, NotFound, PavedError
from pavedroad.localcloud.api.problems import problem
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.faults.kinds import KINDS
from pavedroad.localcloud.faults.model import Fault
from pavedroad.localcloud.faults.register import DEFAULT_SECONDS

PATH = "/_pavedroad/faults"
_LARGEST = 64 * 1024
_KNOWN = ("kind", "target", "parameters", "seconds")


class Faults(Protocol):
    """What the routes ask; `pavedroad.localcloud.faults.service.FaultInjection` is one."""

    def all(self) -> list[Fault]: ...

    def get(self, fault_id: str) -> Fault: ...

    def start_fault(
        self, kind: object, target: object, parameters: Mapping[str, Any], seconds: object = DEFAULT_SECONDS
    ) -> Fault: ...

    def end_fault(self, fault_id: str) -> Fault: ...

    def end_all(self) -> list[Fault]: ...


class FaultRoutes:
    """Answers requests whose path begins with `PATH`; called from a worker thread."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def answers(self, path: str) -> bool:
        return path == PATH or path.startswith(f"{PATH}/")

    def handle(self, request: ApiRequest) -> ApiResponse:
        try:
            fault_id = unquote(request.path.removeprefix(PATH).strip("/"))
            return self._of_one(request, fault_id) if fault_id else self._of_all(request)
        except PavedError as error:
            return problem(error)

    def _of_all(self, request: ApiRequest) -> ApiResponse:
        if request.method in ("GET", "HEAD"):
            faults = [fault.document() for fault in self._faults.all()]
            return _json(200, {"faults": faults, "kinds": [kind.document() for kind in KINDS.values()]})
        if request.method == "POST":
            fault = self._start(request)
            return _json(201, fault.document(), ("location", f"{PATH}/{fault.id}"))
        if request.method == "DELETE":
            return _json(200, {"faults": [fault.document() for fault in self._faults.end_all()]})
        return _not_allowed("GET, HEAD, POST, DELETE")

    def _of_one(self, request: ApiRequest, fault_id: str) -> ApiResponse:
        if request.method in ("GET", "HEAD"):
            return _json(200, self._faults.get(fault_id).document())
        if request.method == "DELETE":
            return _json(200, self._faults.end_fault(fault_id).document())
        return _not_allowed("GET, HEAD, DELETE")

    def _start(self, request: ApiRequest) -> Fault:
        body = _body(request)
        if unknown := [name for name in body if name not in _KNOWN]:
            raise InvalidInput(f"A fault has no '{unknown[0][:100]}'; it has {', '.join(_KNOWN)}.")
        parameters: object = body.get("parameters", {})
        if not isinstance(parameters, dict):
            raise InvalidInput("'parameters' is an object of names and values.")
        return self._faults.start_fault(
            body.get("kind"),
            body.get("target"),
            cast("dict[str, Any]", parameters),
            body.get("seconds", DEFAULT_SECONDS),
        )


def _body(request: ApiRequest) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # which no web page may send without asking first
        raise InvalidInput("A fault is started with a body of JSON, sent as application/json.")
    if request.length > _LARGEST:
        raise InvalidInput(f"The body is over the limit of {_LARGEST} bytes.")
    try:
        body: object = json.loads(request.body(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise InvalidInput("The body is a JSON object with a kind and a target.")
    return cast("dict[str, Any]", body)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _json(status: int, content: object, *headers: tuple[str, str]) -> ApiResponse:
    body = json.dumps(content).encode()
    return ApiResponse(status, (("content-type", "application/json"), *headers), body)


def _not_allowed(allowed: str) -> ApiResponse:
    refused = problem(NotFound(f"This path takes {allowed}."))
    body = json.loads(refused.body) | {"status": 405, "title": "Method Not Allowed", "code": "invalid-input"}
    headers = (*refused.headers, ("allow", allowed))
    return ApiResponse(405, headers, json.dumps(body).encode())
