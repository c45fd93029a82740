"""Bodies of requests: bounded in size, in time, and in how much of them is held at once."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from pavedroad.core.errors import TooLarge, TooSlow, Unavailable
from pavedroad.core.numbers import count

LARGEST_BODY = 1_000_000
SILENCE_SECONDS = 60.0
"""In the middle of a body."""
BODY_SECONDS = 120.0
UPLOAD_SECONDS = 3600.0
_HELD_AT_ONCE = 64 * LARGEST_BODY
"""Of all requests together: whoever asks need not have shown a token yet."""


class Bodies:
    """Reads bodies ahead, so that they are refused before anything has looked at them."""

    def __init__(self) -> None:
        self.held = 0
        """Bytes, of all requests together."""

    async def ahead(self, headers: Headers, receive: Receive) -> tuple[Receive, int]:
        """The body, whole, and its length: `forget` that many bytes when the request is done."""
        refusal = TooLarge(
            f"The body is over the limit of {LARGEST_BODY // 1_000_000} MB.",
            next_step="Send less; folders go to POST /v1/bakes.",
        )
        declared = count(headers.get("content-length", "0"))
        if declared is not None and declared > LARGEST_BODY:
            raise refusal
        if declared == 0 and "transfer-encoding" not in headers:
            return receive, 0
        receive = in_time(receive, BODY_SECONDS)
        body = bytearray()
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    self.forget(len(body))
                    return receive, 0  # which says so again: half a body is none
                self._hold(body, message.get("body", b""))
                if len(body) > LARGEST_BODY:
                    raise refusal
                if not message.get("more_body"):
                    break
        except BaseException:
            self.forget(len(body))
            raise
        pending: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        return replay, len(body)

    def forget(self, length: int) -> None:
        self.held -= length

    def _hold(self, body: bytearray, more: bytes) -> None:
        if self.held + len(more) > _HELD_AT_ONCE:
            raise Unavailable("Too many large requests come at once.", next_step="Send it again in a moment.")
        self.held += len(more)
        body += more


def in_time(receive: Receive, within: float) -> Receive:
    """The same body; `TooSlow` where it does not come."""
    deadline = asyncio.get_running_loop().time() + within
    whole = False

    async def receiving() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        left = deadline - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(left, SILENCE_SECONDS)):
                message = await receive()
        except TimeoutError:
            raise TooSlow("The request's body did not come in time.", next_step="Send it again.") from None
        whole = not message.get("more_body")
        return message

    return receiving
