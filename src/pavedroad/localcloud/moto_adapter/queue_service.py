"""SQS: moto's, with long polls that hold neither the state lock nor a thread."""

from __future__ import annotations

import time
from functools import partial

from pavedroad.localcloud.api.later import Later
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.moto_adapter.queues import take_poll
from pavedroad.localcloud.moto_adapter.services import MotoService
from pavedroad.localcloud.state import State


class QueueService(MotoService):
    """A receive that finds nothing is answered later, where its caller would wait."""

    def __init__(self, state: State) -> None:
        super().__init__("sqs", state)

    def handle(self, request: ApiRequest) -> ApiResponse:
        return self._asked(request, None)

    def _asked(self, request: ApiRequest, until: float | None) -> ApiResponse:
        take_poll()
        answer = super().handle(request)
        poll = take_poll()
        if poll is None:
            return answer
        now = time.monotonic()
        ends = now + poll.seconds if until is None else until
        if now >= ends:
            poll.place.leave()
            return answer
        return Later(
            answer.status,
            answer.headers,
            answer.body,
            place=poll.place,
            seconds=min(ends - now, poll.due_seconds),
            again=partial(self._asked, request, ends),
        )
