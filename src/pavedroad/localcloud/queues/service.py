"""SQS as the endpoint and the cloud's other services see it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from pavedroad.core.clock import Clock
from pavedroad.localcloud.api.calls import reads
from pavedroad.localcloud.api.later import Later
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.errors import ServiceError, internal_failure
from pavedroad.localcloud.moto_adapter.protocols import Parameters, Protocols
from pavedroad.localcloud.queues import receiving, sending, settings
from pavedroad.localcloud.queues.call import Call, Result
from pavedroad.localcloud.queues.model import FORM, Queue, Region
from pavedroad.localcloud.queues.older_names import with_older_names
from pavedroad.localcloud.queues.operations import OPERATIONS
from pavedroad.localcloud.queues.ready import Ready, ready_of
from pavedroad.localcloud.queues.refusals import SHAPES, missing, no_queue
from pavedroad.localcloud.queues.settings import seconds
from pavedroad.localcloud.queues.tagged import TaggedQueues
from pavedroad.localcloud.state import State

_log = logging.getLogger(__name__)


class Queueing:
    """A `Service` and `Durable` of the endpoint, and `pavedroad.localcloud.ports.Queues`. Messages that
    cannot be received yet are waited for without a thread, and without the state lock."""

    name = "sqs"
    form = FORM

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._regions: dict[tuple[str, str], Region] = {}
        self._ready: dict[str, Ready] = {}
        self._wire = Protocols("sqs", self._check, described=with_older_names, shapes=SHAPES)

    def handle(self, request: ApiRequest) -> ApiResponse:
        operation = ""
        try:
            operation, parameters = self._wire.read(request, _address_of(request))
            if operation == "ReceiveMessage":
                return self._receive(request, parameters, None)
            return self._wire.write(request, operation, self._perform(request, operation, parameters))
        except ServiceError as error:
            return self._wire.refuse(request, error, operation)
        except Exception:
            _log.exception("A call of SQS failed")
            return self._wire.refuse(request, internal_failure(), operation)

    def exists(self, queue_arn: str) -> bool:
        return self._by_arn(queue_arn) is not None

    def send(self, queue_arn: str, message: str, more: Mapping[str, Any] | None = None) -> None:
        """`more` are further parameters of SendMessage."""
        queue = self._by_arn(queue_arn)
        if queue is None:
            raise no_queue()
        parameters = {**(more or {}), "MessageBody": message}
        sending.check(queue, parameters)
        with self._state.changing():
            sending.put(queue, self._ready_of(queue), self._now(), parameters)

    def dump(self) -> tuple[Region, ...]:
        return tuple(self._regions.values())

    def load(self, saved: Any) -> None:
        self._regions = {(region.account, region.name): region for region in saved}
        self._ready.clear()

    def tagged(self) -> TaggedQueues:
        """For the tagging API."""
        return TaggedQueues(self._state, self._region)

    def _perform(self, request: ApiRequest, operation: str, parameters: Parameters) -> Result:
        with self._state.lock:
            result = OPERATIONS[operation](self._call(request, parameters))
            if not reads(operation):
                self._state.touch()
            return result

    def _receive(self, request: ApiRequest, parameters: Parameters, until: float | None) -> ApiResponse:
        with self._state.lock:
            call = self._call(request, parameters)
            result = receiving.receive_message(call)
            answer = self._wire.write(request, "ReceiveMessage", result)
            queue = call.queue()
            ready = self._ready_of(queue)
            if result:
                ready.line.call()
                return answer
            patience = call.get("WaitTimeSeconds", seconds(queue, "ReceiveMessageWaitTimeSeconds"))
            now = time.monotonic()
            ends = now + patience if until is None else until
            if now >= ends:
                return answer
            return Later(
                answer.status,
                answer.headers,
                answer.body,
                place=ready.line.join(),
                seconds=min(ends - now, max(ready.due_seconds(call.now), 0.0)),
                again=partial(self._ask_again, request, parameters, ends),
            )

    def _ask_again(self, request: ApiRequest, parameters: Parameters, until: float) -> ApiResponse:
        try:
            return self._receive(request, parameters, until)
        except ServiceError as error:
            return self._wire.refuse(request, error, "ReceiveMessage")

    def _call(self, request: ApiRequest, parameters: Parameters) -> Call:
        host = request.headers.get("host") or f"sqs.{request.region}.amazonaws.com"
        return Call(
            region=self._region(request.account, request.region),
            ready=self._ready_of,
            forget=self._forget,
            parameters=parameters,
            now=self._now(),
            endpoint=f"http://{host}",
        )

    def _check(self, operation: str, parameters: Parameters) -> None:
        if operation not in OPERATIONS:
            raise ServiceError("UnsupportedOperation", f"{operation} is not offered by this cloud yet.")
        for name in self._wire.required(operation):
            if parameters.get(name) in (None, ""):
                raise missing(name)
        if operation == "ReceiveMessage":
            asked = ("AttributeNames", "MessageSystemAttributeNames")
            receiving.check_names(name for names in asked for name in parameters.get(names, ()))
        elif operation == "GetQueueAttributes":
            settings.check_names(parameters.get("AttributeNames", ()))
        elif operation in ("CreateQueue", "SetQueueAttributes"):
            settings.check_values(parameters.get("Attributes", {}))

    def _region(self, account: str, region: str) -> Region:
        return self._regions.setdefault((account, region), Region(account, region))

    def _by_arn(self, arn: str) -> Queue | None:
        parts = arn.split(":")
        if len(parts) != 6 or parts[2] != "sqs":
            return None
        region = self._regions.get((parts[4], parts[3]))
        return region.by_arn(arn) if region else None

    def _ready_of(self, queue: Queue) -> Ready:
        ready = self._ready.get(queue.arn)
        if ready is None or ready.queue is not queue:
            ready = self._ready[queue.arn] = ready_of(queue)
        return ready

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _forget(self, queue: Queue) -> None:
        ready = self._ready.pop(queue.arn, None)
        if ready is not None:
            ready.line.call_all()


def _address_of(request: ApiRequest) -> Parameters:
    """The older protocol may name the queue by the path alone."""
    return {"QueueUrl": request.path} if request.path.count("/") > 1 else {}
