"""The endpoint: HTTP in, one call of a service in a worker thread, HTTP out."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, Protocol, cast

from pavedroad.core.callers import is_called_here, is_page_elsewhere
from pavedroad.core.errors import Forbidden, PavedError, Unauthenticated
from pavedroad.localcloud.api.answers import Receive, Send, send_answer
from pavedroad.localcloud.api.bodies import IN_MEMORY, Bodies, HungUp
from pavedroad.localcloud.api.connections import CLIENT_ENDED
from pavedroad.localcloud.api.drafts import Drafts
from pavedroad.localcloud.api.encodings import plain
from pavedroad.localcloud.api.errors import error_response, legible
from pavedroad.localcloud.api.later import Call, Gone, Waits
from pavedroad.localcloud.api.problems import problem
from pavedroad.localcloud.api.scope import Scope, UnknownRegion, scope_of, scope_of_form
from pavedroad.localcloud.api.services import (
    ApiRequest,
    ApiResponse,
    Hindrance,
    OpenToAll,
    Service,
)
from pavedroad.localcloud.api.signatures.gate import Admission, Gate
from pavedroad.localcloud.api.signatures.message import Message, message_of
from pavedroad.localcloud.api.unproven import Keep, Unproven
from pavedroad.localcloud.errors import ServiceError, internal_failure

_log = logging.getLogger(__name__)
_THREADS = 48
_STRANGERS_FORMS = 2
"""Read at once, of those that say themselves whose they are: they wait for each other, nobody for them."""
_LONGEST_NAME = 100
_SOON_HASHED = 64 * 1024
"""Bytes of a body that are hashed sooner than another thread is asked to."""
_HEALTH = "/_pavedroad/health"

_OFFERED = "What it offers is listed in docs/reference/operations.md."

AccountOf = Callable[[str], str]
Hinders = Callable[[ApiRequest], Hindrance | None]
"""What stands between a call and its service, if anything; asked in the event loop."""


class Pages(Protocol):
    """What the endpoint answers besides AWS's services, by path; called in a worker thread."""

    def answers(self, path: str) -> bool: ...

    def handle(self, request: ApiRequest) -> ApiResponse: ...


