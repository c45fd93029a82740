"""What happened and what there is: deployments, images, the audit log."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from pavedroad.access.model import AuditQuery
from pavedroad.access.service import Access
from pavedroad.bakery.service import Bakery
from pavedroad.bakery.sizes import counted, spoken
from pavedroad.delivery.model import FINAL
from pavedroad.delivery.service import Delivery
from pavedroad.portal.live import live
from pavedroad.portal.rendering import fragment, page
from pavedroad.portal.sessions import Viewer

router = APIRouter(include_in_schema=False)


async def _deployment(request: Request, deployment_id: str) -> dict[str, object]:
    delivery: Delivery = request.app.state.delivery
    deployment = await delivery.deployment(deployment_id)
    return {"deployment": deployment, "final": deployment.phase in FINAL}


@router.get("/deployments")
async def deployments(request: Request, viewer: Viewer) -> Response:
    delivery: Delivery = request.app.state.delivery
    return page(
        request, "deployments.html", {"deployments": await delivery.deployments(None, 100)}, principal=viewer
    )


@router.get("/deployments/{deployment_id}")
async def deployment(request: Request, deployment_id: str, viewer: Viewer) -> Response:
    return page(request, "deployment.html", await _deployment(request, deployment_id), principal=viewer)


@router.get("/live/deployments/{deployment_id}")
async def deployment_live(request: Request, deployment_id: str, viewer: Viewer) -> StreamingResponse:
    async def render() -> str:
        return fragment("parts/deployment.html", await _deployment(request, deployment_id), viewer)

    return live(request, "deployment", render)


@router.post("/deployments/{deployment_id}/cancel")
async def cancel(request: Request, deployment_id: str, viewer: Viewer) -> Response:
    delivery: Delivery = request.app.state.delivery
    await delivery.cancel(viewer, deployment_id)
    return page(
        request, "parts/notice.html", {"tone": "good", "sentence": "The deployment is being cancelled."}
    )


@router.get("/images")
async def images(request: Request, viewer: Viewer) -> Response:
    bakery: Bakery = request.app.state.bakery
    return page(request, "images.html", {"images": await bakery.images(None)}, principal=viewer)


@router.get("/images/prune")
async def pruning(request: Request, viewer: Viewer) -> Response:
    """What would go."""
    bakery: Bakery = request.app.state.bakery
    plan = await bakery.pruning.plan()
    return page(request, "parts/pruning.html", {"plan": plan, "size": spoken(plan.bytes)}, principal=viewer)


@router.post("/images/prune")
async def prune(request: Request, viewer: Viewer) -> Response:
    bakery: Bakery = request.app.state.bakery
    done = await bakery.pruning.prune(viewer)
    images, objects = counted(len(done.images), "image"), counted(done.objects, "object")
    sentence = f"Gone: {images} and {objects} of {spoken(done.bytes)}."
    return page(request, "parts/notice.html", {"tone": "good", "sentence": f"{sentence} {done.reason}"})


@router.get("/audit")
async def audit(request: Request, viewer: Viewer) -> Response:
    access: Access = request.app.state.access
    access.authorise(viewer, "read-audit")
    entries = await access.audit.entries(AuditQuery(limit=200))
    return page(request, "audit.html", {"entries": entries}, principal=viewer)
