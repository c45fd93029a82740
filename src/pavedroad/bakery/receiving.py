"""A request's body as a file: streamed, and no larger than it may be."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import Request
from starlette.requests import ClientDisconnect

from pavedroad.bakery.queueing import Place
from pavedroad.core.errors import InvalidInput, TooLarge, Unavailable
from pavedroad.core.numbers import count

_BUFFER = 1 << 20
_TYPES = (
    "application/zstd",
    "application/gzip",
    "application/x-gzip",
    "application/x-tar",
    "application/octet-stream",
)


async def receive(request: Request, target: Path, place: Place, *, largest: int) -> None:
    """Refuses what is no archive by its type, and, as early as can be told, what is too large."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise InvalidInput(
            f"The body's type is '{kind}'; allowed: {', '.join(_TYPES)}.",
            next_step="Send the folder as a tar compressed with zstd or gzip, as `paved bake` does.",
        )
    too_large = TooLarge(
        f"The body is over {largest:,} bytes, which is all that a bake takes.",
        next_step="Leave out what is not needed, in .pavedignore or in build.exclude.",
    )
    announced = count(request.headers.get("content-length", ""))
    if announced is not None:
        if announced > largest:
            raise too_large
        place.keep(announced)
    size = 0
    try:
        file = await asyncio.to_thread(target.open, "wb")
        try:
            buffer = bytearray()
            async for chunk in request.stream():
                size += len(chunk)
                if size > largest:
                    raise too_large
                if size > place.bytes:
                    place.keep(size + _BUFFER)
                buffer += chunk
                if len(buffer) >= _BUFFER:
                    await asyncio.to_thread(file.write, bytes(buffer))
                    buffer.clear()
            await asyncio.to_thread(file.write, bytes(buffer))
        finally:
            await asyncio.to_thread(file.close)
    except ClientDisconnect:
        raise InvalidInput("The body ended before it was whole.") from None
    except OSError as error:
        raise Unavailable(f"The body could not be kept: {error.strerror}.") from error
    if size == 0:
        raise InvalidInput(
            "The body is empty.", next_step="Send the folder as a tar compressed with zstd or gzip."
        )
