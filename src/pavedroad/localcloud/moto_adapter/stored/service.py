# pyright: basic
"""Stored services behind the endpoint."""

from __future__ import annotations

import importlib
import logging
import threading
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from pavedroad.localcloud.api.calls import reads
from pavedroad.localcloud.api.errors import error_response
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse, Service
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import snapshot
from pavedroad.localcloud.moto_adapter.outside import called
from pavedroad.localcloud.moto_adapter.responses import as_service_error
from pavedroad.localcloud.moto_adapter.services import Application, MotoService
from pavedroad.localcloud.state import State
from pavedroad.localcloud.stored_services import SERVED, StoredService

_log = logging.getLogger(__name__)
_HERE = "pavedroad.localcloud.moto_adapter.stored"
_CHANGED = {
    "events": f"{_HERE}.events",
    "kms": f"{_HERE}.keys",
    "logs": f"{_HERE}.logs",
    "secretsmanager": f"{_HERE}.secrets",
    "ssm": f"{_HERE}.images",
    "swf": f"{_HERE}.polls",
}
"""What is changed in moto's services before their first call, by moto's names."""
_CALLS = f"{_HERE}.calls"


def stored_services(state: State) -> list[Service]:
    """Each by its signing name."""
    by_name: dict[str, list[Stored]] = {}
    for one in SERVED:
        by_name.setdefault(one.name, []).append(Stored(one, state))
    return [parts[0] if len(parts) == 1 else OneOf(parts) for parts in by_name.values()]


class OneOf:
    """Services of one signing name, told apart by what is called."""

    def __init__(self, parts: list[Stored]) -> None:
        self._parts = parts

    @property
    def name(self) -> str:
        return self._parts[0].name

    def handle(self, request: ApiRequest) -> ApiResponse:
        named = [(part, name) for part in self._parts if (name := part.calls.named(request))]
        carried = [part for part, name in named if part.calls.carries(name)]
        [first, *_] = carried or [part for part, _ in named] or self._parts
        return first.handle(request)


def _typed(request: ApiRequest) -> ApiRequest:
    """A call that names its target is JSON, whatever its client calls it."""
    kind = request.headers.get("content-type", "")
    if "x-amz-target" not in request.headers or kind.startswith("application/x-amz-json"):
        return request
    return replace(request, headers={**request.headers, "content-type": "application/x-amz-json-1.1"})


class Stored(MotoService):
    """One of moto's. Nothing of it is imported before its first call."""

    def __init__(self, service: StoredService, state: State) -> None:
        super().__init__(service.moto, state)
        self.service = service
        self._is_ours = False
        self._changing = threading.Lock()
        self._kept: set[str] = set()
        """Operations that have made what can be saved."""

    @property
    def name(self) -> str:
        return self.service.name

    def prepare(self) -> Application:
        with self._changing:
            app = super().prepare()
            if not self._is_ours and self._name in _CHANGED:
                importlib.import_module(_CHANGED[self._name]).install()
            self._is_ours = True
            return app

    @cached_property
    def calls(self) -> Any:
        return importlib.import_module(_CALLS).StoredCalls(self.service)

    def handle(self, request: ApiRequest) -> ApiResponse:
        try:
            app = self.prepare()
            request = _typed(request)
            operation = self.calls.operation(request)
            return called(partial(self._asked, app, request, operation))
        except Exception as error:
            return error_response(request, self._refusal(error, request))

    def _refusal(self, error: Exception, request: ApiRequest) -> ServiceError:
        """moto takes for granted what it is given; whatever it fails at here is the call's."""
        if isinstance(error, ImportError):
            said = f"This cloud does not offer it: it would need another install ({error.name})."
            return ServiceError("UnknownOperationException", said)
        known = as_service_error(error, request)
        of_the_machine = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
        if known.status < 500 or of_the_machine or isinstance(error, MemoryError | ServiceError):
            return known
        return ServiceError(
            "ValidationException", "The request is not valid, or asks for what this cloud does not have."
        )

    def _asked(self, app: Application, request: ApiRequest, operation: str) -> ApiResponse:
        reading = reads(operation)
        if reading or operation in self._kept:
            return self._locked(app, request, reading)
        with self._state.lock:
            before = self._saved()
            answer = self._locked(app, request, reading)
            try:
                self._saved()
            except Exception as error:
                _log.error("%s made what cannot be saved: %r", operation, error)
                snapshot.MotoState().load(snapshot.MotoForm().decode(before, snapshot.VERSION))
                raise ServiceError(
                    "UnknownOperationException",
                    f"This cloud cannot keep what {operation} makes, and has taken it back.",
                ) from error
            self._kept.add(operation)
            return answer

    def _saved(self) -> bytes:
        """All that there is of the service, as it is saved."""
        dump = snapshot.MotoState().dump()
        return snapshot.pickled({name: it for name, it in dump.items() if name == self._name})
