"""What is kept of a warm pool; its instances are members of the group, in states that begin with Warmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PoolState = Literal["Stopped", "Running", "Hibernated"]


@dataclass(slots=True)
class WarmPool:
    """Settings have AWS's names and meaning."""

    max_prepared: int | None = None
    """How many are prepared or in service at most; None for as many as the group may have."""
    minimum: int = 0
    state: PoolState = "Stopped"
    """EC2 here cannot hibernate: an instance that should is stopped, and shown as stopped."""
    reuses: bool | None = None
    """Whether what is scaled in returns to the pool; None where that was not said, which is no."""
    deleting: bool = False

    def size(self, desired: int, maximum: int) -> int:
        """How much it should hold beside that desired capacity."""
        if self.deleting:
            return 0
        prepared = maximum if self.max_prepared is None else self.max_prepared
        return max(self.minimum, prepared - desired, 0)
