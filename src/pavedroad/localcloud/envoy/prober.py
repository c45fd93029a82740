"""Health checks of every target of every pool, each at its own pace."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pavedroad.localcloud.envoy.checks import check
from pavedroad.localcloud.envoy.clusters import source_of
from pavedroad.localcloud.envoy.health import Health, Outcome, vanished
from pavedroad.localcloud.listening import Elsewhere
from pavedroad.localcloud.wanted import Front, Pool, Probe, Target

Key = tuple[str, str, int]
"""Pool ARN, target id, port."""

_NO_USERS: Mapping[str, Front] = MappingProxyType({})
_SOONEST_SECONDS = 0.05
_EXTRA_SHARE = 0.1
_METRICS = ("text/plain; version=", "application/openmetrics-text")
"""What exporters of metrics answer to every path."""


@dataclass(slots=True)
class _Patient:
    """A target under watch."""

    target: Target
    probe: Probe
    health: Health = field(default_factory=Health)
    since: float = field(default_factory=time.monotonic)
    watch: asyncio.Task[None] | None = None
    elsewhere: str = ""
    """Where it listened instead, when somebody last looked."""


class Prober:
    """`changed` is called with a pool's ARN when the health of one of its targets changes."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self.elsewhere: Callable[[str], Elsewhere] = lambda _: Elsewhere()
        """Where a target listens, if not where it should. Blocks."""
        self._looking = False
        self._changed = changed
        self._patients: dict[Key, _Patient] = {}
        self._users = _NO_USERS

    def apply(self, pools: Iterable[Pool], users: Mapping[str, Front] = _NO_USERS) -> None:
        """Watch exactly these targets; those that stay keep their health, those that drain are left alone.
        Checks come from the balancers of `users`, by pool."""
        self._users = users
        wanted = {
            (pool.arn, target.id, target.port): (target, pool.probe)
            for pool in pools
            for target in pool.targets
        }
        for key in self._patients.keys() - wanted.keys():
            _release(self._patients.pop(key))
        for key, (target, probe) in wanted.items():
            self._admit(key, target, probe)

    def _admit(self, key: Key, target: Target, probe: Probe) -> None:
        patient = self._patients.get(key)
        if patient and _same_stay(patient.target, target):
            changed = patient.probe != probe or patient.target.draining != target.draining
            patient.target, patient.probe = target, probe
            if changed:
                self._watch(key, patient)
            return
        if patient:
            _release(patient)
        self._patients[key] = patient = _Patient(target, probe)
        self._watch(key, patient)

    def health(self, key: Key) -> Health | None:
        return patient.health if (patient := self._patients.get(key)) else None

    def guest_gone(self, address: str, because: str) -> None:
        for key, patient in self._patients.items():
            if patient.target.address == address:
                self._set(key, patient, vanished(patient.health, because))
                self._watch(key, patient)

    def close(self) -> None:
        for patient in self._patients.values():
            _release(patient)
        self._patients.clear()

    def _watch(self, key: Key, patient: _Patient) -> None:
        _release(patient)
        if not patient.target.draining:
            patient.watch = asyncio.create_task(self._attend(key, patient))

    async def _attend(self, key: Key, patient: _Patient) -> None:
        """A check at each beat of the interval. A target that was never healthy and where nobody listens
        yet is tried more often in between, so that its boot is noticed within a tenth of its time."""
        beat = time.monotonic()
        stagger = 1 - zlib.crc32(repr(key).encode()) / (1 << 33)
        while True:
            began = time.monotonic()
            counts = began >= beat
            user = self._users.get(key[0])
            outcome = await check(
                patient.probe,
                patient.target.reached_at,
                patient.target.probe_port,
                source_of(user, patient.target.zone) if user else "",
            )
            if outcome.refused:
                outcome = await self._told_where(patient, outcome, look=counts)
            if counts or outcome.good:
                # Those that came together part ways with the first interval.
                beat = began + patient.probe.interval_seconds * stagger
                stagger = 1.0
            self._set(key, patient, patient.health.after(outcome, patient.probe, counts=counts))
            now = time.monotonic()
            pause = beat - now
            if not outcome.connected and not patient.health.ever_healthy:
                soon = max(_SOONEST_SECONDS, (now - patient.since) * _EXTRA_SHARE)
                pause = min(pause, soon, patient.probe.interval_seconds / 4)
            await asyncio.sleep(max(0.0, pause))

    async def _told_where(self, patient: _Patient, outcome: Outcome, *, look: bool) -> Outcome:
        """With where it listens instead; one look at a time, so that many that boot cost little."""
        if look and not self._looking:
            self._looking = True
            try:
                where = await asyncio.to_thread(self.elsewhere, patient.target.id)
                patient.elsewhere = await _told(where, patient)
            finally:
                self._looking = False
        if not patient.elsewhere:
            return outcome
        return replace(outcome, description=f"{outcome.description}; {patient.elsewhere}")

    def _set(self, key: Key, patient: _Patient, health: Health) -> None:
        known, patient.health = patient.health, health
        if (known.state, known.reason, known.description) != (
            health.state,
            health.reason,
            health.description,
        ):
            self._changed(key[0])


async def _told(where: Elsewhere, patient: _Patient) -> str:
    """With whether the health check is well there: who boots may open another port long before its own, and
    it is the service only where it answers as the service."""
    if patient.target.probe_port in where.lonely:
        return where.alone(patient.target.probe_port)
    if patient.probe.protocol not in ("HTTP", "HTTPS"):
        return where.told()
    ports = where.first()
    well = await asyncio.gather(*(_is_well(where, patient, at, port) for port, at in ports.items()))
    found = next((port for port, answers in zip(ports, well, strict=True) if answers), None)
    return where.told() if found is None else where.well(found)


async def _is_well(where: Elsewhere, patient: _Patient, address: str, port: int) -> bool:
    """From inside, where we may go in, and else from where all checks come."""
    through = None
    try:
        through = await asyncio.to_thread(where.connect, address, port)
        through.setblocking(False)
    except OSError:
        if port in where.lonely:
            return False
    outcome = await check(patient.probe, patient.target.reached_at, port, through=through)
    return outcome.good and not outcome.content_type.startswith(_METRICS)


def _release(patient: _Patient) -> None:
    if patient.watch:
        patient.watch.cancel()
        patient.watch = None


def _same_stay(known: Target, target: Target) -> bool:
    """Whether it is the same registration: one that drained and came back starts anew."""
    return (known.address, known.probe_port) == (target.address, target.probe_port) and (
        target.draining or not known.draining
    )
