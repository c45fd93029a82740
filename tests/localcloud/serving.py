"""Services of the cloud behind the real endpoint, in the test's own process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn

from pavedroad.localcloud.api.server import Endpoint
from pavedroad.localcloud.api.services import Service
from pavedroad.localcloud.api.signatures.gate import SignedOnly
from pavedroad.localcloud.api.signatures.keys import home_key
from tests.localcloud.signing import ANYBODY
from tests.waiting import eventually

ACCOUNT, REGION = "123456789012", "us-east-1"


@contextmanager
def serving(*services: Service) -> Generator[str]:
    """The endpoint's address, on a port of its own. It knows `ANYBODY`'s key."""
    application = Endpoint(services, lambda _key: ACCOUNT, dict, gate=SignedOnly(home_key(ANYBODY)))
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
        thread.start()
        try:
            eventually(lambda: server.started)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
