"""Doors to guests themselves: where they listen, and their groups let in who comes from the machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from contextlib import suppress

from pavedroad.localcloud.host.network.doors import Doors, Place
from pavedroad.localcloud.host.network.listening import Listening
from pavedroad.localcloud.wanted import Permission, SecurityGroup

_MACHINE = ipaddress.IPv4Network("127.0.0.0/8")
_TCP = ("tcp", "6")


class Direct:
    """The walls decide, packet by packet; a door where they let nobody through would only take callers in and
    leave them standing."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._listening = Listening(self._heard)
        self._groups: Mapping[str, SecurityGroup] = {}
        self._places = frozenset[Place]()

    def start(self) -> None:
        self._listening.start()

    def have(self, groups: Mapping[str, SecurityGroup]) -> None:
        self._groups = dict(groups)
        self._open()

    async def watch(self, address: str, space: int) -> None:
        """A guest that boots in this network."""
        await self._listening.watch(address, space)

    def forget(self, address: str) -> None:
        """It has ended."""
        self._listening.forget(address)
        self._heard(frozenset(place for place in self._places if place[0] != address))

    async def close(self) -> None:
        await self._listening.close()

    def _heard(self, places: frozenset[Place]) -> None:
        self._places = places
        self._open()

    def _open(self) -> None:
        self._doors.have("guests", visited(self._groups, self._places))


def visited(groups: Mapping[str, SecurityGroup], places: frozenset[Place]) -> frozenset[Place]:
    """Those of the places, each a guest's address and port, where some group lets the machine in."""
    allowed: dict[str, list[Permission]] = {}
    listening = {address for address, _ in places}
    for group in groups.values():
        opening = [it for it in group.ingress if _opens(it)]
        for address in listening & set(group.members) if opening else ():
            allowed.setdefault(address, []).extend(opening)
    return frozenset(
        (address, port)
        for address, port in places
        if any(_is_within(port, it) for it in allowed.get(address, ()))
    )


def _opens(permission: Permission) -> bool:
    return any(_has_machine(cidr) for cidr in permission.cidrs)


def _has_machine(cidr: str) -> bool:
    with suppress(ValueError):
        return ipaddress.IPv4Network(cidr, strict=False).overlaps(_MACHINE)
    return False


def _is_within(port: int, permission: Permission) -> bool:
    protocol = permission.protocol.lower()
    if protocol == "-1":
        return True
    return protocol in _TCP and (permission.first == -1 or permission.first <= port <= permission.last)
