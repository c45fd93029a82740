"""How long the state's lock is held at once: whoever calls meanwhile waits so long at most."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from pavedroad.localcloud.state import State


class TimedLock:
    """As `threading.RLock`; `longest` is the processor time of the longest hold, so that a busy machine adds
    nothing to it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._began = 0.0
        self.longest = 0.0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        taken = self._lock.acquire(blocking, timeout)
        if taken:
            if not self._depth:
                self._began = time.thread_time()
            self._depth += 1
        return taken

    def release(self) -> None:
        self._depth -= 1
        if not self._depth:
            self.longest = max(self.longest, time.thread_time() - self._began)
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _is_owned(self) -> bool:
        """For conditions on it, which are notified by its owner alone."""
        return self._depth > 0


class TimedState(State):
    def __init__(self) -> None:
        super().__init__()
        self.timed = TimedLock()
        self.lock = self.timed  # pyright: ignore[reportAttributeAccessIssue]
        self._changed = threading.Condition(self.timed)  # pyright: ignore[reportArgumentType]
