"""The host process: `python -m pavedroad.localcloud.host --home DIR --socket PATH --endpoint URL`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
from collections.abc import Generator
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import uvicorn
import uvloop
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from pavedroad.core.limits import raise_open_files
from pavedroad.core.networking import Mode
from pavedroad.localcloud.blocks import Block
from pavedroad.localcloud.envoy.routing import EnvoyRouting
from pavedroad.localcloud.host.host import Host
from pavedroad.localcloud.host.network.doors import Doors
from pavedroad.localcloud.host.network.gated import GatedRouting
from pavedroad.localcloud.host.network.namespaces import Namespaces
from pavedroad.localcloud.host.network.place import Place
from pavedroad.localcloud.host.peers import is_kin
from pavedroad.localcloud.host.routes import application
from pavedroad.localcloud.host.routing import Routing


class _Conversation(AutoHTTPProtocol):
    """With nobody but who belongs to us: a guest may be our own user's, and know the socket's path."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as connected:
            if not is_kin(connected):
                transport.abort()


class _Server(uvicorn.Server):
    """Signals are the host's own: it stops its guests after its server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def main() -> None:
    parser = argparse.ArgumentParser(prog="pavedroad.localcloud.host", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the private cloud's folder")
    parser.add_argument("--socket", type=Path, required=True, help="the Unix socket to serve on")
    parser.add_argument("--endpoint", required=True, help="the AWS endpoint that guests are given")
    parser.add_argument(
        "--lifeline", type=int, help="a descriptor that this process lives as long as: it ends when it closes"
    )
    parser.add_argument("--block", type=int, default=0, help="which part of 127/8 its networks are in")
    parser.add_argument("--network", choices=get_args(Mode), default="shared", help="of its guests")
    parser.add_argument("--gate", type=Path, help="in an annex: the Unix socket where the gate is told")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    os.umask(0o077)
    home: Path = options.home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    lock = os.open(home / "host.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"Another host process works on {home} already.")
    raise_open_files()
    uvloop.run(_serve(home, options))


def _host(home: Path, options: argparse.Namespace) -> Host:
    doors = Doors(options.gate) if options.gate else None
    network: Namespaces | None = None
    if options.network == "namespaces":
        # Of the same address, at which the endpoint listens too.
        endpoint: str = options.endpoint
        port = urlsplit(endpoint).port or 80
        network = Namespaces(Place(options.block, Block(options.block).gateway, port), doors)
    sockets: Path = options.socket.parent
    routing: Routing = EnvoyRouting(home / "envoy", sockets, from_balancers=network is not None)
    if doors is not None:
        routing = GatedRouting(routing, doors)
    return Host(home, options.endpoint, routing, network)


async def _serve(home: Path, options: argparse.Namespace) -> None:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    if options.lifeline is not None:
        loop.add_reader(options.lifeline, told_to_stop.set)
    host = _host(home, options)
    await host.start()
    listening = _listen(options.socket)
    settings = uvicorn.Config(
        application(host),
        http=_Conversation,
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=65536,
    )
    server = _Server(settings)
    serving = asyncio.create_task(server.serve([listening]))
    await asyncio.wait(
        [serving, stopping := asyncio.create_task(told_to_stop.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    stopping.cancel()
    server.should_exit = True
    host.journal.close()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    await host.close()


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    return listening


if __name__ == "__main__":
    main()
