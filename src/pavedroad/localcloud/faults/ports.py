"""What faults need to know of instances, and do to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Struck:
    """An instance that a fault may be for."""

    id: str
    region: str
    zone: str
    state: str
    spot: bool
    memory_mebibytes: int
    """Of its type."""


class Instances(Protocol):
    """EC2, for faults: every account's and region's instances. Called with the state lock held."""

    def find(self, instance_id: str) -> Struck | None: ...

    def fail(self, instance_id: str, reason: str, now: datetime) -> None:
        """The machine under it has failed: it ends without a warning. Over already is fine."""
        ...

    def interrupt(self, instance_id: str, at: datetime) -> None:
        """Give a spot instance its interruption notice: it is terminated at that time."""
        ...

    def spare(self, instance_id: str) -> None:
        """Take an interruption notice back; none is fine."""
        ...
