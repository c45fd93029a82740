"""The portal as the platform mounts it: its routes, its static files, its own answer to errors."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from pavedroad.core.errors import PavedError
from pavedroad.portal import clusters, faults, records, sessions
from pavedroad.portal.rendering import page

_STATIC = Path(__file__).with_name("static")


def mount(app: FastAPI) -> None:
    """Adds the pages to the platform's application."""
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    for part in (sessions.router, clusters.router, records.router, faults.router):
        app.include_router(part)
    app.add_exception_handler(sessions.SignInNeededError, _to_sign_in)


def is_page(request: Request) -> bool:
    """Whether this request is for a page rather than the API."""
    return not request.url.path.startswith(("/v1/", "/healthz", "/openapi", "/docs"))


def error_page(request: Request, error: PavedError) -> Response:
    """A refused action as a notice in the page, a refused page as a page."""
    values = {"tone": "bad", "sentence": error.sentence, "next_step": error.next_step}
    if request.headers.get("hx-request"):
        return page(request, "parts/notice.html", values)
    return page(request, "error.html", {**values, "status": error.status}, status=error.status)


async def _to_sign_in(request: Request, error: Exception) -> Response:
    if request.headers.get("hx-request"):
        return Response(headers={"HX-Redirect": "/login"})
    return RedirectResponse("/login", status_code=303)
