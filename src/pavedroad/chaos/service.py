"""Faults on purpose in the private cloud: only for those who may, and written to the audit log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from pavedroad.access.model import Principal
from pavedroad.access.service import Access
from pavedroad.chaos.model import Faults, FaultView, Value
from pavedroad.clouds.faults import FaultClient
from pavedroad.core.errors import Conflict

_FAULT = TypeAdapter(FaultView)
_FAULTS = TypeAdapter(Faults)
_LIST = TypeAdapter(list[FaultView])


class FaultInjection:
    """`client` is the cloud's; None where the cloud is one that cannot be broken on purpose."""

    def __init__(self, client: FaultClient | None, access: Access) -> None:
        self._client = client
        self._access = access

    def close(self) -> None:
        if self._client:
            self._client.close()

    async def all(self) -> Faults:
        found = await asyncio.to_thread(self._cloud.document)
        return _FAULTS.validate_python(found)

    async def get(self, fault_id: str) -> FaultView:
        return _FAULT.validate_python(await asyncio.to_thread(self._cloud.get, fault_id))

    async def start(
        self,
        principal: Principal,
        kind: str,
        target: str,
        *,
        seconds: float | None = None,
        parameters: Mapping[str, Value] | None = None,
    ) -> FaultView:
        """Without `seconds` it ends after ten minutes."""
        asked: dict[str, Any] = {"kind": kind, "seconds": seconds, "parameters": parameters or {}}
        async with self._access.acting(principal, "start-fault", target, asked) as told:
            found = await asyncio.to_thread(self._cloud.start_fault, kind, target, parameters or {}, seconds)
            told["id"] = found["id"]
            return _FAULT.validate_python(found)

    async def end(self, principal: Principal, fault_id: str) -> FaultView:
        """Ended already is fine."""
        async with self._access.acting(principal, "end-fault", fault_id):
            return _FAULT.validate_python(await asyncio.to_thread(self._cloud.end, fault_id))

    async def end_all(self, principal: Principal) -> list[FaultView]:
        """Gives those that lasted until now."""
        async with self._access.acting(principal, "end-fault", "all") as told:
            found = _LIST.validate_python(await asyncio.to_thread(self._cloud.end_all))
            told["ids"] = [fault.id for fault in found]
            return found

    @property
    def _cloud(self) -> FaultClient:
        if self._client is None:
            raise Conflict(
                "This platform drives a cloud that does not fail on purpose.",
                next_step="Unset PAVED_ENDPOINT_URL and start again: the private cloud does.",
            )
        return self._client
