"""Balancers that are opened twice: by Envoy inside, and by the gate in the machine's network."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from pavedroad.localcloud.host.network.doors import Doors, Place
from pavedroad.localcloud.host.routing import Routing
from pavedroad.localcloud.listening import Elsewhere
from pavedroad.localcloud.measured import Traffic
from pavedroad.localcloud.wanted import Front, Pool, TargetStatus

_REASONS = {
    "Address already in use": "is in use by another program",
    "Permission denied": "may not be opened by this user",
}


class GatedRouting:
    """A `Routing` whose revisions count as served once both have them."""

    def __init__(self, routing: Routing, doors: Doors) -> None:
        self._routing = routing
        self._doors = doors
        self._fronts: dict[Place, str] = {}
        """ARNs."""
        self._awaited: deque[tuple[int, int]] = deque()
        """Revisions, and the doors' version that each needs."""
        self._through = 0
        self._progress = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        self.elsewhere: Callable[[str], Elsewhere] = lambda _: Elsewhere()
        routing.on_change = self._told
        doors.changed = self._moved

    @property
    def routed(self) -> int:
        return min(self._routing.routed, self._through)

    async def start(self) -> None:
        self._routing.elsewhere = self.elsewhere
        await self._doors.start()
        await self._routing.start()

    def apply(self, revision: int, pools: Iterable[Pool], fronts: Iterable[Front]) -> None:
        every = tuple(fronts)
        self._fronts = {
            (address, front.port): front.arn
            for front in every
            for address in (front.address, *(node.address for node in front.nodes))
        }
        self._awaited.append((revision, self._doors.have("balancers", self._fronts)))
        self._routing.apply(revision, pools, every)
        self._move()

    async def acknowledged(self, revision: int, timeout: float) -> bool:  # noqa: ASYNC109 - the caller's bound
        deadline = asyncio.get_running_loop().time() + timeout
        if not await self._routing.acknowledged(revision, timeout):
            return False
        try:
            async with asyncio.timeout_at(deadline):
                while self._through < revision:
                    await self._progress.wait()
        except TimeoutError:
            return False
        return True

    def statuses(self) -> list[TargetStatus]:
        return self._routing.statuses()

    def refused(self) -> dict[str, str]:
        sentences = {
            self._fronts[place]: f"{place[0]}:{place[1]} {_REASONS.get(why, f'cannot be opened: {why}')}."
            for place, why in self._doors.refused.items()
            if place in self._fronts
        }
        return {**sentences, **self._routing.refused()}

    def impaired(self) -> dict[str, str]:
        return self._routing.impaired()

    async def traffic(self) -> Traffic | None:
        return await self._routing.traffic()

    def guest_gone(self, address: str, because: str = "the instance's process has ended") -> None:
        self._routing.guest_gone(address, because)

    async def close(self) -> None:
        self._doors.close()
        await self._routing.close()

    def _told(self) -> None:
        self.on_change()

    def _moved(self) -> None:
        self._move()
        self.on_change()

    def _move(self) -> None:
        while self._awaited and self._awaited[0][1] <= self._doors.opened:
            self._through = max(self._through, self._awaited.popleft()[0])
        self._progress.set()
        self._progress = asyncio.Event()
