"""The HTTP application: every capability's routes and the portal over one set of services."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import fields
from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from pavedroad import __version__
from pavedroad.access import routes as access
from pavedroad.access.routes import principal
from pavedroad.bakery import routes as bakery
from pavedroad.chaos import routes as chaos
from pavedroad.delivery import routes as delivery
from pavedroad.platform import problems, routes
from pavedroad.platform.services import Services
from pavedroad.portal import pages

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
_PROBLEM = {"content": {problems.MEDIA_TYPE: {"schema": problems.Problem.model_json_schema()}}}
_FAILURES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused: says why, and the next step.", **_PROBLEM},
    "5XX": {"description": "Broken: says what, and where to read on.", **_PROBLEM},
}


def routers() -> tuple[APIRouter, ...]:
    """Every router of the HTTP API; all but the first need a token."""
    return (routes.health, routes.router, delivery.router, bakery.router, chaos.router, access.router)


def build_app(services: Services, lifespan: Lifespan | None = None) -> FastAPI:
    """Everything under `/v1` needs a token; what needs none is `/healthz` and the portal's sign-in."""
    app = FastAPI(
        title="Pavedroad",
        version=__version__,
        summary="The paved road: applications, clusters, server groups, images and deployments.",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        responses=_FAILURES,
    )
    for service in fields(services):
        setattr(app.state, service.name, getattr(services, service.name))
    problems.install(app)
    public, *guarded = routers()
    app.include_router(public)
    for router in guarded:
        app.include_router(router, dependencies=[Depends(principal)])
    pages.mount(app)
    return app
