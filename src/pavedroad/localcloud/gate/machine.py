"""The machine's network, as the gate has it: by a thread that stays there when the process goes inside."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from pavedroad.localcloud.host.nursery import linux

Place = tuple[str, int]
"""An address and a port."""

_BACKLOG = 1024


class Machine:
    """A socket belongs to the network in which it was made, whoever uses it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "machine")

    def leave(self, network: int) -> None:
        """Go into this network; only what `listen` and `towards` give is left of the machine's."""
        self._thread.submit(int).result()
        linux.enter_network(network)

    async def listen(self, places: Iterable[Place]) -> tuple[dict[Place, socket.socket], dict[Place, str]]:
        """Those that could be opened, and why the others could not."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _listen_all, tuple(places))

    async def towards(self, place: Place, kind: socket.SocketKind, *, own: bool) -> socket.socket:
        """A socket to connect to that place with. `PermissionError` for the machine itself, where its `own`
        services are not to be had."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _towards, place, kind, own)


def _listen_all(places: tuple[Place, ...]) -> tuple[dict[Place, socket.socket], dict[Place, str]]:
    opened: dict[Place, socket.socket] = {}
    refused: dict[Place, str] = {}
    for place in places:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen(_BACKLOG)
            listening.setblocking(False)
        except OSError as error:
            listening.close()
            refused[place] = error.strerror or str(error)
        else:
            opened[place] = listening
    return opened, refused


def _towards(place: Place, kind: socket.SocketKind, own: bool) -> socket.socket:
    if not own and _is_own(place):
        raise PermissionError(f"{place[0]} is the machine's own")
    made = socket.socket(socket.AF_INET, kind)
    made.setblocking(False)
    return made


def _is_own(place: Place) -> bool:
    """Who sends to an address of the machine's sends from it, or from another of loopback."""
    if place[0].startswith(("127.", "0.")):
        return True
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(place)
        return asking.getsockname()[0] == place[0]
