"""Named points in durable work, so that a test can end the process exactly there."""

from __future__ import annotations

from typing import Protocol


class Checkpoints(Protocol):
    """Told of each point as it is reached: `before flip`, `after flip`, `recorded flip`."""

    def reach(self, point: str) -> None: ...


class NoCheckpoints:
    """Goes on."""

    def reach(self, point: str) -> None:
        """Nothing happens here outside of tests."""
