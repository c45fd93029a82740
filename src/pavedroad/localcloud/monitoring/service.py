"""CloudWatch as the endpoint, the launcher and the cloud's other services see it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from pavedroad.core.clock import Clock
from pavedroad.localcloud.api.calls import reads
from pavedroad.localcloud.api.errors import speaks_cbor
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.constraints import Constraints
from pavedroad.localcloud.errors import ServiceError, internal_failure, unavailable
from pavedroad.localcloud.monitoring import express
from pavedroad.localcloud.monitoring.alarms.actions import Actions, Outlets
from pavedroad.localcloud.monitoring.alarms.controller import Controller
from pavedroad.localcloud.monitoring.call import Call, Result
from pavedroad.localcloud.monitoring.journal import MetricJournal, NotKept
from pavedroad.localcloud.monitoring.model import FORM, Region
from pavedroad.localcloud.monitoring.operations import OPERATIONS, WITHOUT_STATE_LOCK
from pavedroad.localcloud.monitoring.publishing import PlaceMetrics
from pavedroad.localcloud.monitoring.retention import Retention
from pavedroad.localcloud.monitoring.store import Store
from pavedroad.localcloud.moto_adapter.protocols import Parameters, Protocols, unpacked
from pavedroad.localcloud.ports import Metrics
from pavedroad.localcloud.state import State

_log = logging.getLogger(__name__)

Regions = dict[tuple[str, str], Region]
"""By account and region."""

_LARGEST_PUT = 2**20
_LARGEST = 4 * _LARGEST_PUT
"""Of any other call: a dashboard of 1 MiB, as text in JSON or a form."""


class Monitoring:
    """A `Service` and `Durable` of the endpoint; `metrics` is what the cloud's own parts ask of it."""

    form = FORM

    def __init__(self, state: State, clock: Clock, outlets: Outlets, folder: Path | None = None) -> None:
        """In `folder` datapoints outlive a restart; without it they do not."""
        self._state = state
        self._clock = clock
        self.store = Store()
        self._journal = MetricJournal(folder, self.store, Retention(clock)) if folder else None
        self._actions = Actions(outlets)
        self._regions: Regions = {}
        self._constraints = Constraints("cloudwatch")
        self._wire = Protocols("cloudwatch", self._check)
        self._controller = Controller(
            state, self.store, lambda: list(self._regions.values()), self._actions, clock
        )

    @property
    def name(self) -> str:
        return "monitoring"

    def start(self) -> None:
        if self._journal:
            self._journal.start()
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()
        if self._journal:
            self._journal.close()

    def step(self) -> bool:
        """One look at every alarm, in the caller's thread. Says whether any changed its state."""
        return self._controller.step()

    def metrics(self, account: str, region: str) -> Metrics:
        return PlaceMetrics(self, (account, region))

    def handle(self, request: ApiRequest) -> ApiResponse:
        operation = ""
        try:
            if self._put_at_once(request):
                self._keep()
                return self._wire.write(request, "PutMetricData", {})
            _bound(request, _LARGEST)  # before it is read, which may take long
            operation, parameters = self._wire.read(request)
            if operation == "PutMetricData":
                _bound(request, _LARGEST_PUT)
            result = self.call(request.account, request.region, operation, parameters)
            if operation == "PutMetricData":
                self._keep()
            return self._wire.write(request, operation, result or {})
        except ServiceError as error:
            return self._wire.refuse(request, error, operation)
        except Exception:
            _log.exception("A call of CloudWatch failed")
            return self._wire.refuse(request, internal_failure(), operation)

    def _keep(self) -> None:
        """Datapoints outlive this process from when their call is answered."""
        if self._journal:
            try:
                self._journal.keep()
            except NotKept as error:
                raise unavailable(f"They may be lost: {error}") from error

    @property
    def failure(self) -> str:
        """Why datapoints are not kept, in a sentence; empty while all is well."""
        return self._journal.failure if self._journal else ""

    def _put_at_once(self, request: ApiRequest) -> bool:
        """Whether it was datapoints of the form that is read the fastest."""
        if not (speaks_cbor(request.headers) and request.path.endswith("/operation/PutMetricData")):
            return False
        if request.length > _LARGEST_PUT:
            return False
        points = express.points(unpacked(request), self._clock.now())
        if points:
            self.store.put((request.account, request.region), points)
        return bool(points)

    def call(self, account: str, region: str, operation: str, parameters: Parameters) -> Result:
        """One operation, its parameters checked already. Nothing is changed where it raises."""
        if operation in WITHOUT_STATE_LOCK:
            if reads(operation):
                self.store.wait_whole()
            return WITHOUT_STATE_LOCK[operation](self._call(account, region, parameters))
        perform = OPERATIONS.get(operation)
        if perform is None:
            raise _unsupported(operation)
        with self._state.lock:
            result = perform(self._call(account, region, parameters))
            if not reads(operation):
                self._state.touch()
            return result

    def dump(self) -> tuple[Region, ...]:
        return tuple(self._regions.values())

    def load(self, saved: Any) -> None:
        self._regions = {(region.account, region.name): region for region in saved}

    def region(self, account: str, region: str) -> Region:
        """What is kept there; for more than its name, with the state lock held."""
        return self._regions.setdefault((account, region), Region(account, region))

    def _call(self, account: str, region: str, parameters: dict[str, Any]) -> Call:
        return Call(self.region(account, region), self.store, self._actions, parameters, self._clock.now())

    def _check(self, operation: str, parameters: Parameters) -> None:
        """PutMetricData's checks are its own: they are worded otherwise, and must be fast."""
        if operation not in OPERATIONS:
            raise _unsupported(operation)
        if operation not in ("PutMetricData", "GetMetricStatistics"):
            self._constraints.check(operation, parameters)


def _bound(request: ApiRequest, most: int) -> None:
    if request.length > most:
        raise ServiceError("RequestEntityTooLarge", f"The body is over the limit of {most} bytes.", 413)


def _unsupported(operation: str) -> ServiceError:
    return ServiceError("UnsupportedOperation", f"{operation} is not offered by this cloud yet.")
