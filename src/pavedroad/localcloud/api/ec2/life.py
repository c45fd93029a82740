"""The life of an instance: what is wished of it, which boot it is on, and the state that its guest gives it.

pending -> running -> shutting-down -> terminated
    ^         |-> stopping -> stopped
    |________________________|
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.wanted import GuestStatus

StateName = Literal["pending", "running", "shutting-down", "terminated", "stopping", "stopped"]
CODES: dict[StateName, int] = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
_USER_STOP = ("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown")


@dataclass(slots=True)
class Life:
    """`wish` is what the API's callers want; `state` is what is true. Changed under the state lock."""

    wish: Literal["run", "stop", "terminate"] = "run"
    boot: int = 1
    state: StateName = "pending"
    reason_code: str = ""
    reason: str = ""
    transition: str = ""
    """EC2's `StateTransitionReason`."""
    running_since: datetime | None = None
    held: bool = False
    """It rests for a moment, while an image is made of it, and then boots again."""
    ended_at: datetime | None = None
    """When it was found stopped or terminated."""
    failed: bool = False
    """The machine under it has failed: its processes are not asked to end."""
    watcher: Callable[[], None] | None = field(default=None, compare=False, repr=False)
    """Called after every change; not saved."""

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        watcher: Callable[[], None] | None = getattr(self, "watcher", None)
        if watcher is not None:
            watcher()

    def __getstate__(self) -> object:
        return None, {name: getattr(self, name) for name in _SAVED}

    def __setstate__(self, saved: tuple[None, dict[str, object]]) -> None:
        self.watcher = None
        for name, value in saved[1].items():
            object.__setattr__(self, name, value)

    @property
    def code(self) -> int:
        return CODES[self.state]

    @property
    def is_over(self) -> bool:
        return self.state in ("stopped", "terminated")

    @property
    def should_run(self) -> bool:
        return self.wish == "run" and not self.held

    @property
    def keeps_disk(self) -> bool:
        """Whether the host should know of it: a stopped one boots from its own disk again."""
        return self.wish != "terminate"

    # What callers ask

    def start(self, instance_id: str) -> None:
        if self.state in ("running", "pending"):
            return
        if self.state != "stopped":
            raise _not_now(instance_id, "started", self.state)
        self.wish, self.state, self.boot = "run", "pending", self.boot + 1
        self.failed = False
        self.reason_code = self.reason = self.transition = ""
        self.ended_at = None

    def reboot(self, instance_id: str) -> None:
        if self.state not in ("running", "pending"):
            raise _not_now(instance_id, "rebooted", self.state)
        self.boot += 1

    def stop(self, instance_id: str, now: datetime) -> None:
        if self.state in ("stopping", "stopped"):
            return
        if self.state in ("shutting-down", "terminated"):
            raise _not_now(instance_id, "stopped", self.state)
        self.wish, self.state = "stop", "stopping"
        self._explain(*_USER_STOP, f"User initiated ({_stamp(now)})")

    def terminate(self, now: datetime, *, reason: str = "") -> None:
        if self.wish == "terminate" or (self.failed and self.state == "shutting-down"):
            return
        was = self.state
        self.wish = "terminate"
        self.state = "terminated" if was == "stopped" else "shutting-down"
        if self.state == "terminated":
            self.ended_at = now
        if not self.failed and (was != "stopped" or self.reason_code == _USER_STOP[0]):
            code, message = _USER_STOP
            self._explain(code, reason or message, f"User initiated ({_stamp(now)})")
        # an instance that ended by itself goes on saying why, whoever clears it away

    def fail(self, reason: str, now: datetime, *, ends: bool) -> bool:
        """The machine under it fails: it ends without a warning, and keeps its disk until it has ended.
        Whether that is news."""
        if self.is_over or self.failed:
            return False
        ends = ends or self.wish == "terminate"
        self.wish, self.failed = "stop", True
        self.state = "shutting-down" if ends else "stopping"
        code = "Server.InternalError"
        self._explain(code, f"{code}: {reason}", f"Server: {reason} ({_stamp(now)})")
        return True

    def release(self) -> None:
        """It has rested."""
        if self.held:
            self.held = False
            if self.wish == "run":
                self.boot += 1

    def reclaim(self, now: datetime, *, stop: bool) -> None:
        """A spot instance is taken back."""
        if self.is_over or self.wish == "terminate":
            return
        done = "Shutdown" if stop else "Termination"
        code = f"Server.SpotInstance{done}"
        self.wish, self.state = ("stop", "stopping") if stop else ("terminate", "shutting-down")
        words = "shutdown" if stop else "termination"
        self._explain(
            code, f"{code}: Spot instance {words}", f"Server: Spot instance {words} ({_stamp(now)})"
        )

    @property
    def was_reclaimed(self) -> bool:
        return self.reason_code.startswith("Server.SpotInstance")

    # What the host reports

    def observe(self, guest: GuestStatus | None, now: datetime, *, settled: bool, ends: bool) -> bool:
        """Follow the guest; whether anything changed. `settled` says that the host knows the present wish,
        so that no guest means that none runs; `ends` that the instance terminates when it shuts down."""
        before = (self.state, self.reason, self.boot)
        if self.state in ("stopping", "shutting-down"):
            if _is_over(guest) or (guest is None and settled):
                self._end(now)
        elif self.should_run and guest is not None and guest.boot >= self.boot:
            self._follow(guest, now, ends=ends)
        return (self.state, self.reason, self.boot) != before

    def power_on_again(self) -> None:
        """The host was started anew: what should run does not yet, until its guest says so."""
        if self.state == "running":
            self.state = "pending"

    def _follow(self, guest: GuestStatus, now: datetime, *, ends: bool) -> None:
        if guest.state == "running":
            if self.state == "pending":
                self.state, self.running_since = "running", now
        elif guest.state in ("exited", "failed"):
            self.wish = "terminate" if ends else "stop"
            said = guest.reason or "the machine has shut down"
            if guest.state == "failed":
                self._explain("Server.InternalError", f"Server.InternalError: {said}", f"Server: {said}")
            else:
                code = "Client.InstanceInitiatedShutdown"
                self._explain(code, f"{code}: {said}", f"Instance initiated: {said} ({_stamp(now)})")
            self._end(now)

    def _end(self, now: datetime) -> None:
        if self.failed and self.state == "shutting-down":
            self.wish = "terminate"
        self.state = "terminated" if self.wish == "terminate" else "stopped"
        self.ended_at, self.running_since = now, None

    def _explain(self, code: str, message: str, transition: str) -> None:
        self.reason_code, self.reason, self.transition = code, message, transition


_SAVED = tuple(known.name for known in fields(Life) if known.name != "watcher")


def _is_over(guest: GuestStatus | None) -> bool:
    return guest is not None and guest.state in ("exited", "failed")


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%d %H:%M:%S GMT")


def _not_now(instance_id: str, done: str, state: StateName) -> ServiceError:
    return ServiceError(
        "IncorrectInstanceState",
        f"The instance '{instance_id}' is not in a state from which it can be {done}: it is {state}.",
    )
