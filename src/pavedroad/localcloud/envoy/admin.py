"""What Envoy itself says about how it does."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import httpx


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
        answer = await self._client.get("/clusters", params={"format": "json"})
        answer.raise_for_status()
        return {
            (cluster["name"], *place): _gauge(host, "rq_active")
            for cluster in answer.json().get("cluster_statuses", [])
            for host in cluster.get("host_statuses", [])
            if (place := _place(host))
        }

    async def close(self) -> None:
        await self._client.aclose()


def _place(host: dict[str, Any]) -> tuple[str, int] | None:
    socket = host.get("address", {}).get("socket_address")
    return (socket["address"], int(socket["port_value"])) if socket else None


def _gauge(host: dict[str, Any], name: str) -> int:
    return next((int(stat.get("value", 0)) for stat in host.get("stats", []) if stat.get("name") == name), 0)
