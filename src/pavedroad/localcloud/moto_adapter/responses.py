# pyright: basic
"""Calls of moto's response classes, and of our own that stand on them, with our requests."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterable, Mapping
from gzip import BadGzipFile
from xml.parsers.expat import ExpatError

from botocore.model import OperationNotFoundError
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.core.serialize import never_return, return_if_not_empty
from werkzeug.exceptions import HTTPException

from pavedroad.localcloud.api.calls import only_reads
from pavedroad.localcloud.api.errors import error_response
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.errors import ServiceError, internal_failure
from pavedroad.localcloud.moto_adapter.environ import WireRequest, environ_of
from pavedroad.localcloud.state import State

__all__ = [
    "ActionResult",
    "BaseResponse",
    "EmptyResult",
    "ResponseService",
    "ServiceException",
    "never_return",
    "respond",
    "return_if_not_empty",
]

AsError = Callable[[Exception, ApiRequest], ServiceError]

_log = logging.getLogger(__name__)


def respond(response: BaseResponse, request: ApiRequest, as_error: AsError | None = None) -> ApiResponse:
    """One action of a response object. Whatever goes wrong becomes an AWS error, by `as_service_error` where
    nothing else is given."""
    try:
        status, headers, body = response._dispatch(WireRequest(environ_of(request)))
    except Exception as error:
        return error_response(request, (as_error or as_service_error)(error, request))
    if not body and status == 404:
        return error_response(request, missing_action())
    return ApiResponse(
        int(status), kept_headers(headers), body.encode() if isinstance(body, str) else bytes(body)
    )


_NO_NUMBER = ("invalid literal for int()", "could not convert string to float", "Exceeds the limit (")
"""How Python says it, of what moto asked it to read."""


def as_service_error(error: Exception, request: ApiRequest) -> ServiceError:
    """moto's exceptions, and ours, as one kind; the unforeseen is logged and told as InternalFailure."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, ServiceException):
        return ServiceError(error.code, str(error.message))
    if isinstance(error, OperationNotFoundError):
        return ServiceError("InvalidAction", f"The action {error} is not valid for this web service.")
    if isinstance(error, NotImplementedError):
        return ServiceError("InvalidAction", str(error) or "The action is not valid for this web service.")
    if isinstance(error, HTTPException):
        code = getattr(error, "error_type", "InvalidRequest")
        return ServiceError(code, getattr(error, "message", error.description or ""), error.code or 400)
    if isinstance(error, UnicodeDecodeError):
        return ServiceError("MalformedQueryString", "The request is not valid UTF-8 text.")
    if isinstance(error, ExpatError):
        return ServiceError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema.",
        )
    if isinstance(error, ValueError) and str(error).startswith(_NO_NUMBER):
        value = str(error).rpartition(": ")[2]
        return ServiceError("InvalidArgument", f"A parameter is not the number that it must be: {value}.")
    _log.error("A call to %s failed: %s %s", request.service, request.method, request.path, exc_info=error)
    return internal_failure()


def is_of_the_call(error: BaseException) -> bool:
    """Whether moto failed at what the call brought: it checks little, and takes what is there for granted.
    What fails by the machine (a full disk, say) is not the caller's."""
    return isinstance(
        error,
        LookupError
        | TypeError
        | AttributeError
        | ValueError
        | AssertionError
        | ArithmeticError
        | StopIteration
        | ImportError
        | RecursionError
        | EOFError
        | BadGzipFile
        | zlib.error,
    )


def missing_action() -> ServiceError:
    return ServiceError("MissingAction", "The request must contain the parameter Action.")


def kept_headers(headers: Mapping[str, object] | Iterable[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    """moto's headers without those that are not headers, or the server's own to say."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    left_out = {"status", "content-length", "transfer-encoding", "connection", "date"}
    return tuple((str(name), str(value)) for name, value in pairs if str(name).lower() not in left_out)


class ResponseService:
    """A service whose calls are actions of a moto response class, one object a call, under the lock.

    `responder` makes the object; a subclass that waits for something after the lock is gone overrides
    `handle`, calls `super().handle(request)`, and waits then.
    """

    def __init__(self, name: str, state: State, responder: Callable[[], BaseResponse]) -> None:
        self._name = name
        self._state = state
        self._responder = responder

    @property
    def name(self) -> str:
        return self._name

    def handle(self, request: ApiRequest) -> ApiResponse:
        with self._state.lock:
            answer = respond(self._responder(), request)
            if not only_reads(request):
                self._state.touch()
        return answer
