"""What every request passes first: the door, the body's limits, the headers of every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import ExitStack
from urllib.parse import quote, unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pavedroad.access.lasting import Lasting
from pavedroad.access.model import Principal
from pavedroad.core.errors import InvalidInput, PavedError
from pavedroad.core.names import is_segment
from pavedroad.core.showing import shown
from pavedroad.platform.bodies import UPLOAD_SECONDS, Bodies, in_time
from pavedroad.platform.doors import Door
from pavedroad.platform.problems import problem_response

_UPLOADS = ("/v1/bakes",)
_LONGEST_SHOWN = 100
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
    """ASGI middleware. It also knows the event streams that are open, so that a stop may end them, and so
    that each ends with the token or session of who follows it."""

    def __init__(self, app: ASGIApp, door: Door, lasting: Lasting) -> None:
        self._app = app
        self._door = door
        self._lasting = lasting
        self._bodies = Bodies()
        self._streams = set[_Stream]()

    def end_streams(self) -> None:
        """Close all event streams: they would hold up a graceful stop for ever."""
        for stream in tuple(self._streams):
            stream.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        send = _with_headers(send, private=scope["path"].startswith("/v1"))
        held = 0
        try:
            self._door.check(scope["method"], scope["path"], headers)
            _check_names(scope.get("raw_path") or quote(scope["path"]).encode())
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
        stream = _Stream()
        with ExitStack() as held:

            async def watched(message: Message) -> None:
                await send(message)
                if message["type"] == "http.response.start" and _is_stream(message):
                    self._streams.add(stream)
                    held.callback(self._streams.discard, stream)
                    principal: Principal | None = scope.get("state", {}).get("principal")
                    if principal:
                        held.enter_context(self._lasting.hold(principal, stream.end))

            if await stream.ended_early(self._app(scope, receive, watched)):
                await send({"type": "http.response.body", "body": b"", "more_body": False})


def _check_names(path: bytes) -> None:
    """No segment of an address may lead elsewhere or hide what it is."""
    for segment in map(unquote, path.decode("latin-1").split("/")):
        if segment and not is_segment(segment):
            raise InvalidInput(f"'{shown(segment)[:_LONGEST_SHOWN]}' is no name.")


class _Stream:
    """A request being served that may be told to end in the middle of its answer."""

    def __init__(self) -> None:
        self._serving: asyncio.Task[None] | None = None
        self._told = False

    def end(self) -> None:
        self._told = True
        if self._serving:
            self._serving.cancel()

    async def ended_early(self, serving: Awaitable[None]) -> bool:
        """Serve; whether it was told to end before it was done."""
        self._serving = asyncio.ensure_future(serving)
        try:
            await self._serving
        except asyncio.CancelledError:
            self._serving.cancel()
            if not self._told:
                raise
            return True
        return False


def _is_stream(start: Message) -> bool:
    kind = MutableHeaders(raw=start["headers"]).get("content-type", "")
    return kind.startswith("text/event-stream")


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
