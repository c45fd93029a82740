"""What is kept of an instance refresh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pavedroad.localcloud.autoscaling.sources import Source

Status = Literal[
    "Pending",
    "InProgress",
    "Baking",
    "Successful",
    "Failed",
    "Cancelling",
    "Cancelled",
    "RollbackInProgress",
    "RollbackSuccessful",
    "RollbackFailed",
]
ENDED: frozenset[Status] = frozenset(
    {"Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"}
)
Blocked = Literal["Wait", "Ignore", "Refresh", "Terminate"]
"""What becomes of instances that are protected or in standby."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """With AWS's defaults filled in; `given` is what the call said."""

    given: Mapping[str, Any]
    minimum_percent: int
    maximum_percent: int | None
    """None where nobody has said, which is not the same as 100: then an old one goes before its replacement
    is launched."""
    warmup_seconds: int
    checkpoints: tuple[int, ...] = ()
    checkpoint_delay_seconds: int = 3600
    skips_matching: bool = False
    rolls_back: bool = False
    protected: Blocked = "Wait"
    standby: Blocked = "Wait"
    alarms: tuple[str, ...] = ()
    bake_seconds: int = 0


@dataclass(slots=True)
class Progress:
    """Of the live group or of its warm pool."""

    total: int = 0
    remaining: int = 0

    @property
    def percent(self) -> int:
        return 100 if self.total == 0 else 100 * (self.total - self.remaining) // self.total


@dataclass(frozen=True, slots=True)
class Rollback:
    reason: str
    began_at: datetime
    percent: int
    remaining: int
    total: int
    """How many are to be replaced once more."""


@dataclass(slots=True)
class Refresh:
    """An instance refresh, active until it has one of the statuses of `ENDED`."""

    id: str
    number: int
    began_at: datetime
    preferences: Preferences
    target: Source | None
    """What new instances are launched from, and the group is set to in the end; None for the group's own."""
    desired: Mapping[str, Any] | None
    """The desired configuration as it was given."""
    originals: frozenset[str]
    """Who was there at the beginning."""
    outdated: set[str]
    """Who is to be replaced still."""
    live: Progress
    warm: Progress
    status: Status = "Pending"
    reason: str = ""
    progressed_at: datetime | None = None
    checkpoint: int = 0
    """The one that is made for, as an index into the preferences' checkpoints."""
    paused_until: datetime | None = None
    bakes_until: datetime | None = None
    waits_for_transitions: bool = True
    """When cancelled: until launches and terminations under way are done."""
    rollback: Rollback | None = None
    ended_at: datetime | None = None
    seen: tuple[int, int] = field(default=(0, 0))
    """Remaining and ready instances when progress was last made."""

    @property
    def is_active(self) -> bool:
        return self.status not in ENDED

    @property
    def launches_from(self) -> Source | None:
        """What it has new instances launched from; None for the group's own source."""
        return self.target if self.is_active and self.rollback is None else None

    @property
    def percent(self) -> int:
        """Of the whole; on the way back it falls to nothing."""
        if self.rollback is None:
            return self.live.percent
        total = self.rollback.total
        left = min(total, self.live.remaining) / total if total else 0
        return int(self.rollback.percent * left)

    def end(self, status: Status, now: datetime, reason: str) -> None:
        self.status = status
        self.reason = reason
        self.ended_at = now
