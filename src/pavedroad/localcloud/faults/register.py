"""The faults that last and those that have ended lately: started after a check, ended once."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from pavedroad.core.clock import Clock
from pavedroad.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from pavedroad.localcloud.faults import clocks, targets
from pavedroad.localcloud.faults.journal import Journal
from pavedroad.localcloud.faults.kinds import Kind, Reach, kind
from pavedroad.localcloud.faults.model import Fault, Value
from pavedroad.localcloud.faults.ports import Instances

DEFAULT_SECONDS = 600.0
SHORTEST_SECONDS = 0.1
LONGEST_SECONDS = 86400.0
_REMEMBERED = 100


class Register:
    """Used with the state lock held. `changed` is called after every start and end."""

    def __init__(
        self,
        instances: Instances,
        clock: Clock,
        journal: Journal,
        changed: Callable[[], None],
        reach: Reach,
    ) -> None:
        self._instances = instances
        self._clock = clock
        self._journal = journal
        self._changed = changed
        self._reach = reach
        self._active: dict[str, Fault] = {}
        self._ended: list[Fault] = []

    @property
    def active(self) -> tuple[Fault, ...]:
        """Oldest first."""
        return tuple(self._active.values())

    @property
    def ended(self) -> tuple[Fault, ...]:
        """Latest first."""
        return tuple(reversed(self._ended))

    @property
    def next_end(self) -> datetime | None:
        return min((fault.ends_at for fault in self._active.values()), default=None)

    def take_up(self, active: tuple[Fault, ...], ended: tuple[Fault, ...]) -> None:
        """What was kept. Those whose time is over by now end with the next look."""
        self._active = {fault.id: fault for fault in active}
        self._ended = list(reversed(ended))
        self._changed()

    def get(self, fault_id: str) -> Fault:
        known = {fault.id: fault for fault in (*self._ended, *self._active.values())}
        if fault_id in known:
            return known[fault_id]
        raise NotFound(f"There is no fault '{fault_id[:100]}'.", next_step="See `paved cloud fault list`.")

    def start(
        self,
        kind_name: object,
        target: object,
        given: Mapping[str, object],
        seconds: object = DEFAULT_SECONDS,
    ) -> Fault:
        """Nothing has changed where it raises."""
        what = kind(kind_name)
        aim = targets.checked(what.target, target, self._instances)
        parameters = self._parameters(what, aim, given)
        lasting = self._lasting(what, seconds, parameters)
        self._refuse_twice(what, aim)
        now = self._clock.now()
        fault = Fault(
            f"fault-{secrets.token_hex(4)}",
            what.name,
            aim,
            now,
            now + timedelta(seconds=lasting),
            what.says(aim, parameters, self._reach),
            parameters,
        )
        self._strike(fault, now)
        self._journal.note("started", fault)
        if what.momentary:
            self._end(fault, now, "it has happened")
        else:
            self._active[fault.id] = fault
        self._changed()
        return self.get(fault.id)

    def end(self, fault_id: str, because: str = "it was ended") -> Fault:
        """Ended already is fine."""
        fault = self.get(fault_id)
        if fault.lasts:
            if fault.kind == "spot-interruption":
                self._instances.spare(fault.target)
            self._end(fault, self._clock.now(), because)
            self._changed()
        return self.get(fault_id)

    def expire(self) -> bool:
        """End those whose time is over, or whose instance is gone. Says whether there were any."""
        now = self._clock.now()
        over = [fault for fault in self._active.values() if fault.ends_at <= now]
        for fault in over:
            self._end(fault, now, "its time was over")
        gone = [fault for fault in self._active.values() if self._is_gone(fault)]
        for fault in gone:
            self._end(fault, now, "its instance is gone")
        if over or gone:
            self._changed()
        return bool(over or gone)

    def _is_gone(self, fault: Fault) -> bool:
        if kind(fault.kind).target != "instance":
            return False
        struck = self._instances.find(fault.target)
        return struck is None or struck.state in ("shutting-down", "terminated")

    def _end(self, fault: Fault, now: datetime, because: str) -> None:
        self._active.pop(fault.id, None)
        ended = replace(fault, ended_at=now, ended_because=because)
        self._ended = [*self._ended, ended][-_REMEMBERED:]
        self._journal.note("ended", ended)

    def _strike(self, fault: Fault, now: datetime) -> None:
        """What happens once, when it starts."""
        if fault.kind == "instance-kill":
            self._instances.fail(fault.target, "the machine under it has failed", now)
        elif fault.kind == "spot-interruption":
            self._instances.interrupt(fault.target, fault.ends_at)

    def _parameters(self, what: Kind, target: str, given: Mapping[str, object]) -> dict[str, Value]:
        parameters = what.read(given)
        struck = self._instances.find(target) if what.target == "instance" else None
        if what.name == "network" and not any(parameters.values()):
            raise InvalidInput("A fault of the network delays, loses or cuts: say which.")
        if what.name == "api" and parameters["error"] == "none" and not parameters["delay_ms"]:
            raise InvalidInput("A fault of the API without an error has a delay: say of how many ms.")
        if what.name == "instance-memory" and struck:
            share = float(parameters["percent"]) / 100
            parameters["megabytes"] = math.floor(struck.memory_mebibytes * share)
        if what.name == "clock-skew" and clocks.library() is None:
            raise Unavailable(
                "A clock can be off only where libfaketime is installed, and this machine has none.",
                next_step="Install it, on Debian and Ubuntu with `apt install libfaketime`.",
            )
        if what.name == "spot-interruption" and struck and not struck.spot:
            raise InvalidInput(f"{target} is not a spot instance.")
        return parameters

    def _lasting(self, what: Kind, seconds: object, parameters: Mapping[str, Value]) -> float:
        if what.name == "spot-interruption":
            return float(parameters["notice_seconds"])
        if what.momentary:
            return 0.0
        number = float(seconds) if isinstance(seconds, int | float) and seconds is not True else 0.0
        if SHORTEST_SECONDS <= number <= LONGEST_SECONDS:
            return number
        raise InvalidInput(
            "A fault lasts from 0.1 seconds to 24 hours (86400 seconds).", next_step="Say such as `--for 2m`."
        )

    def _refuse_twice(self, what: Kind, target: str) -> None:
        for fault in self._active.values():
            if (fault.kind, fault.target) == (what.name, target) and not what.repeatable:
                raise Conflict(
                    f"{what.name} of {target} lasts already, as {fault.id}.",
                    next_step=f"End it first: `paved cloud fault end {fault.id}`.",
                )
