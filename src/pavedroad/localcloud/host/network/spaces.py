"""Guests' network namespaces, without names: one lives while the host or a process in it holds it.

An instance keeps its address inside. The machine reaches it over a pair of links by a route of its own, and
it sees the machine as its only neighbour.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from pavedroad.localcloud.host.faults.late import Way
from pavedroad.localcloud.host.network import commands
from pavedroad.localcloud.host.network.place import METADATA_PORT, MOST_SLOTS, Place
from pavedroad.localcloud.host.nursery import linux

_LINKS = Path("/proc/thread-self/net/dev")
"""Of the network that we are in, which `/sys` need not show."""
_CONF = Path("/proc/sys/net")
_NEIGHBOUR = "169.254.1.1"
"""Whom an instance sends everything to; nobody has the address."""
_THREADS = 2


class Spaces:
    """`open` gives a guest's namespace as a descriptor, which is the host's to close."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._spaces: dict[str, tuple[int, int]] = {}
        """By the guest's address: its slot, and its descriptor."""
        self._free: list[int] = []
        self._next = itertools.count(1)
        self._threads = ThreadPoolExecutor(_THREADS, "network")

    def slots(self) -> dict[str, int]:
        """By address."""
        return {address: slot for address, (slot, _) in self._spaces.items()}

    def way(self, address: str) -> tuple[int, Way] | None:
        """An open one's descriptor, and how what its guest sends leaves it."""
        if (known := self._spaces.get(address)) is None:
            return None
        slot, space = known
        metadata = (self._place.gateway, METADATA_PORT)
        return space, Way(address, self._place.outside(slot), _mac(6, slot), metadata)

    async def open(self, address: str) -> int:
        """`OSError` where the machine has no room for another."""
        if known := self._spaces.get(address):
            return known[1]
        slot = self._free.pop() if self._free else next(self._next)
        if slot > MOST_SLOTS:
            raise OSError("all networks of this private cloud are taken")
        making = asyncio.get_running_loop().run_in_executor(self._threads, _make, self._place, slot, address)
        try:
            space = await asyncio.shield(making)
        except asyncio.CancelledError:
            making.add_done_callback(lambda made: self._give_up(slot, made))
            raise
        except OSError:
            self._free.append(slot)
            raise
        self._spaces[address] = (slot, space)
        return space

    def close(self, address: str) -> None:
        """Its guest has ended."""
        if known := self._spaces.pop(address, None):
            self._discard(*known)

    async def close_all(self) -> None:
        for address in tuple(self._spaces):
            self.close(address)
        await asyncio.to_thread(self._threads.shutdown)

    def _give_up(self, slot: int, made: asyncio.Future[int]) -> None:
        if made.cancelled() or made.exception() is not None:
            self._free.append(slot)
        else:
            self._discard(slot, made.result())

    def _discard(self, slot: int, space: int) -> None:
        os.close(space)
        removing = asyncio.get_running_loop().run_in_executor(
            self._threads, _remove, [self._place.link(slot)]
        )
        removing.add_done_callback(lambda _: self._free.append(slot))


def sweep(place: Place) -> None:
    """Take away the links that an earlier host has left; blocks."""
    names = (line.partition(":")[0].strip() for line in _LINKS.read_text().splitlines())
    _remove([name for name in names if name.startswith(place.prefix)])


def _make(place: Place, slot: int, address: str) -> int:
    """On a thread of ours, which is in the new namespace for a moment."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    link = place.link(slot)
    try:
        linux.leave_network()
        try:
            space = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            try:
                _furnish(place, slot, address)
            except OSError:
                os.close(space)
                raise
        finally:
            linux.enter_network(home)
        try:
            _connect(place, slot, address)
        except OSError:
            os.close(space)
            _remove([link])
            raise
        return space
    finally:
        os.close(home)


def _furnish(place: Place, slot: int, address: str) -> None:
    """From inside."""
    outside = place.outside(slot)
    _set("ipv4/conf/all/route_localnet", "1")
    _set("ipv6/conf/default/disable_ipv6", "1")
    # Who is not root may do what root may in a network of its own: listen on any port, and ping.
    _set("ipv4/ip_unprivileged_port_start", "0")
    _set("ipv4/ping_group_range", f"{os.getegid()} {os.getegid()}")
    peer = f"name {place.link(slot)} address {_mac(6, slot)} netns {os.getpid()}"
    commands.ip(
        [
            f"link add eth0 address {_mac(2, slot)} type veth peer {peer}",
            "link set lo up",
            "addr add 127.0.0.1/32 dev lo",
            "addr del 127.0.0.1/8 dev lo",
            f"addr add {address}/32 dev eth0",
            f"addr add {outside}/32 dev eth0",
            "link set eth0 up",
            f"neigh add {_NEIGHBOUR} lladdr {_mac(6, slot)} dev eth0 nud permanent",
            f"route add {_NEIGHBOUR} dev eth0 scope link src {address}",
            f"route add 127.0.0.0/8 via {_NEIGHBOUR} dev eth0 src {address}",
            f"route add 169.254.169.254 via {_NEIGHBOUR} dev eth0 src {address}",
            f"route add default via {_NEIGHBOUR} dev eth0 src {outside}",
        ]
    )
    _set("ipv4/conf/eth0/route_localnet", "1")


def _connect(place: Place, slot: int, address: str) -> None:
    """From outside. A route of the local table, since that of the whole of 127/8 is there."""
    link, outside = place.link(slot), place.outside(slot)
    _set(f"ipv4/conf/{link}/route_localnet", "1")
    _set(f"ipv4/conf/{link}/rp_filter", "0")
    _set(f"ipv4/conf/{link}/forwarding", "1")
    _set(f"ipv6/conf/{link}/disable_ipv6", "1")
    commands.ip(
        [
            f"link set {link} up",
            f"neigh replace {address} lladdr {_mac(2, slot)} dev {link} nud permanent",
            f"neigh replace {outside} lladdr {_mac(2, slot)} dev {link} nud permanent",
            f"route replace {address}/32 dev {link} src {place.gateway} table local",
            f"route replace {outside}/32 dev {link} src {place.gateway}",
        ]
    )


def _remove(links: list[str]) -> None:
    if links:
        commands.ip([f"link del {link}" for link in links], force=True)


def _mac(kind: int, slot: int) -> str:
    return f"0{kind}:70:76:00:{slot >> 8:02x}:{slot & 255:02x}"


def _set(setting: str, value: str) -> None:
    with suppress(FileNotFoundError):  # a kernel without IPv6
        (_CONF / setting).write_text(value)
