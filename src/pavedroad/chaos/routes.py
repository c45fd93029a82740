"""Faults over HTTP, in the shapes of the private cloud's own `/_pavedroad/faults`."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from pavedroad.access.model import Principal
from pavedroad.access.routes import principal
from pavedroad.access.service import Access
from pavedroad.chaos.model import Faults, FaultView, Value
from pavedroad.chaos.service import FaultInjection

router = APIRouter(prefix="/v1", tags=["faults"])


def _faults(request: Request) -> FaultInjection:
    return cast("FaultInjection", request.app.state.faults)


def _access(request: Request) -> Access:
    return cast("Access", request.app.state.access)


Service = Annotated[FaultInjection, Depends(_faults)]
Gate = Annotated[Access, Depends(_access)]
Someone = Annotated[Principal, Depends(principal)]


class FaultRequest(BaseModel):
    """Which parameters a kind has, `GET /v1/faults` says."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(max_length=100, examples=["zone-down"])
    target: str = Field(max_length=200, examples=["us-east-1a"])
    seconds: float | None = Field(None, gt=0, description="How long; ten minutes, if it is not said.")
    parameters: dict[str, Value] = Field(default_factory=dict, examples=[{"unreachable": True}])


class EndedFaults(BaseModel):
    """Those that lasted until now."""

    faults: list[FaultView]


@router.get("/faults", summary="What fails on purpose, what has lately, and what can")
async def list_faults(faults: Service, gate: Gate, someone: Someone) -> Faults:
    gate.authorise(someone, "view")
    return await faults.all()


@router.post("/faults", status_code=201, summary="Make something fail, for a time")
async def start_fault(faults: Service, someone: Someone, body: FaultRequest) -> FaultView:
    return await faults.start(
        someone, body.kind, body.target, seconds=body.seconds, parameters=body.parameters
    )


@router.get("/faults/{fault_id}", summary="One fault")
async def read_fault(faults: Service, gate: Gate, someone: Someone, fault_id: str) -> FaultView:
    gate.authorise(someone, "view")
    return await faults.get(fault_id)


@router.delete("/faults/{fault_id}", summary="End a fault before its time")
async def end_fault(faults: Service, someone: Someone, fault_id: str) -> FaultView:
    return await faults.end(someone, fault_id)


@router.delete("/faults", summary="End every fault that lasts")
async def end_faults(faults: Service, someone: Someone) -> EndedFaults:
    return EndedFaults(faults=await faults.end_all(someone))
