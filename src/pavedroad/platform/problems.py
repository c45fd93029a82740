"""Every error as `application/problem+json` (RFC 9457), or as a page where a browser asked for one."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from pavedroad.core.errors import (
    Busy,
    Conflict,
    InvalidInput,
    NotFound,
    PavedError,
    TooLarge,
    TooManyAttempts,
    Unauthenticated,
    UnsupportedMethod,
)
from pavedroad.core.showing import shown
from pavedroad.portal.pages import error_page, is_page

MEDIA_TYPE = "application/problem+json"
_TYPES = "https://pavedroad.dev/problems/"
_SEND_JSON = "Send a JSON object with Content-Type: application/json."
_STATUSES: dict[int, type[PavedError]] = {
    400: InvalidInput,
    401: Unauthenticated,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
}

logger = logging.getLogger(__name__)


class Problem(BaseModel):
    """What went wrong: `detail` is one sentence, `next_step` what to do, `code` stable for scripts."""

    type: str = Field(examples=["https://pavedroad.dev/problems/not-found"])
    title: str
    status: int
    detail: str
    code: str
    next_step: str | None = None
    field: str | None = Field(None, description="The field at fault, dotted, where there is one.")
    instance: str | None = Field(None, description="The id of an unexpected error, as it stands in the log.")


def problem_response(
    error: PavedError,
    *,
    field: str | None = None,
    instance: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = Problem(
        type=_TYPES + error.code,
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=error.sentence,
        code=error.code,
        next_step=error.next_step,
        field=field,
        instance=instance,
    )
    extra = dict(headers or {})
    if error.status == 401:
        extra["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Busy):
        extra["Retry-After"] = str(error.retry_after)
    return JSONResponse(body.model_dump(exclude_none=True), error.status, extra, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make the application answer all its errors this way."""
    app.add_exception_handler(PavedError, _paved)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _answer(request: Request, error: PavedError, **details: Any) -> Response:
    if is_page(request):
        return error_page(request, error)
    return problem_response(error, **details)


async def _paved(request: Request, error: Exception) -> Response:
    assert isinstance(error, PavedError)
    if error.status >= 500:
        logger.warning("%s %s: %s", request.method, quote(request.url.path), shown(error.sentence))
    return _answer(request, error, headers=_waits(error))


def _waits(error: PavedError) -> dict[str, str]:
    return {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttempts) else {}


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = error.errors()[0]
    if first["type"] == "json_invalid":
        where = first["loc"][-1]
        what = first.get("ctx", {}).get("error", "it cannot be parsed")
        refusal = InvalidInput(
            f"The body is not JSON: {what} at character {where}.",
            next_step=_SEND_JSON,
        )
        return _answer(request, refusal)
    place, *path = (str(part) for part in first["loc"])
    field = ".".join(path)
    named = f"'{field}' in the {place}" if field else f"The {place}"
    refusal = InvalidInput(
        f"{named}: {first['msg'][:1].lower()}{first['msg'][1:]}.",
        next_step="GET /v1/openapi.json describes every request.",
    )
    return _answer(request, refusal, field=field or place)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        refusal: PavedError = UnsupportedMethod(
            f"{request.method} is not possible on {request.url.path}.",
            next_step=f"Use {allowed}." if allowed else None,
        )
    elif error.status_code == 404:
        refusal = NotFound(
            f"There is nothing at {request.url.path}.",
            next_step=None if is_page(request) else "GET /v1/openapi.json lists every route.",
        )
    elif isinstance(error.__cause__, ValueError | RecursionError):
        refusal = InvalidInput(
            f"The body is not JSON that can be read: {_why(error.__cause__)}.", next_step=_SEND_JSON
        )
    else:
        kind = _STATUSES.get(error.status_code, InvalidInput if error.status_code < 500 else PavedError)
        refusal = kind(f"{str(error.detail).rstrip('.')}.")
    return _answer(request, refusal, headers=error.headers)


def _why(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    return "a number in it is too long"


async def _unexpected(request: Request, error: Exception) -> Response:
    number = secrets.token_hex(6)
    where = quote(request.url.path)
    logger.error("error %s in %s %s: %s", number, request.method, where, type(error).__name__)
    refusal = PavedError(
        f"Something broke inside Pavedroad; it is error {number} in the log.",
        next_step="Read platform.log in the logs folder of the home, and report it.",
    )
    return _answer(request, refusal, instance=number)
