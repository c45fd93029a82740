"""Faults on purpose: what fails now, what did, and a form that makes something fail."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from starlette.datastructures import FormData

from pavedroad.chaos.model import FaultKind, FaultParameter, FaultView, Value
from pavedroad.chaos.service import FaultInjection
from pavedroad.core.errors import InvalidInput
from pavedroad.core.numbers import real
from pavedroad.delivery.service import Delivery
from pavedroad.portal.live import live
from pavedroad.portal.rendering import fragment, page
from pavedroad.portal.sessions import Viewer

router = APIRouter(include_in_schema=False)

_OF_PARAMETER = "parameter."
_EXAMPLES = {
    "zone": "us-east-1a",
    "region": "us-east-1",
    "instance": "i-0123456789abcdef0",
    "operation": "ec2:RunInstances",
}


def _service(request: Request) -> FaultInjection:
    return cast("FaultInjection", request.app.state.faults)


async def _lists(request: Request) -> dict[str, list[FaultView]]:
    found = (await _service(request).all()).faults
    return {
        "lasting": [fault for fault in found if fault.state == "active"],
        "ended": [fault for fault in found if fault.state == "ended"],
    }


async def _form(request: Request, name: str | None) -> dict[str, object]:
    """The fields of a kind, and what it may be done to."""
    kinds = (await _service(request).all()).kinds
    chosen = _kind(kinds, name or kinds[0].name)
    return {
        "kinds": kinds,
        "chosen": chosen,
        "example": _EXAMPLES[chosen.target],
        "known": await _known(request, chosen.target),
    }


async def _known(request: Request, target: str) -> list[tuple[str, str]]:
    """Targets to choose from, each with what it is."""
    delivery: Delivery = request.app.state.delivery
    found: dict[str, str] = {}
    for cluster in await delivery.clusters():
        for group in cluster.server_groups:
            for instance in group.instances:
                if target == "instance":
                    found[instance.id] = f"{group.name}, {instance.zone}"
                elif target == "zone":
                    found[instance.zone] = ""
                elif target == "region":
                    found[cluster.region] = ""
    return sorted(found.items())


@router.get("/faults")
async def faults(request: Request, viewer: Viewer) -> Response:
    values = {**await _lists(request), **await _form(request, None)}
    return page(request, "faults.html", values, principal=viewer)


@router.get("/faults/form")
async def form(request: Request, viewer: Viewer, kind: str) -> Response:
    return page(request, "parts/fault_form.html", await _form(request, kind))


@router.get("/live/faults")
async def faults_live(request: Request, viewer: Viewer) -> StreamingResponse:
    async def render() -> str:
        return fragment("parts/faults.html", await _lists(request), viewer)

    return live(request, "faults", render)


@router.post("/faults")
async def start(request: Request, viewer: Viewer) -> Response:
    async with request.form() as given:
        kind = _kind((await _service(request).all()).kinds, str(given.get("kind", "")))
        target = str(given.get("target", "")).strip()
        seconds = None if kind.momentary else _number("minutes", str(given.get("minutes", "10"))) * 60
        parameters = {one.name: value for one in kind.parameters if (value := _read(one, given)) is not None}
    fault = await _service(request).start(viewer, kind.name, target, seconds=seconds, parameters=parameters)
    return page(request, "parts/notice.html", {"tone": "wait", "sentence": fault.reason})


@router.post("/faults/{fault_id}/end")
async def end(request: Request, fault_id: str, viewer: Viewer) -> Response:
    fault = await _service(request).end(viewer, fault_id)
    return page(
        request, "parts/notice.html", {"tone": "good", "sentence": f"{fault.kind} {fault.target} is over."}
    )


def _kind(kinds: list[FaultKind], name: str) -> FaultKind:
    found = next((kind for kind in kinds if kind.name == name), None)
    if found is None:
        known = ", ".join(kind.name for kind in kinds)
        raise InvalidInput(f"There is no kind of fault '{name[:100]}'; there are: {known}.")
    return found


def _read(parameter: FaultParameter, given: FormData) -> Value | None:
    """None where the field was left empty: then it is the default."""
    text = str(given.get(f"{_OF_PARAMETER}{parameter.name}", "")).strip()
    if isinstance(parameter.default, bool):
        return text == "on"
    if not text:
        return None
    return text if isinstance(parameter.default, str) else _number(parameter.name, text)


def _number(name: str, text: str) -> float:
    try:
        return real(text)
    except ValueError:
        raise InvalidInput(f"'{text[:100]}' is no number for '{name}'.") from None
