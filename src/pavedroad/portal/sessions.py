"""Signing in: the API's token, kept in a cookie that scripts and other sites never see."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from pavedroad.access.model import Principal
from pavedroad.access.service import Access
from pavedroad.core.errors import Forbidden, Unauthenticated
from pavedroad.portal.rendering import page

COOKIE = "pavedroad_session"
_THIRTY_DAYS = 30 * 24 * 3600

router = APIRouter(include_in_schema=False)


class SignInNeededError(Exception):
    """The page is there, but nobody is signed in: the browser is sent to the sign-in page."""


async def viewer(request: Request) -> Principal:
    """Who is signed in. A changing request must come from our own pages."""
    token = request.cookies.get(COOKIE)
    if not token:
        raise SignInNeededError
    if request.method not in ("GET", "HEAD"):
        _demand_own_page(request)
    access: Access = request.app.state.access
    try:
        return await access.authenticate(token)
    except Unauthenticated:
        raise SignInNeededError from None


Viewer = Annotated[Principal, Depends(viewer)]


def _demand_own_page(request: Request) -> None:
    """The door refuses what says it comes from elsewhere; here it must say that it comes from us."""
    if "origin" not in request.headers and request.headers.get("sec-fetch-site") != "same-origin":
        raise Forbidden("This request did not come from the portal's own pages.")


@router.get("/login")
async def sign_in_page(request: Request, token: str = "") -> Response:
    """The form; with `?token=` as `paved up` prints it, straight in."""
    if token:
        return await _sign_in(request, token)
    return page(request, "login.html", {"error": ""})


@router.post("/login")
async def sign_in(request: Request, token: Annotated[str, Form()] = "") -> Response:
    _demand_own_page(request)
    return await _sign_in(request, token.strip())


async def _sign_in(request: Request, token: str) -> Response:
    access: Access = request.app.state.access
    try:
        await access.authenticate(token)
    except Unauthenticated as error:
        return page(request, "login.html", {"error": error.sentence}, status=401)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(COOKIE, token, max_age=_THIRTY_DAYS, httponly=True, samesite="strict", path="/")
    return answer


@router.post("/logout")
async def sign_out(request: Request) -> Response:
    _demand_own_page(request)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE, path="/")
    return answer
