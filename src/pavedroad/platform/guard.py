"""What every request passes first: the host's name, the body's size, the headers of every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pavedroad.core.errors import PavedError, TooLarge
from pavedroad.platform.problems import Misdirected, problem_response

LARGEST_BODY = 1_000_000
_LONGEST_NAME = 100
_UPLOADS = ("/v1/bakes",)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
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

    def __init__(self, app: ASGIApp, *, allowed_hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts = _LOOPBACK | {host.lower() for host in allowed_hosts}
        self._streams: set[asyncio.Task[None]] = set()
        self._ending = False

    def end_streams(self) -> None:
        """Close all event streams: they would hold up a graceful stop for ever."""
        self._ending = True
        for task in self._streams:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        send = _with_headers(send, private=scope["path"].startswith("/v1"))
        try:
            self._check_host(headers)
            if not scope["path"].startswith(_UPLOADS):
                receive = await _bounded(headers, receive)
        except PavedError as refusal:
            await problem_response(refusal)(scope, receive, send)
            return
        await self._serve(scope, receive, send)

    def _check_host(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            raise Misdirected(
                f"This API does not answer to the name '{host[:_LONGEST_NAME]}'.",
                next_step="Use http://127.0.0.1, or add the name to PAVED_ALLOWED_HOSTS.",
            )

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


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


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


async def _bounded(headers: Headers, receive: Receive) -> Receive:
    """The body, read ahead: it is refused before anything has looked at it."""
    refusal = TooLarge(
        f"The body is over the limit of {LARGEST_BODY // 1_000_000} MB.",
        next_step="Send less; folders go to POST /v1/bakes.",
    )
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > LARGEST_BODY:
        raise refusal
    if declared == "0" and "transfer-encoding" not in headers:
        return receive
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise refusal
        if not message.get("more_body"):
            break
    pending: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
