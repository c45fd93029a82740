"""The host as one thing: what is wanted comes in, guests and routes follow, what is actual goes out."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TypeVar

from pavedroad.core import seclusion
from pavedroad.core.confinement import sentence
from pavedroad.core.networking import Listening
from pavedroad.localcloud.host.faults.network import Relays
from pavedroad.localcloud.host.guests import Guests
from pavedroad.localcloud.host.journal import Journal
from pavedroad.localcloud.host.limits import Limiter
from pavedroad.localcloud.host.meter import Meter
from pavedroad.localcloud.host.network.namespaces import Namespaces
from pavedroad.localcloud.host.nursery import binding
from pavedroad.localcloud.host.routing import Routing
from pavedroad.localcloud.host.sockets import elsewhere
from pavedroad.localcloud.host.supervision import Supervision
from pavedroad.localcloud.host.sweep import sweep
from pavedroad.localcloud.listening import Elsewhere
from pavedroad.localcloud.measured import Measurements
from pavedroad.localcloud.wanted import (
    Actual,
    ActualChange,
    Front,
    Pool,
    SecurityGroup,
    TargetStatus,
    Wanted,
    WantedChange,
)

Kept = TypeVar("Kept")
_log = logging.getLogger(__name__)

_LONGEST_GRACE = 10.0
"""Seconds that guests have to end when the whole host stops."""
_COLLECT_EVERY = 5.0
_GATHER = 0.005
"""Seconds in which changes gather, so that a thousand boots are not a thousand reports."""


class Host:
    """Guests, their routes and the journal of both."""

    def __init__(
        self, home: Path, endpoint: str, routing: Routing, network: Namespaces | None = None
    ) -> None:
        self.journal = Journal()
        self._instances = home / "instances"
        self._routing = routing
        routing.on_change = self._routing_changed
        routing.elsewhere = self._elsewhere
        self.limiter = Limiter(home)
        self._meter = Meter(self.limiter, own_networks=network is not None)
        self._supervision = Supervision(self._sweep)
        way = seclusion.way()
        self._confined = sentence("instances", own_users=way == "users", own_view=way == "view")
        self._listening: Listening = _listening(network, way)
        self.guests = Guests(
            home,
            endpoint,
            self._supervision,
            self._meter,
            changed=self.journal.touch,
            forgotten=self.journal.forget,
            gone=routing.guest_gone,
            network=network,
            seclusion=way,
            binds=self._listening == "address",
        )
        self._network = network
        self._relays = Relays()
        self._lost: set[str] = set()
        """Addresses of guests that cannot be reached, and that this is known of."""
        self._wanted_revision = 0
        self._pools: dict[str, Pool] = {}
        self._fronts: dict[str, Front] = {}
        self._groups: dict[str, SecurityGroup] = {}
        self._targets: dict[str, TargetStatus] = {}
        self._told: tuple[int, dict[str, dict[str, str]]] = (0, {})
        self._noting: asyncio.TimerHandle | None = None
        self._collecting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ready for guests; whatever an earlier host left behind is ended first."""
        await asyncio.to_thread(self._open)
        if self._network is not None:
            await self._network.start()
        await self._supervision.start()
        await self._routing.start()
        self._collecting = asyncio.create_task(self._collect_images(), name="collect images")

    async def close(self) -> None:
        """Stop all there is. Nothing is reported of it: the guests are still wanted, by the next host."""
        if self._collecting is not None:
            self._collecting.cancel()
        await self.guests.stop_all(_LONGEST_GRACE)
        await self._routing.close()
        self._relays.close()
        await self._supervision.close()
        if self._network is not None:
            await self._network.close()
        await asyncio.to_thread(self.limiter.close)

    def put(self, wanted: Wanted) -> None:
        """Make exactly this true."""
        self._wanted_revision = wanted.revision
        self._pools = {pool.arn: pool for pool in wanted.pools}
        self._fronts = {front.arn: front for front in wanted.fronts}
        self._groups = {group.id: group for group in wanted.groups}
        self._wall()
        self.guests.want(wanted.guests)
        self._route()

    def patch(self, change: WantedChange) -> bool:
        """Make these changes true; False where they are not for this host, or come before what it has."""
        if change.epoch != self.journal.epoch or self._wanted_revision == 0:
            return False
        self._wanted_revision = max(change.revision, self._wanted_revision)
        _merge(self._pools, change.pools)
        _merge(self._fronts, change.fronts)
        _merge(self._groups, change.groups)
        if change.groups or change.fronts:
            self._wall()
        self.guests.change(change.guests)
        self._route()
        return True

    async def actual(self, epoch: str, revision: int, wait: float, *, changes: bool) -> Actual | ActualChange:
        """What is, once it is newer than what the asker knows, or the time is up."""
        known = epoch == self.journal.epoch
        if known:
            await self.journal.after(revision, wait)
            await asyncio.sleep(_GATHER)
        if not (known and changes):
            return Actual(
                self.journal.epoch,
                self.journal.revision,
                self._routing.routed,
                tuple(self.guests.statuses().values()),
                tuple(self._targets.values()),
                self._routing.refused(),
                self._routing.impaired(),
                self._listening,
            )
        touched = self.journal.touched_since
        return ActualChange(
            self.journal.epoch,
            self.journal.revision,
            self._routing.routed,
            tuple(it for key, it in self.guests.statuses().items() if touched(key, revision)),
            tuple(it for key, it in self._targets.items() if touched(key, revision)),
            self._routing.refused(),
            self.journal.gone_since(revision),
            self._routing.impaired(),
        )

    async def routed(self, revision: int, seconds: float) -> bool:
        """Whether Envoy serves this revision of what is wanted, within the time."""
        return await self._routing.acknowledged(revision, seconds)

    async def measurements(self, since: float) -> Measurements:
        """All that is counted, and how guests ended since then that have ended."""
        traffic, guests = await asyncio.gather(
            self._routing.traffic(), asyncio.to_thread(self._meter.read, since)
        )
        return Measurements(self.journal.epoch, time.time(), self.limiter.by, guests, traffic, self._confined)

    def troubles(self) -> dict[str, dict[str, str]]:
        return {"refused": self._routing.refused(), "impaired": self._routing.impaired()}

    async def _collect_images(self) -> None:
        """Not before it is known which guests there should be."""
        while True:
            await asyncio.sleep(_COLLECT_EVERY)
            if self._wanted_revision:
                try:
                    await self.guests.collect_images()
                except OSError:
                    _log.exception("Unpacked images could not be collected")

    def _elsewhere(self, guest_id: str) -> Elsewhere:
        held = self.limiter.holds().get(guest_id)
        return elsewhere(held) if held is not None else Elsewhere()

    def _open(self) -> None:
        sweep(self._instances)
        self.limiter.open()
        if self._network is not None:
            self._network.sweep()

    def _sweep(self) -> None:
        sweep(self._instances)
        self.limiter.sweep()

    def _wall(self) -> None:
        if self._network is not None:
            self._network.have(self._groups, self._fronts.values())

    def _route(self) -> None:
        troubles = self.guests.network_troubles()
        before, self._lost = self._lost, {address for address, it in troubles.items() if it.at_once}
        self._relays.have(self._network.fail(troubles) if self._network is not None else troubles)
        pools = [self._relays.reroute(pool) for pool in self._pools.values()]
        self._routing.apply(self._wanted_revision, pools, self._fronts.values())
        for address in self._lost - before:
            self._routing.guest_gone(address, "its Availability Zone cannot be reached")
        self._routing_changed()

    def _routing_changed(self) -> None:
        if self._noting is None:
            self._noting = asyncio.get_running_loop().call_later(_GATHER, self._note_routing)

    def _note_routing(self) -> None:
        self._noting = None
        before = self._targets
        self._targets = {f"{it.pool_arn} {it.target_id} {it.port}": it for it in self._routing.statuses()}
        for key in before.keys() - self._targets.keys():
            self.journal.drop(key)
        news = [key for key, status in self._targets.items() if before.get(key) != status]
        head = (self._routing.routed, self.troubles())
        if news or head != self._told:
            self._told = head
            self.journal.touch(*news)


def _listening(network: Namespaces | None, way: seclusion.Way) -> Listening:
    if network is not None:
        return "network"
    another = seclusion.user_of("127.255.255.254") if way == "users" else None
    return "address" if binding.possible(another) else "machine"


def _merge(kept: dict[str, Kept], changes: dict[str, Kept | None]) -> None:
    for key, value in changes.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = value
