"""What lives long is set apart from Python's garbage collector, so that it stops nobody for long.

A full collection looks at all that there is while every thread stands still: with 100,000 instances for
seconds. What has outlived one is looked at by the next ones no more, but for one now and then.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from typing import Any

_WHOLE_EVERY = 3600.0


class LongLived:
    """Of this process; `begin` is called when what will always be there is there."""

    def __init__(self) -> None:
        self._looked_at = time.monotonic()

    def begin(self) -> None:
        gc.callbacks.append(self._collected)
        gc.collect()

    def end(self) -> None:
        if self._collected in gc.callbacks:
            gc.callbacks.remove(self._collected)
            gc.unfreeze()

    def look_at_all(self) -> None:
        """When it is time again: what has been set apart may be garbage by now, where it goes round in
        circles."""
        if time.monotonic() - self._looked_at < _WHOLE_EVERY:
            return
        gc.unfreeze()
        gc.collect()
        self._looked_at = time.monotonic()

    @staticmethod
    def _collected(phase: str, info: Mapping[str, Any]) -> None:
        if phase == "stop" and info["generation"] == 2:
            gc.freeze()
