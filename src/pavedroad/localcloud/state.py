"""One lock around every call and every state change, and the bell that wakes the controllers."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

_WAY_SECONDS = 0.0005


class State:
    """The private cloud's state lock.

    Whoever changes state does so inside `changing()`; on its way out the revision rises, and controllers
    and the snapshot writer, which wait in `changed_since`, are woken. Reading needs `lock` alone.
    What changes outside (the host's reports) only rings: it wakes those who wait in `rung_since`.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._revision = 0
        self._rings = 0
        self._mine = threading.local()

    @property
    def revision(self) -> int:
        return self._revision

    @contextmanager
    def changing(self) -> Generator[None]:
        with self.lock:
            try:
                yield
            finally:
                self.touch()

    def touch(self) -> None:
        """Say that state has changed."""
        with self.lock:
            self._revision += 1
            self._mine.revision = self._revision
            self._rings += 1
            self._changed.notify_all()

    def take_own_revision(self) -> int:
        """The revision of this thread's last change since it was asked before; 0 for none."""
        revision: int = getattr(self._mine, "revision", 0)
        self._mine.revision = 0
        return revision

    def give_way(self) -> None:
        """Between two turns of a long look, with the lock let go: it is not fair, and without this pause
        nobody who waits for it would get it."""
        time.sleep(_WAY_SECONDS)

    def ring(self) -> None:
        """Wake whoever looks at more than state."""
        with self.lock:
            self._rings += 1
            self._changed.notify_all()

    def changed_since(self, revision: int, wait_seconds: float) -> int:
        """Wait until the revision is over `revision`, or the time is up; gives the revision."""
        with self.lock:
            self._changed.wait_for(lambda: self._revision > revision, wait_seconds)
            return self._revision

    def rung_since(self, rings: int, wait_seconds: float) -> int:
        """As `changed_since`, for changes and for what rings besides."""
        with self.lock:
            self._changed.wait_for(lambda: self._rings > rings, wait_seconds)
            return self._rings