class Endpoint:
    """An ASGI application over the services. It answers every request in AWS's own forms."""

    def __init__(
        self,
        services: Iterable[Service],
        account_of: AccountOf,
        health: Callable[[], Mapping[str, object]],
        *,
        gate: Gate,
        settle: Callable[[], None] = lambda: None,
        hinders: Hinders = lambda request: None,
        pages: Pages | None = None,
        apart: Mapping[str, int] | None = None,
        drafts: Drafts | None = None,
        refused: Mapping[str, str] | None = None,
    ) -> None:
        """`settle` is called after a call in the call's own thread, before its answer goes out. `apart` has
        the services whose calls may be long, by how many of them run at once: they wait for each other, and
        nobody else waits for them. Bodies are kept in `drafts` while they come. `refused` are services that
        are known and not there, and why."""
        self._services = {service.name: service for service in services}
        self._account_of = account_of
        self._health = health
        self._gate = gate
        self._settle = settle
        self._hinders = hinders
        self._pages = pages
        self._refused = refused or {}
        self._waits = Waits()
        self._unproven = Unproven()
        self._drafts = drafts or Drafts()
        self._bodies = Bodies(self._drafts)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="call")
        self._forms = ThreadPoolExecutor(_STRANGERS_FORMS, thread_name_prefix="form")
        self._apart = {
            name: ThreadPoolExecutor(most, thread_name_prefix=name) for name, most in (apart or {}).items()
        }

    @property
    def waiting(self) -> int:
        """How many calls wait for something to come, as long polls do."""
        return self._waits.count

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = _joined(scope["headers"])
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        stranger = _stranger(headers, cast("tuple[str, int | None]", scope["server"])[1])
        if path == _HEALTH:
            healthy = problem(stranger) if stranger else await self._in_thread(self._healthy)
            await send_answer(healthy, receive, send)
            return
        with cast("BinaryIO", self._drafts.open(IN_MEMORY)) as stream:
            blank = ApiRequest(
                "", "", "", scope["method"], path, query, headers, stream, 0, str(uuid.uuid4())
            )
            own = self._pages is not None and self._pages.answers(path)
            gone = partial(_end, scope, receive)
            message = message_of(blank.method, path, query, scope["headers"])
            try:
                with self._unproven.keeping() as keep:
                    if own:
                        response = await self._page(blank, message, receive, keep, stranger=stranger)
                    else:
                        response = await self._answer(blank, message, receive, keep, gone, stranger=stranger)
                response = legible(response)
            except HungUp:
                return
            await send_answer(response, receive, send)

    async def _answer(
        self,
        blank: ApiRequest,
        message: Message,
        receive: Receive,
        keep: Keep,
        gone: Gone,
        *,
        stranger: Forbidden | None,
    ) -> ApiResponse:
        try:
            called = scope_of(blank.headers, blank.query)
            refusal = self._refusal(called)
        except UnknownRegion as error:
            called, refusal = Scope(error.service, "us-east-1", ""), error
        except ServiceError as error:
            called, refusal = Scope("", "us-east-1", ""), error
        if stranger and not (isinstance(stranger, _FromPage) and self._lets_pages(blank, called)):
            refusal = ServiceError("AccessDenied", stranger.sentence, stranger.status)
        # A form without a signature says in its body whom it is for: it is no object, and as large as a form.
        in_form = refusal is None and called == Scope("s3", "us-east-1", "") and _is_action(blank.headers)
        request = _for(blank, Scope("", "us-east-1", "") if in_form else called)
        admission = Admission()
        if not (refusal or in_form):
            try:
                admission = await self._admit(message, request, called)
            except ServiceError as error:
                refusal = error
        try:
            keeps = None if admission.known and not in_form else keep
            length = await self._bodies.read(
                request, receive, keeps, admission.proof, discard=refusal is not None
            )
            if refusal:
                raise refusal
            if in_form:
                form = request.body()
                called = await self._of_form(scope_of_form, blank.headers, form.decode("latin-1"))
                request = _for(blank, called)
                await self._of_form(self._gate.admit_form, message, called, form)
                if refusal := self._refusal(called):
                    raise refusal
            request = _for(blank, called, self._account_of(called.key), length)
            request = replace(request, anonymous=admission.anonymous)
            await self._check(admission, request)
            if hindrance := self._hinders(request):
                await asyncio.sleep(hindrance.delay_seconds)
                if hindrance.refusal:
                    raise hindrance.refusal
            pool = self._apart.get(request.service, self._pool)
            ask = partial(asyncio.get_running_loop().run_in_executor, pool, self._settled)
            return await self._waits.settled(ask, partial(self._handle, request), gone)
        except ServiceError as error:
            return error_response(request, error)
        except HungUp:
            raise
        except Exception as error:
            _log.error("%s %s failed", request.method, request.path, exc_info=error)
            return error_response(request, internal_failure())

    async def _page(
        self,
        blank: ApiRequest,
        message: Message,
        receive: Receive,
        keep: Keep,
        *,
        stranger: PavedError | None,
    ) -> ApiResponse:
        assert self._pages is not None
        scope = Scope("", "", "")
        admission = Admission()
        try:
            try:
                admission = self._gate.admit(message, scope)
            except ServiceError as error:
                stranger = stranger or _unauthenticated(error)
            keeps = None if admission.known else keep
            length = await self._bodies.read(blank, receive, keeps, None, discard=stranger is not None)
            if stranger:
                return problem(stranger)
            request = _for(blank, scope, "", length)
            try:
                await self._check(admission, request)
            except ServiceError as error:
                return problem(_unauthenticated(error))
            return await self._in_thread(self._settled, partial(self._pages.handle, request))
        except ServiceError as error:
            return error_response(blank, error)
        except HungUp:
            raise
        except Exception as error:
            _log.error("%s %s failed", blank.method, blank.path, exc_info=error)
            return error_response(blank, internal_failure())

    async def _admit(self, message: Message, request: ApiRequest, called: Scope) -> Admission:
        """Of somebody without a key: where what is asked for is open to all, the body may be of any size."""
        if request.method == "OPTIONS" and called.service == "s3":
            return Admission(anonymous=True, known=False)  # a browser asks before it shows anything
        try:
            admission = self._gate.admit(message, called)
            service = self._services[called.service]
            if admission.anonymous and request.method == "PUT" and isinstance(service, OpenToAll):
                await self._in_thread(service.check_anonymous, request)
                return replace(admission, known=True)
        except ServiceError:
            raise
        except Exception as error:
            _log.error("%s %s could not be admitted", request.method, request.path, exc_info=error)
            raise internal_failure() from error
        return admission

    def _lets_pages(self, blank: ApiRequest, called: Scope) -> bool:
        """S3's rules of cross-origin requests let web pages in. Where nobody signs, so might any page without
        being asked of by its browser, but for what browsers ask about first, or do not show to the page."""
        if called.service != "s3" or _is_action(blank.headers):
            return False
        return self._gate.asks_for_proof or ("origin" in blank.headers and blank.method != "POST")

    async def _check(self, admission: Admission, request: ApiRequest) -> None:
        if admission.check is None:
            return
        if request.length > _SOON_HASHED:
            await self._in_thread(admission.check, request)
        else:
            admission.check(request)

    def _handle(self, request: ApiRequest) -> ApiResponse:
        return self._services[request.service].handle(plain(request))

    def _settled(self, call: Call) -> ApiResponse:
        try:
            return call()
        finally:
            self._settle()

    def _healthy(self) -> ApiResponse:
        body = json.dumps(self._health()).encode()
        return ApiResponse(200, (("content-type", "application/json"),), body)

    def _refusal(self, called: Scope) -> ServiceError | None:
        if called.service not in self._services:
            why = self._refused.get(
                called.service, f"There is no service '{called.service[:_LONGEST_NAME]}'."
            )
            return ServiceError("UnknownService", f"This cloud does not offer it. {why} {_OFFERED}")
        return None

    async def _of_form(self, function: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._forms, function, *arguments)

    async def _in_thread(self, function: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)


