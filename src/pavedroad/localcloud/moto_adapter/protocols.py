"""Calls of a service of ours in each protocol that botocore's model of it names: CBOR, JSON and query.

Which one a client speaks is seen from its request; the answer, and every error, is in the same.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel, StructureShape

from pavedroad.localcloud import cbor
from pavedroad.localcloud.api.encodings import unpacked
from pavedroad.localcloud.api.errors import error_response, speaks_cbor
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.constraints import Given
from pavedroad.localcloud.errors import DetailedError, ServiceError
from pavedroad.localcloud.moto_adapter.empties import without_empties
from pavedroad.localcloud.moto_adapter.result_xml import result_writer
from pavedroad.localcloud.moto_adapter.shapes import Reader, Unreadable, from_query, plain, query_tree, reader

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

Parameters = dict[str, Any]
Check = Callable[[str, Parameters], None]
Protocol = Literal["cbor", "json", "query"]


class Protocols:
    """The wire of one service, by the name that boto3 has for it."""

    def __init__(
        self,
        service: str,
        check: Check,
        *,
        described: Callable[[Any], Any] = lambda description: description,
        shapes: Mapping[str, str] | None = None,
    ) -> None:
        """`check` says what the model does not allow. `described` is the model's description as it is read;
        `shapes` has the names of errors that the model does not give for their codes."""
        self._service = service
        self._check = check
        self._described = described
        self._shapes = shapes or {}
        self._readers: dict[str, Reader] = {}
        self._writers: dict[tuple[str, Protocol], Callable[[Parameters], Any]] = {}
        self._xml: dict[str, Callable[[Parameters, str], bytes]] = {}

    def read(self, request: ApiRequest, unsaid: Parameters | None = None) -> tuple[str, Parameters]:
        """The operation's name and its parameters, of the types that the model says; `unsaid` are those that
        hold where they are not given."""
        spoken = _protocol(request)
        body = unpacked(request)
        if spoken == "query":
            name, document = self._query(request, body)
        else:
            name = self._named(request, spoken)
            document = _cbor(body) if spoken == "cbor" else _json(body)
        shape = self._operation(name).input_shape
        if shape is None:
            return name, {}
        read = self._readers.get(name)
        if read is None:
            read = self._readers[name] = reader(shape)
        try:
            parameters: Parameters = read(from_query(shape, document) if spoken == "query" else document)
        except (Unreadable, RecursionError) as error:
            raise _unreadable(spoken, str(error)) from error
        parameters = {
            **{it: value for it, value in (unsaid or {}).items() if it in shape.members},
            **parameters,
        }
        self._check(name, parameters)
        return name, Given(parameters)

    def write(self, request: ApiRequest, name: str, result: Parameters) -> ApiResponse:
        """The result of an operation, in the model's shape and the client's protocol."""
        spoken = _protocol(request)
        said = ("x-amzn-requestid", request.request_id)
        if spoken == "query":
            writer = self._xml.get(name)
            if writer is None:
                writer = self._xml[name] = result_writer(self._operation(name))
            return ApiResponse(200, (("content-type", "text/xml"), said), writer(result, request.request_id))
        document = self._document(name, spoken, result)
        if spoken == "json":
            headers = (("content-type", "application/x-amz-json-1.0"), said)
            return ApiResponse(200, headers, json.dumps(document, default=_base64).encode())
        headers = (("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"), said)
        return ApiResponse(200, headers, cbor.dumps(document))

    def refuse(self, request: ApiRequest, error: ServiceError, name: str = "") -> ApiResponse:
        """The error as the client's protocol has it; its shape is looked up among the operation's first."""
        details = error.details if isinstance(error, DetailedError) else {}
        return error_response(request, error, shape=self._shape_of(error.code, name), details=details)

    def required(self, name: str) -> frozenset[str]:
        """The members that a call of the operation must have."""
        shape = self._operation(name).input_shape
        return frozenset(shape.required_members if shape else ())

    def _document(self, name: str, spoken: Protocol, result: Parameters) -> Any:
        shape = self._operation(name).output_shape
        if shape is None:
            return {}
        writer = self._writers.get((name, spoken))
        if writer is None:
            time = datetime.timestamp if spoken == "json" else _as_it_is
            writer = self._writers[(name, spoken)] = plain(shape, time=time)
        return writer(result)

    def _named(self, request: ApiRequest, spoken: Protocol) -> str:
        prefix = self._model.metadata.get("targetPrefix", "")
        if spoken == "json":
            target, _, name = request.headers.get("x-amz-target", "").partition(".")
            known = target == prefix
        else:
            parts = [unquote(part) for part in request.path.strip("/").split("/")]
            known = len(parts) == 4 and parts[0] == "service" and parts[2] == "operation"
            name = parts[3] if known else ""
        if not known or not name:
            raise ServiceError("UnknownOperationException", "There is no such operation in this service.")
        return name

    def _query(self, request: ApiRequest, body: bytes) -> tuple[str, Parameters]:
        try:
            pairs = parse_qsl(request.query, keep_blank_values=True, strict_parsing=bool(request.query))
            pairs += parse_qsl(body.decode("utf-8"), keep_blank_values=True)
        except ValueError as error:
            raise ServiceError("MalformedQueryString", f"The query string is malformed: {error}.") from error
        values = dict(pairs)
        action = values.pop("Action", "")
        if not action:
            raise ServiceError("MissingAction", "The request must contain the parameter Action.")
        shape = self._operation(action).input_shape
        try:
            return action, query_tree(without_empties(action, shape, values))
        except Unreadable as error:
            raise _unreadable("query", str(error)) from error

    @cached_property
    def _model(self) -> ServiceModel:
        description: Any = Loader().load_service_model(self._service, "service-2")
        return ServiceModel(self._described(description), self._service)

    def _operation(self, name: str) -> OperationModel:
        try:
            return self._model.operation_model(name)
        except OperationNotFoundError as error:
            said = f"The action {name} is not valid for this web service."
            raise ServiceError("InvalidAction", said) from error

    def _shape_of(self, code: str, name: str) -> str:
        if code in self._shapes:
            return self._shapes[code]
        own = self._operation(name).error_shapes if name else ()
        found = (
            shape.name
            for shape in (*own, *self._model.error_shapes)
            if isinstance(shape, StructureShape) and shape.metadata.get("error", {}).get("code") == code
        )
        return next(found, code)


def _base64(blob: Any) -> str:
    return base64.b64encode(blob).decode()


def _as_it_is(at: datetime) -> datetime:
    return at


def _protocol(request: ApiRequest) -> Protocol:
    if speaks_cbor(request.headers):
        return "cbor"
    return "json" if "x-amz-target" in request.headers else "query"


def _cbor(body: bytes) -> Any:
    try:
        return cbor.loads(body) if body else {}
    except cbor.MalformedCbor as error:
        raise _unreadable("cbor", f"the body is not CBOR: {error}") from error


def _json(body: bytes) -> Any:
    try:
        document: Any = json.loads(body.decode()) if body else {}
        if _SURROGATE.search(body):
            # A half of one alone is no text: it could be told to clients of no other protocol.
            json.dumps(document, ensure_ascii=False).encode()
        return document
    except (ValueError, RecursionError) as error:
        raise _unreadable("json", "the body is not JSON") from error


def _unreadable(spoken: Protocol, why: str) -> ServiceError:
    if spoken == "query":
        return ServiceError("MalformedInput", f"A parameter cannot be read: {why}.")
    return ServiceError("SerializationException", f"The request cannot be read: {why}.")
