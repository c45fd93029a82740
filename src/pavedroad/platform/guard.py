"""What every request passes first: the door, the body's limits, the headers of every answer."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pavedroad.core.errors import PavedError
from pavedroad.platform.bodies import UPLOAD_SECONDS, Bodies, in_time
from pavedroad.platform.doors import Door
from pavedroad.platform.problems import problem_response

_UPLOADS = ("/v1/bakes",)
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """ASGI middleware. It also knows the event streams that are open, so that a stop may end them."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door
        self._bodies = Bodies()
        self._streams: set[asyncio.Task[None]] = set()
        self._ending = False

    def end_streams(self) -> None:
        """Close all event streams: they would hold up a graceful stop for ever."""
        self._ending = True
        for task in self._streams:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        send = _with_headers(send, private=scope["path"].startswith("/v1"))
        held = 0
        try:
            self._door.check(scope["method"], scope["path"], headers)
            if scope["path"].startswith(_UPLOADS):
                receive = in_time(receive, UPLOAD_SECONDS)
            else:
                receive, held = await self._bodies.ahead(headers, receive)
        except PavedError as refusal:
            await problem_response(refusal)(scope, receive, send)
            return
        try:
            await self._serve(scope, receive, send)
        finally:
            self._bodies.forget(held)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        serving: asyncio.Task[None] | None = None

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                kind = MutableHeaders(raw=message["headers"]).get("content-type", "")
                if kind.startswith("text/event-stream") and serving:
                    self._streams.add(serving)
            await send(message)

        async def serve() -> None:
            await self._app(scope, receive, watched)

        serving = asyncio.create_task(serve())
        try:
            await serving
        except asyncio.CancelledError:
            serving.cancel()
            if not (self._ending and serving in self._streams):
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._streams.discard(serving)


def _with_headers(send: Send, *, private: bool) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if private:
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
