# pyright: basic
"""Which operation of a stored service a call is, whether moto has it, and whether the model allows it."""

from __future__ import annotations

from functools import cached_property

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException, NotFound

from pavedroad.localcloud.api.calls import operation_of
from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.constraints import Constraints
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.carried import carried
from pavedroad.localcloud.moto_adapter.environ import WireRequest, environ_of
from pavedroad.localcloud.moto_adapter.protocols import Parameters, Protocols
from pavedroad.localcloud.stored_services import WITHHELD, StoredService

_PAGE = "docs/reference/operations.md"


class StoredCalls:
    """The calls of one service, read by botocore's model of it."""

    def __init__(self, service: StoredService) -> None:
        self._service = service
        self._constraints = Constraints(service.boto)
        self._wire = Protocols(service.boto, self._check)

    def operation(self, request: ApiRequest) -> str:
        """Its name. `ServiceError` where there is none, or moto lacks it, or the model forbids the call."""
        name, uri = self._named(request)
        if name not in self._model.operation_names:
            said = f"{self._service.title} has no such operation" + (f": {name[:100]}." if name else ".")
            raise ServiceError(self._unknown, said)
        if not self.carries(name):
            said = f"This cloud does not offer {name} of {self._service.title}. What it offers: {_PAGE}."
            raise ServiceError(self._unknown, said)
        self._read(request, name, uri)
        return name

    def named(self, request: ApiRequest) -> str:
        """The operation's name, if it is one of this service."""
        name, _ = self._named(request)
        return name if name in self._model.operation_names and self._is_target(request) else ""

    def carries(self, name: str) -> bool:
        """Whether moto has the operation."""
        return name in self._carried

    @property
    def _unknown(self) -> str:
        return "InvalidAction" if self._model.protocol == "query" else "UnknownOperationException"

    @cached_property
    def _model(self):
        return get_service_model(self._service.boto)

    @cached_property
    def _carried(self) -> frozenset[str]:
        return carried(self._service.moto, self._service.boto) - WITHHELD.get(self._service.moto, frozenset())

    @property
    def _rest(self) -> bool:
        return self._model.protocol.startswith("rest")

    def _is_target(self, request: ApiRequest) -> bool:
        target = request.headers.get("x-amz-target", "").rpartition(".")[0]
        return not target or target == self._model.metadata.get("targetPrefix")

    def _named(self, request: ApiRequest) -> tuple[str, dict]:
        if not self._rest:
            return operation_of(request), {}
        try:
            operation, uri = get_service_router(self._service.boto).match(WireRequest(environ_of(request)))
        except NotFound:
            return "", {}
        return operation.name, dict(uri)

    def _read(self, request: ApiRequest, name: str, uri: dict) -> None:
        if not self._rest:
            self._wire.read(request)
            return
        wire = WireRequest(environ_of(request))
        protocol = determine_request_protocol(self._model, request.headers.get("content-type", ""))
        try:
            parser = PROTOCOL_PARSERS[protocol](self._model.operation_model(name))
            parameters = parser.parse(
                {
                    "method": request.method,
                    "values": wire.values,
                    "headers": wire.headers,
                    "body": wire.data,
                    "url_path": wire.path,
                    "url_params": uri,
                }
            )
        except HTTPException:
            raise
        except Exception as error:
            raise ServiceError("SerializationException", "The request cannot be read.") from error
        self._check(name, parameters or {})

    def _check(self, operation: str, parameters: Parameters) -> None:
        try:
            self._constraints.check(operation, parameters)
        except ServiceError as error:
            code = "ValidationError" if self._model.protocol == "query" else "ValidationException"
            raise ServiceError(code, error.message) from error
        except (AttributeError, TypeError, KeyError) as error:  # of another type than the model's
            raise ServiceError("SerializationException", "A parameter is not of its type.") from error
