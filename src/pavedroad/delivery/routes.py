"""Delivery over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Body, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from pavedroad.access.model import Principal
from pavedroad.access.routes import principal
from pavedroad.access.service import Access
from pavedroad.core.connections import SAID_ALL
from pavedroad.core.showing import LINES
from pavedroad.delivery.failures import Cancelled
from pavedroad.delivery.model import (
    ApplicationView,
    ClusterView,
    DeploymentView,
    DeployRequest,
    Progress,
    RegionView,
    RollbackPlan,
    RollbackView,
    ServerGroupView,
)
from pavedroad.delivery.service import Delivery

_PROGRESS = TypeAdapter(Progress)
_DEPLOYMENT = TypeAdapter(DeploymentView)


def _delivery(request: Request) -> Delivery:
    return cast("Delivery", request.app.state.delivery)


async def _viewer(request: Request, someone: Annotated[Principal, Depends(principal)]) -> Principal:
    cast("Access", request.app.state.access).authorise(someone, "view")
    return someone


Lines = Annotated[int, Query(ge=0, le=100_000, description="How many of each instance, from the end")]
Service = Annotated[Delivery, Depends(_delivery)]
Someone = Annotated[Principal, Depends(_viewer)]

router = APIRouter(prefix="/v1", tags=["delivery"], dependencies=[Depends(_viewer)])


class DeployBody(BaseModel):
    """An image to deploy as a manifest says."""

    model_config = ConfigDict(extra="forbid")

    manifest: dict[str, Any] = Field(description="paved.yaml as JSON; its schema is at /v1/schema.")
    image_id: str = Field(min_length=1, max_length=100, examples=["ami-0123456789abcdef0"])
    when_busy: Literal["refuse", "wait"] = Field(
        default="refuse", description="What to do while another deployment of the cluster runs."
    )
    foreign_image: bool = Field(
        default=False, description="Also an image that was not baked for the manifest's application."
    )
    capacity: Annotated[int, Field(ge=1, le=10_000)] | Literal["manifest"] | None = Field(
        default=None,
        description="How many instances; `manifest` for what the manifest says. Left out: as many as the "
        "groups have that lose the traffic, and for a first deployment what the manifest says.",
    )


class RollbackBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: str | None = Field(
        default=None,
        description="The server group to go back to; what served last when left out.",
        examples=["hello-v002"],
    )
    capacity: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="How many instances that group is to have; no fewer than those that lose the traffic "
        "when left out.",
    )
    when_cold: Literal["warm-up", "refuse"] = Field(
        default="warm-up",
        description="What to do when that group is not warm: bring it up and wait, or refuse (code cold) "
        "and say what that would take.",
    )


class CapacityBody(BaseModel):
    """How many instances a server group has."""

    model_config = ConfigDict(extra="forbid")

    minimum: int = Field(ge=0, le=10_000)
    desired: int = Field(ge=0, le=10_000)
    maximum: int = Field(ge=0, le=10_000)


class ConsoleText(BaseModel):
    """The end of what was written."""

    console: str


class Gone(BaseModel):
    """What is being deleted."""

    destroyed: str


@router.get("/applications", summary="The applications and their clusters")
async def list_applications(delivery: Service) -> list[ApplicationView]:
    return await delivery.applications()


@router.get("/clusters", summary="The clusters with their server groups and instances")
async def list_clusters(delivery: Service, application: str | None = None) -> list[ClusterView]:
    return await delivery.clusters(application)


@router.get("/clusters/{cluster}", summary="One cluster")
async def read_cluster(delivery: Service, cluster: str) -> ClusterView:
    return await delivery.cluster(cluster)


@router.get("/clusters/{cluster}/rollback", summary="What a rollback would do now")
async def read_rollback(
    delivery: Service,
    cluster: str,
    to: Annotated[str | None, Query(description="The server group to go back to", max_length=300)] = None,
    capacity: Annotated[int | None, Query(ge=1, le=10_000)] = None,
) -> RollbackPlan:
    """To which group, from which, and to which others it could be."""
    return await delivery.rollback_plan(cluster, to, capacity)


@router.post("/clusters/{cluster}/rollback", summary="Give the traffic back to an earlier server group")
async def roll_back(
    request: Request,
    delivery: Service,
    someone: Someone,
    cluster: str,
    body: Annotated[RollbackBody | None, Body()] = None,
) -> RollbackView:
    """At once when that group is warm; a group that was shrunk is brought up and healthy first. Whoever
    hangs up meanwhile ends that, and the group gets its old size back."""

    async def stop() -> None:
        if request.scope.get(SAID_ALL) or await request.is_disconnected():
            raise Cancelled("Whoever asked for the rollback hung up: the traffic stays where it is.")

    asked = body or RollbackBody()
    return await delivery.rollback(
        someone, cluster, asked.to, capacity=asked.capacity, when_cold=asked.when_cold, stop=stop
    )


@router.delete("/clusters/{cluster}", status_code=202, summary="Delete a cluster with all that it has")
async def destroy_cluster(delivery: Service, someone: Someone, cluster: str) -> Gone:
    await delivery.destroy_cluster(someone, cluster)
    return Gone(destroyed=cluster)


@router.get("/regions", summary="The regions, and which of them do not answer")
async def list_regions(delivery: Service) -> list[RegionView]:
    """As each did when it was last asked, by whatever."""
    return delivery.regions()


@router.get("/server-groups/{name}", summary="One server group")
async def read_server_group(delivery: Service, name: str) -> ServerGroupView:
    return await delivery.server_group(name)


@router.post("/server-groups/{name}/enable", summary="Let a server group take traffic")
async def enable_server_group(delivery: Service, someone: Someone, name: str) -> ServerGroupView:
    return await delivery.enable(someone, name)


@router.post("/server-groups/{name}/disable", summary="Take a server group's traffic away")
async def disable_server_group(delivery: Service, someone: Someone, name: str) -> ServerGroupView:
    """Refused for the last group that serves."""
    return await delivery.disable(someone, name)


@router.put("/server-groups/{name}/capacity", summary="Change how many instances a server group has")
async def resize_server_group(
    delivery: Service, someone: Someone, name: str, body: CapacityBody
) -> ServerGroupView:
    return await delivery.resize(someone, name, body.minimum, body.desired, body.maximum)


@router.delete("/server-groups/{name}", status_code=202, summary="Delete a server group")
async def destroy_server_group(delivery: Service, someone: Someone, name: str) -> Gone:
    """Refused for the last group that serves."""
    await delivery.destroy(someone, name)
    return Gone(destroyed=name)


@router.get("/server-groups/{name}/console", summary="What the instances of a server group wrote last")
async def read_group_console(delivery: Service, name: str, lines: Lines = LINES) -> ConsoleText:
    return ConsoleText(console=await delivery.console(name, lines))


@router.get("/instances/{instance}/console", summary="What an instance wrote last")
async def read_instance_console(delivery: Service, instance: str, lines: Lines = LINES) -> ConsoleText:
    return ConsoleText(console=await delivery.console(instance, lines))


@router.post("/deployments", status_code=202, summary="Deploy an image as a manifest says")
async def deploy(delivery: Service, someone: Someone, body: DeployBody) -> DeploymentView:
    """Accepted, and then on its way by itself: follow its events."""
    request = DeployRequest(body.manifest, body.image_id, body.when_busy, body.foreign_image, body.capacity)
    return await delivery.deploy(someone, request)


@router.get("/deployments", summary="The deployments, newest first, without their progress")
async def list_deployments(
    delivery: Service, cluster: str | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> list[DeploymentView]:
    return await delivery.deployments(cluster, limit)


@router.get("/deployments/{deployment}", summary="One deployment with its progress")
async def read_deployment(delivery: Service, deployment: str) -> DeploymentView:
    return await delivery.deployment(deployment)


@router.get(
    "/deployments/{deployment}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
    summary="A deployment's progress as server-sent events, from its first line on",
)
async def follow_deployment(
    delivery: Service,
    deployment: str,
    last_event_id: Annotated[int, Header(ge=0, description="Begin after this line.")] = 0,
) -> StreamingResponse:
    """Each event's data is a line of progress; the last, named `finished`, is the deployment as it ended."""
    await delivery.deployment(deployment)  # an unknown one is a 404, not an empty stream
    return StreamingResponse(
        _events(delivery, deployment, last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.post("/deployments/{deployment}/cancel", summary="Stop a deployment and take away what it made")
async def cancel_deployment(delivery: Service, someone: Someone, deployment: str) -> DeploymentView:
    """Refused once it takes the traffic: roll back then."""
    return await delivery.cancel(someone, deployment)


async def _events(delivery: Delivery, deployment: str, after: int) -> AsyncGenerator[bytes]:
    async for told in delivery.follow(deployment, after):
        match told:
            case Progress():
                yield b"id: %d\nevent: progress\ndata: %s\n\n" % (told.number, _PROGRESS.dump_json(told))
            case DeploymentView():
                yield b"event: finished\ndata: %s\n\n" % _DEPLOYMENT.dump_json(told)
