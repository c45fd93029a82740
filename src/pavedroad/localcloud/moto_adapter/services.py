# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""The services that are moto's own, whole: STS, Route 53, SNS; those of IAM and ACM stand on it."""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial

from moto.core.utils import get_service_model

from pavedroad.localcloud.api.calls import only_reads
from pavedroad.localcloud.api.errors import error_response
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.errors import ServiceError, internal_failure
from pavedroad.localcloud.moto_adapter.empties import Filled
from pavedroad.localcloud.moto_adapter.environ import environ_of
from pavedroad.localcloud.moto_adapter.model_checks import QUERY, checks_of
from pavedroad.localcloud.moto_adapter.outside import Known, called
from pavedroad.localcloud.moto_adapter.responses import (
    as_service_error,
    is_of_the_call,
    kept_headers,
    missing_action,
)
from pavedroad.localcloud.state import State

_log = logging.getLogger(__name__)
_ROUTED = "pavedroad.localcloud.moto_adapter.routed"
NAMES = ("sts", "route53", "sns")

_INVALID = {
    "sns": "InvalidParameter",
    "route53": "InvalidInput",
}
"""Each service's own code for a request that it cannot make sense of."""

Application = Callable[..., Iterable[bytes]]


class MotoService:
    """One of moto's services, through its own routes. It is imported at its first call, or by `prepare`."""

    def __init__(self, name: str, state: State) -> None:
        self._name = name
        self._state = state
        self._making = threading.Lock()
        self._app: Application | None = None
        self._filled = Filled(partial(get_service_model, name))

    @property
    def name(self) -> str:
        return self._name

    def prepare(self) -> Application:
        with self._making:
            if self._app is None:
                self._app = importlib.import_module(_ROUTED).application(self._name)
            return self._app

    def handle(self, request: ApiRequest) -> ApiResponse:
        return self.ask(request)

    def ask(self, request: ApiRequest, known: Known | None = None) -> ApiResponse:
        """`known` is what the call may ask for by `given` and `outside`."""
        app = self.prepare()
        if self._name in QUERY:
            request = self._filled.request(request)
        reading = only_reads(request)
        if refused := checks_of(self._name).refusal(request):
            return refused
        try:
            return called(partial(self._locked, app, request, reading), known)
        except Exception as error:
            return error_response(request, self._refusal(error, request))

    def _locked(self, app: Application, request: ApiRequest, reading: bool) -> ApiResponse:
        with self._state.lock:
            try:
                response = _call(app, request)
            except Exception:
                if not reading:  # moto may have changed something before it failed
                    self._state.touch()
                raise
            if not reading:
                self._state.touch()
            return response

    def _refusal(self, error: Exception, request: ApiRequest) -> ServiceError:
        known = as_service_error(error, request)
        if known.status < 500 or not is_of_the_call(error):
            return known
        code = _INVALID.get(self._name, "ValidationError")
        return ServiceError(code, "The request is not valid, or asks for what this cloud does not have.")


def _call(app: Application, request: ApiRequest) -> ApiResponse:
    said: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _: object = None
    ) -> Callable[[bytes], None]:
        said.append((int(status.split(maxsplit=1)[0]), headers))
        return lambda _: None

    body = b"".join(app(environ_of(request), start_response))
    status, headers = said[-1]
    if not body and status == 404:
        raise missing_action()
    if status >= 500:
        _log.error("%s answered %s: %s", request.service, status, body[:2000])
        raise internal_failure()
    kept = tuple(
        (name, "text/xml" if value.startswith("text/html") else value)
        for name, value in kept_headers(headers)
    )
    return ApiResponse(status, kept, body)
