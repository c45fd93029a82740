"""Bodies of requests as they come: bounded, and on disk where they are large or anybody's."""

from __future__ import annotations

import asyncio
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from pavedroad.core.numbers import count
from pavedroad.localcloud.api.answers import Receive
from pavedroad.localcloud.api.drafts import Drafts
from pavedroad.localcloud.api.services import LARGEST_OBJECT, ApiRequest
from pavedroad.localcloud.api.signatures.gate import Proof
from pavedroad.localcloud.api.unproven import IN_MEMORY as LITTLE_IN_MEMORY
from pavedroad.localcloud.api.unproven import Keep
from pavedroad.localcloud.errors import ServiceError

IN_MEMORY = 4 * 2**20
_LARGEST = 16 * 2**20
_LARGEST_OF_STRANGERS = 3 * 2**20
"""Of forms that say themselves whose they are. The largest is a message of 1 MiB, percent-encoded."""
_LARGEST_FRAME = LARGEST_OBJECT // 64
"""Besides the object: what forms and signed chunks put around it."""
_DECODED = "x-amz-decoded-content-length"
_DRAINED = 64 * 2**20
_SILENCE_SECONDS = 60.0
"""In the middle of a body."""


class HungUp(Exception):
    """The client did, in the middle of its request."""


class Bodies:
    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts

    async def read(
        self, request: ApiRequest, receive: Receive, keep: Keep | None, proof: Proof | None, *, discard: bool
    ) -> int:
        """The body into the request's stream. `keep` is there where whoever sends it may be anybody, until
        the `proof` that comes in it. What is refused in the middle is read on for a while, so that its
        sender hears why."""
        limit, declared = _limits(request)
        refusal = _too_large(request, limit) if declared > limit else None
        if refusal and declared > _DRAINED:
            raise refusal
        length = refused_at = 0
        while True:
            message = await _next(receive)
            if message["type"] == "http.disconnect":
                raise HungUp
            chunk = message.get("body", b"")
            length += len(chunk)
            if not refusal:
                try:
                    if length > limit:
                        raise _too_large(request, limit)
                    if chunk and not discard:
                        if proof and proof(chunk):
                            keep = None
                        await self._keep(request.stream, chunk, length, keep)
                except ServiceError as error:
                    refusal, refused_at = error, length
            if refusal and length - refused_at > _DRAINED:
                raise refusal
            if not message.get("more_body", False):
                break
        if refusal and not discard:
            raise refusal
        return length

    async def _keep(self, stream: BinaryIO, chunk: bytes, length: int, keep: Keep | None) -> None:
        in_memory = LITTLE_IN_MEMORY if keep else IN_MEMORY
        if keep:
            keep(len(chunk))
        try:
            if length <= in_memory:
                stream.write(chunk)
                return
            if keep:
                await asyncio.to_thread(cast("SpooledTemporaryFile[bytes]", stream).rollover)
            await asyncio.to_thread(stream.write, chunk)
        except OSError as error:
            raise self._drafts.refused(error) from error


def _limits(request: ApiRequest) -> tuple[int, int]:
    """Of a body: how long it may be, and how long it is said to be."""
    said = count(request.headers.get("content-length", "")) or 0
    if request.service != "s3":
        return _LARGEST if request.service else _LARGEST_OF_STRANGERS, said
    if object_said := count(request.headers.get(_DECODED, "")):
        return LARGEST_OBJECT + _LARGEST_FRAME, max(said, object_said + _LARGEST_FRAME)
    form = request.headers.get("content-type", "").startswith("multipart/form-data")
    return LARGEST_OBJECT + (_LARGEST_FRAME if form else 0), said


async def _next(receive: Receive) -> Any:
    try:
        async with asyncio.timeout(_SILENCE_SECONDS):
            return await receive()
    except TimeoutError:
        raise ServiceError(
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the timeout period.",
        ) from None


def _too_large(request: ApiRequest, limit: int) -> ServiceError:
    code, status = ("EntityTooLarge", 400) if request.service == "s3" else ("RequestEntityTooLarge", 413)
    return ServiceError(code, f"The request's body is over the limit of {limit} bytes.", status)
