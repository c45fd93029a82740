"""Signing in: a token, or a link that is good once, begins a session. Its secret is in a cookie that no
script and no other site sees. Nothing that is only looked at signs anybody in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from pavedroad.access.model import Principal
from pavedroad.access.service import Access
from pavedroad.core.errors import Forbidden, TooManyAttempts, Unauthenticated
from pavedroad.portal.rendering import page

_COOKIE = "pavedroad_session"
_THIRTY_DAYS = 30 * 24 * 3600

router = APIRouter(include_in_schema=False)


class SignInNeededError(Exception):
    """The page is there, but nobody is signed in: the browser is sent to the sign-in page."""


def cookie_of(request: Request) -> str:
    """The session's cookie has our port in its name: browsers show it to all ports of this machine."""
    server = request.scope.get("server") or ("", None)
    return f"{_COOKIE}_{server[1]}" if server[1] else _COOKIE


async def viewer(request: Request) -> Principal:
    """Who is signed in. A changing request must come from our own pages."""
    secret = request.cookies.get(cookie_of(request))
    if not secret:
        raise SignInNeededError
    if request.method not in ("GET", "HEAD"):
        _demand_own_page(request)
    access: Access = request.app.state.access
    follows = "text/event-stream" in request.headers.get("accept", "")  # by itself, with nobody there
    try:
        found = await access.resume(secret, seen=not follows)
    except Unauthenticated:
        raise SignInNeededError from None
    request.state.principal = found
    return found


Viewer = Annotated[Principal, Depends(viewer)]


def _demand_own_page(request: Request) -> None:
    """The door refuses what says it comes from elsewhere; here it must say that it comes from us."""
    if "origin" not in request.headers and request.headers.get("sec-fetch-site") != "same-origin":
        raise Forbidden("This request did not come from the portal's own pages.")


@router.get("/login")
async def sign_in_page(request: Request) -> Response:
    """The form. What a link has after its `#` never comes here: our script puts it into the form."""
    answer = page(request, "login.html", {"error": "", "next_step": ""})
    answer.delete_cookie(_COOKIE, path="/")  # earlier versions kept the token itself in it
    return answer


@router.post("/login")
async def sign_in(request: Request, token: Annotated[str, Form()] = "") -> Response:
    _demand_own_page(request)
    access: Access = request.app.state.access
    remote = request.client.host if request.client else ""
    try:
        begun = await access.sign_in(
            token.strip(), browser=request.headers.get("user-agent", ""), remote=remote
        )
    except (Unauthenticated, TooManyAttempts) as error:
        told = {"error": error.sentence, "next_step": error.next_step}
        answer = page(request, "login.html", told, status=error.status)
        if isinstance(error, TooManyAttempts):
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(_COOKIE, path="/")
    answer.set_cookie(
        cookie_of(request),
        begun.secret,
        max_age=_THIRTY_DAYS,
        httponly=True,
        samesite="strict",
        secure=request.headers.get("origin", "").startswith("https:"),
        path="/",
    )
    return answer


@router.post("/logout")
async def sign_out(request: Request, viewer: Viewer) -> Response:
    """End the session itself, not only the browser's memory of it."""
    access: Access = request.app.state.access
    await access.end_session(viewer, viewer.credential.id)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(cookie_of(request), path="/")
    return answer


@router.get("/signed-in")
async def signed_in(viewer: Viewer) -> Response:
    """Whether the session still lasts: asked by a page whose stream has ended."""
    return Response(status_code=204)


@router.get("/sessions")
async def sessions(request: Request, viewer: Viewer) -> Response:
    access: Access = request.app.state.access
    found = await access.sessions.all(access.only(viewer))
    return page(request, "sessions.html", {"sessions": found, "own": viewer.credential.id}, principal=viewer)


@router.post("/sessions/{session_id}/end")
async def end_session(request: Request, session_id: str, viewer: Viewer) -> Response:
    access: Access = request.app.state.access
    await access.end_session(viewer, session_id)
    return RedirectResponse("/sessions", status_code=303)
