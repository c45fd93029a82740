"""Answers on their way out: bodies at once, large contents piece by piece."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from pavedroad.localcloud.api.services import ApiResponse, Content
from pavedroad.localcloud.errors import ServiceError

_log = logging.getLogger(__name__)
_PIECE = 256 * 1024

Receive = Callable[[], Any]
Send = Callable[[dict[str, Any]], Any]


async def send_answer(response: ApiResponse, receive: Receive, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), _latin(value)) for name, value in response.headers]
    if response.status not in (204, 304) and not any(name == b"content-length" for name, _ in headers):
        length = response.content.length if response.content else len(response.body)
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.content is not None and not await _send_content(response.content, receive, send):
        return  # the server hangs up on an answer that has not ended
    await send({"type": "http.response.body", "body": response.body})


async def _send_content(content: Content, receive: Receive, send: Send) -> bool:
    """As fast as the client takes it, and no longer than it is there. False where it turned out to be
    damaged: then the last of it is not sent."""
    left = content.length
    gone = asyncio.ensure_future(_hung_up(receive))
    with content.file:
        try:
            while left and not gone.done():
                piece = await asyncio.to_thread(content.file.read, min(left, _PIECE))
                left -= len(piece)
                if not (left and piece):
                    await asyncio.to_thread(content.demand)
                if not piece:
                    return False
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except (OSError, ServiceError) as error:
            _log.error("An answer was broken off: %s", error)
            return False
        finally:
            gone.cancel()
    return True


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _latin(value: str) -> bytes:
    """Header values as bytes; whatever is not Latin-1 goes as UTF-8, as S3 sends its metadata."""
    clean = value.replace("\r", " ").replace("\n", " ")
    try:
        return clean.encode("latin-1")
    except UnicodeEncodeError:
        return clean.encode()
