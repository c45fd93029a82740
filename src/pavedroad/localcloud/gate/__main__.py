"""The gate process: `python -m pavedroad.localcloud.gate --host-socket PATH --network FD`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
from pathlib import Path

import uvloop

from pavedroad.core.limits import raise_open_files
from pavedroad.localcloud.gate.inward import Doors
from pavedroad.localcloud.gate.machine import Machine
from pavedroad.localcloud.gate.outward import Outward
from pavedroad.localcloud.host.network.resolvers import resolvers


def main() -> None:
    parser = argparse.ArgumentParser(prog="pavedroad.localcloud.gate", description=__doc__)
    parser.add_argument("--host-socket", type=Path, required=True, help="where the host says what to open")
    parser.add_argument("--network", type=int, required=True, help="a descriptor of the network inside")
    parser.add_argument(
        "--stream", type=int, action="append", default=[], help="a descriptor where connections come out"
    )
    parser.add_argument(
        "--datagrams", type=int, action="append", default=[], help="a descriptor where questions come out"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    raise_open_files()
    machine = Machine()
    machine.leave(options.network)
    uvloop.run(_serve(machine, options.host_socket, options.stream, options.datagrams))


async def _serve(machine: Machine, host: Path, streams: list[int], datagrams: list[int]) -> None:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    outward = Outward(machine, resolvers())
    for descriptor in datagrams:
        outward.take_questions(_socket(descriptor))
    working = [
        asyncio.create_task(Doors(machine).follow(host)),
        *(asyncio.create_task(outward.take_connections(_socket(it))) for it in streams),
    ]
    stopping = asyncio.create_task(told_to_stop.wait())
    done, _ = await asyncio.wait([stopping, *working], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()  # what failed ends the process, and another one is started


def _socket(descriptor: int) -> socket.socket:
    given = socket.socket(fileno=descriptor)
    given.setblocking(False)
    return given


if __name__ == "__main__":
    main()
