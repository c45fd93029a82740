# pyright: basic
"""Calls of a query-protocol service of ours, read and written by botocore's model of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import OperationNotFoundError, Shape
from botocore.validate import ParamValidator
from moto.core.utils import get_service_model

from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.constraints import Given
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.empties import without_empties
from pavedroad.localcloud.moto_adapter.result_xml import result_writer
from pavedroad.localcloud.moto_adapter.shapes import Reader, Unreadable, from_query, query_tree, reader
from pavedroad.localcloud.moto_adapter.zero_based import counted_from_one

Parameters = dict[str, Any]
Check = Callable[[str, Parameters], None]


class Wire:
    """The wire protocol of one service, by the name that boto3 has for it."""

    def __init__(self, service: str, check: Check | None = None) -> None:
        """`check` says what the model does not allow, in place of botocore's own validation."""
        self._service = service
        self._readers: dict[str, Reader] = {}
        self._writers: dict[str, Callable[[Parameters, str], bytes]] = {}
        self._check = check or self._validate

    def read(self, request: ApiRequest) -> tuple[str, Parameters]:
        """The operation's name and its parameters, of the types that the model says."""
        request = counted_from_one(request)
        try:
            pairs = parse_qsl(request.query, keep_blank_values=True, strict_parsing=bool(request.query))
            pairs += parse_qsl(request.body().decode("utf-8"), keep_blank_values=True)
            values = dict(pairs)
        except ValueError as error:
            raise ServiceError("MalformedQueryString", f"The query string is malformed: {error}.") from error
        action = values.get("Action")
        if not action:
            raise ServiceError("MissingAction", "The request must contain the parameter Action.")
        shape = self._operation(action).input_shape
        if shape is None:
            return action, {}
        try:
            tree = query_tree(without_empties(action, shape, values))
            parameters = self._reader(action, shape)(from_query(shape, tree))
        except (Unreadable, RecursionError) as error:
            raise ServiceError("MalformedInput", f"A parameter cannot be read: {error}.") from error
        self._check(action, parameters)
        return action, Given(parameters)

    def write(self, request: ApiRequest, action: str, result: Parameters) -> ApiResponse:
        """The result of an operation, in the model's shape."""
        writer = self._writers.get(action)
        if writer is None:
            writer = self._writers[action] = result_writer(self._operation(action))
        return ApiResponse(
            200,
            (
                ("content-type", "text/xml"),
                ("x-amzn-requestid", request.request_id),
            ),
            writer(result, request.request_id),
        )

    def _validate(self, action: str, parameters: Parameters) -> None:
        report = ParamValidator().validate(parameters, self._operation(action).input_shape)
        if report.has_errors():
            raise ServiceError("ValidationError", " ".join(report.generate_report().split()))

    def _reader(self, action: str, shape: Shape) -> Reader:
        read = self._readers.get(action)
        if read is None:
            read = self._readers[action] = reader(shape)
        return read

    def _operation(self, action: str) -> Any:
        try:
            return get_service_model(self._service).operation_model(action)
        except OperationNotFoundError as error:
            raise ServiceError(
                "InvalidAction", f"The action {action} is not valid for this web service."
            ) from error
