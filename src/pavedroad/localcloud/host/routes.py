"""The host's HTTP interface on its Unix socket; JSON by `localcloud.codec`."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pavedroad.localcloud.codec import DecodeError
from pavedroad.localcloud.host.host import Host
from pavedroad.localcloud.host.images import ImageFailed
from pavedroad.localcloud.wanted import WIRE, Wanted, WantedChange

T = TypeVar("T")

_SMALL = 64 * 1024
_LONGEST_WAIT = 60.0


def application(host: Host) -> Starlette:
    """The routes that the API process speaks to."""
    routes = _Routes(host)
    return Starlette(
        routes=[
            Route("/wanted", routes.put_wanted, methods=["PUT"]),
            Route("/wanted", routes.patch_wanted, methods=["PATCH"]),
            Route("/actual", routes.actual, methods=["GET"]),
            Route("/measurements", routes.measurements, methods=["GET"]),
            Route("/guests/{guest_id}/console", routes.console, methods=["GET"]),
            Route("/guests/{guest_id}/layer", routes.layer, methods=["POST"]),
            Route("/routes/{revision:int}/wait", routes.wait, methods=["POST"]),
            Route("/healthz", routes.healthz, methods=["GET"]),
        ],
        exception_handlers={DecodeError: _bad_request, ValueError: _bad_request},
    )


class _Routes:
    def __init__(self, host: Host) -> None:
        self._host = host

    async def put_wanted(self, request: Request) -> Response:
        wanted = await _body(request, Wanted)
        self._host.put(wanted)
        return _json({"epoch": self._host.journal.epoch, "revision": wanted.revision})

    async def patch_wanted(self, request: Request) -> Response:
        change = await _body(request, WantedChange)
        if not self._host.patch(change):
            return _json({"epoch": self._host.journal.epoch, "reason": "another epoch: send all of it"}, 409)
        return _json({"epoch": self._host.journal.epoch, "revision": change.revision})

    async def actual(self, request: Request) -> Response:
        query = request.query_params
        answer = await self._host.actual(
            query.get("epoch", ""),
            int(query.get("revision", "0")),
            min(float(query.get("wait", "0")), _LONGEST_WAIT),
            changes=query.get("changes") == "1",
        )
        return Response(WIRE.dumps(answer), media_type="application/json")

    async def measurements(self, request: Request) -> Response:
        measured = await self._host.measurements(float(request.query_params.get("since", "0")))
        text = await asyncio.to_thread(WIRE.dumps, measured)
        return Response(text, media_type="application/json")

    async def console(self, request: Request) -> Response:
        text = await self._host.guests.console(request.path_params["guest_id"])
        if text is None:
            return _json({"reason": f"There is no guest {request.path_params['guest_id']} here."}, 404)
        return Response(text, media_type="application/octet-stream")

    async def layer(self, request: Request) -> Response:
        guest_id: str = request.path_params["guest_id"]
        try:
            digest = await self._host.guests.layer(guest_id)
        except ImageFailed as error:
            return _json({"reason": error.sentence}, 507)
        if digest is None:
            return _json({"reason": f"The guest {guest_id} has no disk here."}, 404)
        return _json({"digest": digest})

    async def wait(self, request: Request) -> Response:
        revision: int = request.path_params["revision"]
        seconds = min(float(request.query_params.get("seconds", "10")), _LONGEST_WAIT)
        if await self._host.routed(revision, seconds):
            return _json({"revision": revision, **self._host.troubles()})
        reason = f"Envoy has not acknowledged revision {revision} within {seconds:g} s"
        return _json({"reason": reason, **self._host.troubles()}, 504)

    async def healthz(self, request: Request) -> Response:
        return _json(
            {
                "epoch": self._host.journal.epoch,
                "guests": len(self._host.guests.statuses()),
                "limited_by": self._host.limiter.by,
            }
        )


async def _body(request: Request, kind: type[T]) -> T:
    """Large ones are decoded beside the loop."""
    text = await request.body()
    return WIRE.loads(kind, text) if len(text) < _SMALL else await asyncio.to_thread(WIRE.loads, kind, text)


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(content, status)


async def _bad_request(request: Request, error: Exception) -> Response:
    return _json({"reason": str(error).rstrip(".") + "."}, 400)
