"""The API process: `python -m pavedroad.localcloud.api --home DIR --host-socket PATH --port N`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast, get_args

import uvicorn

from pavedroad.core.connections import KEEP_ALIVE_SECONDS
from pavedroad.core.errors import StateUnreadable
from pavedroad.core.limits import raise_open_files
from pavedroad.core.networking import Mode
from pavedroad.localcloud.api.cloud import Cloud
from pavedroad.localcloud.api.connections import Connection
from pavedroad.localcloud.blocks import Block
from pavedroad.localcloud.unreadable import EXIT_STATUS, tell

_TURN_SECONDS = 0.001
"""A call goes through several threads: behind others that are all work, each would wait 5 ms for its turn."""


class _Server(uvicorn.Server):
    """Signals are the process's own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def main() -> None:
    parser = argparse.ArgumentParser(prog="pavedroad.localcloud.api", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the private cloud's folder")
    parser.add_argument("--host-socket", type=Path, required=True, help="where the host process serves")
    parser.add_argument("--block", type=int, default=0, help="which part of 127/8 its networks are in")
    parser.add_argument(
        "--listen", type=int, action="append", required=True, help="a descriptor of a listening socket"
    )
    parser.add_argument("--network", choices=get_args(Mode), default="shared", help="of its instances")
    parser.add_argument("--annex", action="store_true", help="they are in a network beside the machine's")
    parser.add_argument(
        "--fresh", action="store_true", help="the cloud starts anew, so nothing that should run does yet"
    )
    parser.add_argument("--refusal", type=Path, help="where to write why the saved state does not load")
    parser.add_argument("--open", action="store_true", help="take any credentials")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    os.umask(0o077)
    raise_open_files()
    sys.setswitchinterval(_TURN_SECONDS)
    cloud = Cloud(
        options.home.absolute(),
        options.host_socket,
        Block(options.block),
        options.network,
        annex=options.annex,
        is_open=options.open,
    )
    try:
        cloud.start(fresh=options.fresh)
    except StateUnreadable as refusal:
        logging.error("%s %s", refusal.sentence, refusal.next_step)
        if options.refusal:
            tell(refusal, options.refusal)
        sys.exit(EXIT_STATUS)
    try:
        asyncio.run(_serve(cloud, options.listen))
    finally:
        cloud.close()


async def _serve(cloud: Cloud, descriptors: list[int]) -> None:
    server = _Server(
        uvicorn.Config(
            cast("Any", cloud.endpoint),
            http=Connection,
            loop="uvloop",
            lifespan="off",
            ws="none",
            access_log=False,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=3,
        )
    )

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server.serve([socket.socket(fileno=descriptor) for descriptor in descriptors])


if __name__ == "__main__":
    main()
