"""Faults as the cloud's other parts see them: durable, looked after, and asked for what they come to."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pavedroad.core.clock import Clock
from pavedroad.localcloud.api.services import ApiRequest, Hindrance
from pavedroad.localcloud.documents import Document
from pavedroad.localcloud.faults.effects import Effects
from pavedroad.localcloud.faults.gate import Gate
from pavedroad.localcloud.faults.journal import Journal
from pavedroad.localcloud.faults.kinds import Reach
from pavedroad.localcloud.faults.model import Fault
from pavedroad.localcloud.faults.ports import Instances
from pavedroad.localcloud.faults.register import DEFAULT_SECONDS, Register
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import Affliction
from pavedroad.localcloud.watch import RESYNC_SECONDS, Watch

_SOONEST_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Kept:
    """What is written down: those that last, oldest first, and those that have ended, latest first."""

    active: tuple[Fault, ...] = ()
    ended: tuple[Fault, ...] = ()


class FaultInjection:
    """A `Durable` and `pavedroad.localcloud.ports.Faults`; `hinders` is asked for every call of the API.

    `zone_returned` is called for a zone in which launches work again.
    """

    name = "faults"
    form = Document(Kept)

    def __init__(
        self,
        state: State,
        instances: Instances,
        clock: Clock,
        home: Path,
        *,
        reach: Reach = Reach(),  # noqa: B008 - it is frozen
        chance: random.Random | None = None,
    ) -> None:
        self._state = state
        self._clock = clock
        self._effects = Effects()
        self._gate = Gate(clock, chance or random.Random())  # noqa: S311 - no secret depends on it
        self._register = Register(instances, clock, Journal(home / "faults.log"), self._apply, reach)
        self.zone_returned: list[Callable[[str], None]] = []
        self._refusing: frozenset[str] = frozenset()
        self._watch = Watch("faults", state, self.step, resync=self._until_next)

    # What the HTTP API asks

    def all(self) -> list[Fault]:
        """Those that last, oldest first, then those that have ended, latest first."""
        with self._state.lock:
            return [*self._register.active, *self._register.ended]

    def get(self, fault_id: str) -> Fault:
        with self._state.lock:
            return self._register.get(fault_id)

    def start_fault(
        self, kind: object, target: object, parameters: Mapping[str, Any], seconds: object = DEFAULT_SECONDS
    ) -> Fault:
        with self._state.lock:
            fault = self._register.start(kind, target, parameters, seconds)
            self._state.touch()
            return fault

    def end_fault(self, fault_id: str) -> Fault:
        """Ended already is fine."""
        with self._state.lock:
            lasted = self._register.get(fault_id).lasts
            fault = self._register.end(fault_id)
            if lasted:
                self._state.touch()
            return fault

    def end_all(self) -> list[Fault]:
        with self._state.lock:
            ended = [self._register.end(fault.id) for fault in self._register.active]
            if ended:
                self._state.touch()
            return ended

    # What the cloud asks

    def hinders(self, request: ApiRequest) -> Hindrance | None:
        return self._gate(request)

    def zone_is_down(self, zone: str) -> bool:
        return self._effects.zone_is_down(zone)

    def launch_refusal(self, zone: str, instance_type: str) -> Exception | None:
        return self._effects.launch_refusal(zone, instance_type)

    def failure(self, zone: str) -> str:
        return self._effects.failure(zone)

    def is_impaired(self, instance_id: str, zone: str) -> bool:
        return self._effects.is_impaired(instance_id, zone)

    def afflictions(self, instance_id: str, zone: str) -> tuple[Affliction, ...]:
        return self._effects.afflictions(instance_id, zone)

    # Durable, and looked after

    def dump(self) -> Kept:
        return Kept(self._register.active, self._register.ended)

    def load(self, saved: Any) -> None:
        self._register.take_up(saved.active, saved.ended)

    def start(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        self._watch.stop()

    def step(self) -> None:
        """End what is over."""
        with self._state.lock:
            if self._register.expire():
                self._state.touch()

    def _until_next(self) -> float:
        due = self._register.next_end
        if due is None:
            return RESYNC_SECONDS
        left = (due - self._clock.now()).total_seconds()
        return min(RESYNC_SECONDS, max(_SOONEST_SECONDS, left))

    def _apply(self) -> None:
        active = self._register.active
        self._effects = Effects(active)
        self._gate.have(active)
        refusing = self._effects.refusing_zones
        for zone in sorted(self._refusing - refusing):
            for told in self.zone_returned:
                told(zone)
        self._refusing = refusing
