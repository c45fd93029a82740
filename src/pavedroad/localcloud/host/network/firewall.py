"""The machine's table of walls, replaced whenever what is wanted of it has changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from pavedroad.localcloud.host.faults.network import Trouble
from pavedroad.localcloud.host.network import commands
from pavedroad.localcloud.host.network.place import Place
from pavedroad.localcloud.host.network.resolvers import resolvers
from pavedroad.localcloud.host.network.walls import table
from pavedroad.localcloud.wanted import SecurityGroup

_LOG = logging.getLogger(__name__)
_GATHER = 0.01
_RETRY_SECONDS = 1.0
_REST = 3
"""Times what the last change took, for which the next one waits, so that floods of them stay cheap."""


class Firewall:
    """Until it is first told of an instance, that one reaches nothing and is not reached."""

    def __init__(self, place: Place, slots: Callable[[], Mapping[str, int]]) -> None:
        self._place = place
        self._slots = slots
        self._groups: Mapping[str, SecurityGroup] = {}
        self._balancers: frozenset[str] = frozenset()
        self._troubles: Mapping[str, Trouble] = {}
        self._resolvers = resolvers()
        self._applied = ""
        self._admitted: dict[str, int] = {}
        """Slots by address, as the table in force has them."""
        self._progress = asyncio.Event()
        self._dirty = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._dirty.set()
        self._keeping = asyncio.create_task(self._keep())

    def have(self, groups: Mapping[str, SecurityGroup], balancers: Iterable[str]) -> None:
        """Make this true, for those instances that there are."""
        self._groups, self._balancers = dict(groups), frozenset(balancers)
        self._dirty.set()

    def fail(self, troubles: Mapping[str, Trouble]) -> None:
        """By the instances' addresses: lose of what these send and are sent, open connections too."""
        if troubles != self._troubles:
            self._troubles = dict(troubles)
            self._dirty.set()

    def look(self) -> None:
        """Instances have come or gone."""
        self._dirty.set()

    async def admitted(self, address: str, seconds: float) -> bool:
        """Whether the instance at this address is let through as its groups say, within the time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._is_admitted(address):
                    await self._progress.wait()
        return self._is_admitted(address)

    def _is_admitted(self, address: str) -> bool:
        return address in self._admitted and self._admitted[address] == self._slots().get(address)

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping

    async def _keep(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(_GATHER)
            self._dirty.clear()
            began = time.monotonic()
            slots = dict(self._slots())
            members = {it for group in self._groups.values() for it in group.members}
            try:
                await asyncio.to_thread(self._apply, slots)
            except OSError as error:
                _LOG.error("The security groups could not be put in force: %s", error)
                self._dirty.set()
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            self._admitted = {address: slot for address, slot in slots.items() if address in members}
            self._progress.set()
            self._progress = asyncio.Event()
            await asyncio.sleep((time.monotonic() - began) * _REST)

    def _apply(self, slots: Mapping[str, int]) -> None:
        text = table(
            self._place, self._groups, slots, self._balancers, self._resolvers, troubles=self._troubles
        )
        if text != self._applied:
            commands.nft(text)
            self._applied = text
