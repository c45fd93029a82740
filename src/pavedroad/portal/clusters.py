"""The clusters: all of them at a glance, and one with its groups, instances, images and traffic."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from pavedroad.bakery.model import ImageView
from pavedroad.bakery.service import Bakery
from pavedroad.core.errors import CloudFailed, InvalidInput, Unavailable
from pavedroad.core.names import ClusterName
from pavedroad.core.showing import LINES
from pavedroad.delivery.model import ClusterView, DeploymentView
from pavedroad.delivery.overview import why
from pavedroad.delivery.routes import Lines
from pavedroad.delivery.service import Delivery
from pavedroad.portal.live import live
from pavedroad.portal.rendering import fragment, page
from pavedroad.portal.sessions import Viewer

router = APIRouter(include_in_schema=False)
_IMAGES_SECONDS = 5.0
_MOST_INSTANCES = 10_000


def _delivery(request: Request) -> Delivery:
    return request.app.state.delivery


async def _overview(request: Request) -> dict[str, object]:
    delivery = _delivery(request)
    clusters = await delivery.clusters()
    silent = [why(region) for region in delivery.regions() if not region.answers]
    return {"clusters": clusters, "silent": silent}


async def _cluster(request: Request, name: str) -> dict[str, object]:
    delivery = _delivery(request)
    cluster = await delivery.cluster(name)
    running: DeploymentView | None = None
    if cluster.deployment:
        running = await delivery.deployment(cluster.deployment)
    return {"cluster": cluster, "running": running, "rollback": await delivery.rollback_of(cluster)}


async def _images(request: Request, application: str, region: str) -> list[ImageView]:
    """None from a region that does not answer: the cluster's own reason says so."""
    bakery: Bakery = request.app.state.bakery
    try:
        async with asyncio.timeout(_IMAGES_SECONDS):
            return await bakery.images(application, region=region)
    except (CloudFailed, Unavailable, TimeoutError):
        return []


@router.get("/")
async def overview(request: Request, viewer: Viewer) -> Response:
    return page(request, "overview.html", await _overview(request), principal=viewer)


@router.get("/live/clusters")
async def overview_live(request: Request, viewer: Viewer) -> StreamingResponse:
    async def render() -> str:
        return fragment("parts/overview.html", await _overview(request))

    return live(request, "clusters", render)


@router.get("/clusters/{name}")
async def cluster_page(request: Request, name: str, viewer: Viewer) -> Response:
    values = await _cluster(request, name)
    region = cast("ClusterView", values["cluster"]).region
    images = await _images(request, ClusterName.parse(name).application, region)
    deployments = await _delivery(request).deployments(name, 10)
    return page(
        request, "cluster.html", {**values, "images": images, "deployments": deployments}, principal=viewer
    )


@router.get("/live/clusters/{name}")
async def cluster_live(request: Request, name: str, viewer: Viewer) -> StreamingResponse:
    async def render() -> str:
        return fragment("parts/cluster.html", await _cluster(request, name), viewer)

    return live(request, "cluster", render)


@router.get("/live/clusters/{name}/deployments")
async def cluster_deployments_live(request: Request, name: str, viewer: Viewer) -> StreamingResponse:
    async def render() -> str:
        deployments = await _delivery(request).deployments(name, 10)
        return fragment("parts/deployments.html", {"deployments": deployments})

    return live(request, "deployments", render)


@router.post("/clusters/{name}/deploy")
async def deploy(
    request: Request,
    name: str,
    viewer: Viewer,
    *,
    image_id: Annotated[str, Form()],
    foreign_image: Annotated[bool, Form()] = False,
    capacity: Annotated[str, Form()] = "",
) -> Response:
    """The image under the manifest that the cluster was last deployed with."""
    deployment = await _delivery(request).redeploy(
        viewer, name, image_id, foreign_image=foreign_image, capacity=_instances(capacity)
    )
    return _go(request, f"/deployments/{deployment.id}")


@router.post("/clusters/{name}/rollback")
async def roll_back(
    request: Request, name: str, viewer: Viewer, to: Annotated[str | None, Form()] = None
) -> Response:
    done = await _delivery(request).rollback(viewer, name, to)
    sentence = f"{done.sentence} It took {done.seconds * 1000:.0f} ms."
    return page(request, "parts/notice.html", {"tone": "good", "sentence": sentence})


@router.post("/server-groups/{name}/{verb}")
async def switch(request: Request, name: str, verb: str, viewer: Viewer) -> Response:
    """Enable, disable or destroy a server group."""
    delivery = _delivery(request)
    if verb == "enable":
        await delivery.enable(viewer, name)
        sentence = f"{name} takes traffic."
    elif verb == "disable":
        await delivery.disable(viewer, name)
        sentence = f"{name} takes no traffic any more."
    elif verb == "destroy":
        await delivery.destroy(viewer, name)
        sentence = f"{name} is being destroyed."
    else:
        return Response(status_code=404)
    return page(request, "parts/notice.html", {"tone": "good", "sentence": sentence})


@router.get("/instances/{instance_id}/console")
async def console(request: Request, instance_id: str, viewer: Viewer, lines: Lines = LINES) -> Response:
    text = await _delivery(request).console(instance_id, lines)
    shown = {"instance_id": instance_id, "text": text, "lines": lines}
    return page(request, "console.html", shown, principal=viewer)


@router.get("/live/instances/{instance_id}/console")
async def console_live(
    request: Request, instance_id: str, viewer: Viewer, lines: Lines = LINES
) -> StreamingResponse:
    async def render() -> str:
        text = await _delivery(request).console(instance_id, lines)
        return fragment("parts/console.html", {"text": text})

    return live(request, "console", render)


def _instances(text: str) -> int | None:
    """As many as serve now, where nothing is said."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_INSTANCES):
        raise InvalidInput(f"'{text[:100]}' is no number of instances.")
    return int(text)


def _go(request: Request, where: str) -> Response:
    """To another page, whether htmx asked or a plain form."""
    if request.headers.get("hx-request"):
        return Response(headers={"HX-Redirect": where})
    return RedirectResponse(where, status_code=303)