class _FromPage(Forbidden):
    """A web page of another site asks."""


def _stranger(headers: Mapping[str, str], port: int | None) -> Forbidden | None:
    """Neither a web page from elsewhere, nor a name from elsewhere that leads here."""
    host = headers.get("host", "")
    if not is_called_here(host, port):
        return Forbidden(
            f"This cloud does not answer to the name '{host[:_LONGEST_NAME]}': it is called 127.0.0.1, "
            f"localhost or a name below localhost, at port {port}."
        )
    if is_page_elsewhere(headers):
        return _FromPage("Web pages from elsewhere may not call this endpoint.")
    return None


def _unauthenticated(error: ServiceError) -> Unauthenticated:
    return Unauthenticated(
        f"{error.code}: {error.message}",
        next_step="Sign the request (AWS Signature Version 4) by the key that `paved cloud env` prints.",
    )


async def _end(scope: Mapping[str, Any], receive: Receive) -> None:
    """Until a client that has said all has hung up, or says that it will say no more."""
    while CLIENT_ENDED not in scope and (await receive())["type"] != "http.disconnect":
        pass


def _for(blank: ApiRequest, called: Scope, account: str = "", length: int = 0) -> ApiRequest:
    return ApiRequest(
        called.service,
        called.region,
        account,
        blank.method,
        blank.path,
        blank.query,
        blank.headers,
        blank.stream,
        length,
        blank.request_id,
    )


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _is_action(headers: Mapping[str, str]) -> bool:
    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return form or "x-amz-target" in headers
