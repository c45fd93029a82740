"""The bakery over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import StreamingResponse

from pavedroad.access.model import Principal
from pavedroad.access.routes import principal
from pavedroad.access.service import Access
from pavedroad.bakery.model import BakeResult, BakeView, ImageView, PruneView, Revision
from pavedroad.bakery.pruning import KEEP
from pavedroad.bakery.reading import read
from pavedroad.bakery.receiving import receive
from pavedroad.bakery.running import Report
from pavedroad.bakery.service import Bakery
from pavedroad.bakery.unpacking import unpack
from pavedroad.core.errors import InvalidInput
from pavedroad.manifest import loading

router = APIRouter(prefix="/v1", tags=["bakery"])

_QUIET_SECONDS = 15.0

Keep = Annotated[int, Query(ge=0, le=1000, description="How many of each application stay in any case")]


def _bakery(request: Request) -> Bakery:
    return cast("Bakery", request.app.state.bakery)


def _access(request: Request) -> Access:
    return cast("Access", request.app.state.access)


Service = Annotated[Bakery, Depends(_bakery)]
Gate = Annotated[Access, Depends(_access)]
Someone = Annotated[Principal, Depends(principal)]


@router.post(
    "/bakes",
    status_code=202,
    summary="Bake a folder: the body is a tar of it, with zstd or gzip, paved.yaml at its top",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/zstd": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def start_bake(  # noqa: PLR0917 - FastAPI passes all by name
    request: Request,
    bakery: Service,
    gate: Gate,
    someone: Someone,
    version: Annotated[
        str | None, Query(description="What to call it; by default the commit or the time")
    ] = None,
    commit: Annotated[
        str | None, Query(description="The commit of the folder", pattern=r"^[0-9A-Za-z._-]{1,100}$")
    ] = None,
    dirty: Annotated[bool, Query(description="The folder differs from that commit")] = False,
    chosen: Annotated[
        bool, Query(description="All that is sent counts: .gitignore and .pavedignore were followed")
    ] = False,
    rebake: Annotated[bool, Query(description="Bake although nothing has changed")] = False,
) -> BakeView:
    gate.authorise(someone, "bake")  # before the body is taken; the service asks again
    async with AsyncExitStack() as stack:
        place = stack.enter_context(bakery.line.place())
        folder = await stack.enter_async_context(bakery.scratch())
        source, body = folder / "source", folder / "body"
        await receive(request, body, place, largest=bakery.largest_bytes)
        async with bakery.line.unpacking:
            size = await asyncio.to_thread(partial(unpack, body, source, largest=bakery.largest_bytes))
        await asyncio.to_thread(body.unlink)
        place.keep(size)
        content = await asyncio.to_thread(read, source, loading.FILE)
        if content is None:
            raise InvalidInput(f"The archive has no {loading.FILE} at its top.")
        manifest = loading.parse(content)
        bakery.check_version(version)
        if await request.is_disconnected():
            raise InvalidInput("Whoever sent it has hung up before it was taken.")
        kept = stack.pop_all()

    async def work(report: Report) -> BakeResult:
        return await bakery.bake(
            someone,
            manifest,
            source,
            version=version,
            revision=Revision(commit, dirty) if commit else None,
            rebake=rebake,
            chosen=chosen,
            report=report,
        )

    return bakery.jobs.start(manifest.application, someone.name, work, kept)


@router.get("/bakes/{bake_id}", summary="A bake, with what it has said so far")
async def read_bake(bakery: Service, gate: Gate, someone: Someone, bake_id: str) -> BakeView:
    gate.authorise(someone, "view")
    return bakery.jobs.view(bake_id)


@router.delete("/bakes/{bake_id}", status_code=202, summary="Stop a bake, whether it waits or builds")
async def cancel_bake(bakery: Service, someone: Someone, bake_id: str) -> BakeView:
    return await bakery.cancel(someone, bake_id)


@router.get(
    "/bakes/{bake_id}/events",
    summary="A bake's lines as server-sent events; the last, `finished`, is the bake",
    response_class=StreamingResponse,
)
async def follow_bake(
    bakery: Service,
    gate: Gate,
    someone: Someone,
    bake_id: str,
    after: Annotated[int, Query(ge=0, description="The number of the last line that is known")] = 0,
) -> StreamingResponse:
    gate.authorise(someone, "view")
    bakery.jobs.view(bake_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(bakery, bake_id, after), media_type="text/event-stream", headers=headers)


@router.get("/images", summary="The images that were baked, newest first")
async def list_images(
    bakery: Service,
    gate: Gate,
    someone: Someone,
    application: str | None = None,
    region: str = "us-east-1",
) -> list[ImageView]:
    gate.authorise(someone, "view")
    return await bakery.images(application, region=region)


@router.get("/images/prune", summary="What pruning would take away")
async def plan_prune(
    bakery: Service, gate: Gate, someone: Someone, keep: Keep = KEEP, region: str = "us-east-1"
) -> PruneView:
    gate.authorise(someone, "view")
    return await bakery.pruning.plan(keep=keep, region=region)


@router.post("/images/prune", summary="Take away the images that nothing uses, and their layers")
async def prune(bakery: Service, someone: Someone, keep: Keep = KEEP, region: str = "us-east-1") -> PruneView:
    """An image stays while an instance, a group, a launch template or a deployment has it, and so do the
    newest of each application."""
    return await bakery.pruning.prune(someone, keep=keep, region=region)


@router.delete(
    "/images/{image_id}",
    status_code=204,
    summary="Forget an image; refused while a server group is made of it",
)
async def forget_image(
    bakery: Service, someone: Someone, image_id: str, region: str = "us-east-1"
) -> Response:
    await bakery.forget(someone, image_id, region=region)
    return Response(status_code=204)


async def _events(bakery: Bakery, bake_id: str, after: int) -> AsyncIterator[str]:
    lines = bakery.jobs.follow(bake_id, after)
    coming = asyncio.ensure_future(anext(lines, None))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=_QUIET_SECONDS)
            if not done:
                yield ": still baking\n\n"
                continue
            item = coming.result()
            if item is None:
                break
            number, line = item
            data = json.dumps({"number": number, "line": line})
            yield f"id: {number}\nevent: progress\ndata: {data}\n\n"
            coming = asyncio.ensure_future(anext(lines, None))
    finally:
        coming.cancel()
    view = jsonable_encoder(bakery.jobs.view(bake_id), exclude={"lines"})
    yield f"event: finished\ndata: {json.dumps(view)}\n\n"
