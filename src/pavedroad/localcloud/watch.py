"""The thread of a level-triggered controller: it looks when something changed, and every second anyway."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from pavedroad.localcloud.state import State

RESYNC_SECONDS = 1.0
_EASY_RATIO = 8.0
_EASY_SECONDS = 0.1
"""Short looks rest longer in proportion, up to here, where nobody would notice: what changes often, as when
much is launched, is then looked at a few times a second, and not a hundred times."""

_log = logging.getLogger(__name__)


class Watch:
    """Calls `step` again and again in a thread of its own, from `start` to `stop`.

    After each look it rests `rest_ratio` times as long as the look took of the processor, so that looking at
    much never takes more than its share; `resync` says how long to wait when nothing changes.
    """

    def __init__(
        self,
        name: str,
        state: State,
        step: Callable[[], object],
        *,
        resync: Callable[[], float] = lambda: RESYNC_SECONDS,
        rest_ratio: float = 2.0,
        least_rest: float = 0.0,
        longest_rest: float = 30.0,
    ) -> None:
        self._name = name
        self._state = state
        self._step = step
        self._resync = resync
        self._rest_ratio = rest_ratio
        self._least_rest = least_rest
        self._longest_rest = longest_rest
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_stopping(self) -> bool:
        """So that a long look may end early."""
        return self._stopping.is_set()

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when no look is under way any more."""
        self._stopping.set()
        self._state.ring()
        if self._thread:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        rings = -1
        while not self._stopping.is_set():
            rings = self._state.rung_since(rings, self._resync())
            began = time.thread_time()
            try:
                self._step()
            except Exception:
                _log.exception("A look of the controller %s failed", self._name)
                self._stopping.wait(RESYNC_SECONDS)
            self._stopping.wait(self.rest_after(time.thread_time() - began))

    def rest_after(self, taken: float) -> float:
        """Seconds, after a look that took the processor so long."""
        easy = min(_EASY_RATIO * taken, _EASY_SECONDS)
        return min(max(self._least_rest, self._rest_ratio * taken, easy), self._longest_rest)
