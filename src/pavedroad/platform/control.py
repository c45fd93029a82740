"""The control process: HTTP API, portal and durable workflows in one event loop.

python -m pavedroad.platform.control
"""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from pavedroad.core.connections import KEEP_ALIVE_SECONDS
from pavedroad.core.errors import PavedError, StateUnreadable
from pavedroad.core.limits import raise_open_files
from pavedroad.platform.app import build_app
from pavedroad.platform.connections import Connection
from pavedroad.platform.doors import Door
from pavedroad.platform.guard import Guard
from pavedroad.platform.services import build, serving
from pavedroad.platform.settings import LOOPBACK, Settings

_GRACE_SECONDS = 5
_REFUSED, _UNREADABLE = 3, 8
"""Exit statuses that the supervisor knows: the last line is the reason."""


class _Server(uvicorn.Server):
    """Ends event streams when it is told to stop; all other requests may finish."""

    def __init__(self, config: uvicorn.Config, guard: Guard) -> None:
        super().__init__(config)
        self._guard = guard

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._guard.end_streams()
        await super().shutdown(sockets)


def main() -> None:
    try:
        settings = Settings.read()
        settings.places.prepare()
        raise_open_files()
        logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        services = build(settings)
    except PavedError as error:
        sys.stderr.write(f"{error.sentence} {error.next_step or ''}".rstrip() + "\n")
        sys.exit(_UNREADABLE if isinstance(error, StateUnreadable) else _REFUSED)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with serving(services):
            yield

    door = Door(settings.port, settings.allowed_hosts)
    guard = Guard(build_app(services, lifespan), door, services.access.lasting)
    config = uvicorn.Config(
        guard,
        host=LOOPBACK,
        port=settings.port,
        loop="uvloop",
        http=Connection,
        ws="none",
        proxy_headers=False,  # whoever is on this machine could say to be anyone
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    _Server(config, guard).run()


if __name__ == "__main__":
    main()
