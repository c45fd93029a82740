"""The Resource Groups Tagging API behind the endpoint."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pavedroad.localcloud.api.calls import reads
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.constraints import Constraints
from pavedroad.localcloud.errors import ServiceError, internal_failure
from pavedroad.localcloud.moto_adapter.protocols import Parameters, Protocols
from pavedroad.localcloud.state import State
from pavedroad.localcloud.tagging.model import Tags
from pavedroad.localcloud.tagging.operations import OPERATIONS, Call

_log = logging.getLogger(__name__)
_MODEL = "resourcegroupstaggingapi"


class Tagging:
    """It keeps nothing: tags are where what they are of is kept."""

    name = "tagging"

    def __init__(self, state: State, sources: Sequence[Tags]) -> None:
        """Of `sources`, the first that has an ARN tags it."""
        self._state = state
        self._sources = sources
        self._constraints = Constraints(_MODEL)
        self._wire = Protocols(_MODEL, self._check)

    def handle(self, request: ApiRequest) -> ApiResponse:
        operation = ""
        try:
            operation, parameters = self._wire.read(request)
            call = Call(request.account, request.region, self._sources, parameters)
            if reads(operation):
                with self._state.lock:
                    result = OPERATIONS[operation](call)
            else:
                result = OPERATIONS[operation](call)  # services that wait let go of the lock themselves
                self._state.touch()
            return self._wire.write(request, operation, result)
        except ServiceError as error:
            return self._wire.refuse(request, error, operation)
        except Exception:
            _log.exception("A call of the tagging API failed")
            return self._wire.refuse(request, internal_failure(), operation)

    def _check(self, operation: str, parameters: Parameters) -> None:
        if operation not in OPERATIONS:
            raise ServiceError("UnsupportedOperation", f"{operation} is not offered by this cloud yet.")
        try:
            self._constraints.check(operation, parameters)
        except ServiceError as error:
            raise ServiceError("InvalidParameterException", error.message) from error
