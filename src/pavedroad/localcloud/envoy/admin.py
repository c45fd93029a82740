"""What Envoy itself says about how it does."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx

from pavedroad.localcloud.envoy.counters import FILTER


class Admin:
    """Envoy's administration page, over its Unix socket."""

    def __init__(self, socket: Path) -> None:
        # It would note each of many requests.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)), base_url="http://envoy", timeout=5.0
        )

    async def active(self) -> dict[tuple[str, str, int], int]:
        """Requests in flight by pool ARN, address and port. Idle connections do not count."""
        return {place: counts.get("rq_active", 0) for place, counts in (await self.hosts()).items()}

    async def hosts(self) -> dict[tuple[str, str, int], dict[str, int]]:
        """What is counted of each host of each cluster, by the cluster's name, address and port."""
        answer = await self._client.get("/clusters", params={"format": "json"})
        answer.raise_for_status()
        return await asyncio.to_thread(_hosts, answer)

    async def gather(self) -> None:
        """Have Envoy gather what its threads have counted: whoever asks next has it."""
        await self._stats("^server.uptime$")

    async def counted(self) -> dict[str, Any]:
        """The statistics that `counters.traffic` takes."""
        return await self._stats(FILTER)

    async def _stats(self, chosen: str) -> dict[str, Any]:
        answer = await self._client.get(
            "/stats", params={"format": "json", "histogram_buckets": "detailed", "filter": chosen}
        )
        answer.raise_for_status()
        return await asyncio.to_thread(answer.json)

    async def close(self) -> None:
        await self._client.aclose()


def _hosts(answer: httpx.Response) -> dict[tuple[str, str, int], dict[str, int]]:
    return {
        (cluster["name"], *place): {it["name"]: int(it.get("value", 0)) for it in host.get("stats", [])}
        for cluster in answer.json().get("cluster_statuses", [])
        for host in cluster.get("host_statuses", [])
        if (place := _place(host))
    }


def _place(host: dict[str, Any]) -> tuple[str, int] | None:
    socket = host.get("address", {}).get("socket_address")
    return (socket["address"], int(socket["port_value"])) if socket else None
