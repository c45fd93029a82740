"""Watches the state lock: who held it for how long, and what they did with it that makes all others wait.

To wait, to talk to another process or the network, and to write to a disk are never done under the lock.
`site/sitecustomize.py` has this done in an API process, where `PAVED_TEST_LOCK_WATCH` names the folder of the
reports.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from pavedroad.localcloud.state import State

_AUDITED = {
    *("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"),
    *("subprocess.Popen", "os.posix_spawn", "os.system", "os.exec", "os.rename", "os.remove", "os.mkdir"),
    *("shutil.copyfile", "shutil.rmtree", "urllib.Request", "os.truncate"),
}
_LARGE = 1 << 20
_FINE = (
    ("/threading.py", "start"),  # which waits until the new thread runs
    ("/balancing/ports.py", "_try"),  # whether a port is free: the kernel knows at once
    ("/faults/journal.py", "note"),  # a line of a log, which no disk is waited for
)
"""What is done under the lock on purpose: files and functions."""


class WatchedLock:
    """An `RLock` that knows for how much of its holder's processor time it has been held."""

    def __init__(self, watch: Watch) -> None:
        self._lock = threading._RLock()  # pyright: ignore[reportPrivateUsage] - the one that Python writes
        self._watch = watch
        self._depth = 0
        self._since = 0.0

    def acquire(self, *given: Any) -> bool:
        taken = self._lock.acquire(*given)
        if taken:
            self._depth += 1
            if self._depth == 1:
                self._since = time.thread_time()
        return taken

    def release(self) -> None:
        if self._depth == 1:
            self._watch.held(time.thread_time() - self._since)
        self._depth -= 1
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def is_mine(self) -> bool:
        return self._lock._is_owned()  # pyright: ignore[reportAttributeAccessIssue, reportPrivateUsage]

    # For the condition over it, which lets go of the lock while it waits.

    def _is_owned(self) -> bool:
        return self.is_mine()

    def _release_save(self) -> int:
        depth, self._depth = self._depth, 0
        self._watch.held(time.thread_time() - self._since)
        for _ in range(depth):
            self._lock.release()
        return depth

    def _acquire_restore(self, depth: int) -> None:
        for _ in range(depth):
            self._lock.acquire()
        self._depth, self._since = depth, time.thread_time()


class Watch:
    """Of all states of this process that are made, or handed over, once it is there."""

    def __init__(self) -> None:
        self.doing: Callable[[], str] = lambda: threading.current_thread().name
        self.holds: dict[str, float] = {}
        self.wrongs: dict[str, str] = {}
        """What was done by whom, by where in the code."""
        self._locks: list[WatchedLock] = []
        self._replaced: list[tuple[Any, str, Any]] = []
        self._on = False

    def begin(self) -> None:
        self._on = True
        sys.addaudithook(self._audit)
        self._forbid(time, "sleep")
        self._forbid(os, "fsync")
        self._forbid(threading.Event, "wait")
        self._forbid(threading.Thread, "join")
        self._forbid(subprocess.Popen, "wait")
        self._forbid(rsa, "generate_private_key")
        for name in ("md5", "sha256", "sha1"):
            self._forbid(hashlib, name, lambda given: bool(given) and len(given[0]) > _LARGE)

    def end(self) -> None:
        self._on = False
        for owner, name, before in reversed(self._replaced):
            setattr(owner, name, before)

    def take(self, state: State) -> None:
        lock: Any = WatchedLock(self)
        self._locks.append(lock)
        state.lock = lock
        state._changed = threading.Condition(lock)  # pyright: ignore[reportPrivateUsage]

    def held(self, seconds: float) -> None:
        name = self.doing()
        if seconds > self.holds.get(name, 0.0):
            self.holds[name] = seconds

    def _forbid(self, owner: Any, name: str, when: Callable[[Any], bool] = lambda given: True) -> None:
        before = getattr(owner, name)

        def watched(*given: Any, **named: Any) -> Any:
            if when(given):
                self._note(f"{getattr(owner, '__name__', owner)}.{name}")
            return before(*given, **named)

        self._replaced.append((owner, name, before))
        setattr(owner, name, watched)

    def _audit(self, event: str, given: tuple[Any, ...]) -> None:
        if not self._on:
            return
        if event in _AUDITED:
            self._note(event)
        elif event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR):
            self._note(f"open {given[0]!s:.80} to write")

    def _note(self, what: str) -> None:
        if any(lock.is_mine() for lock in self._locks):
            frames = traceback.extract_stack()
            if any(
                it.filename.endswith(name) and it.name == function
                for it in frames
                for name, function in _FINE
            ):
                return
            ours = [it for it in frames if "/pavedroad/localcloud/" in it.filename]
            where = f"{ours[-1].filename.rpartition('/src/')[2]}:{ours[-1].name}" if ours else "?"
            self.wrongs.setdefault(
                f"{what} in {where}", f"{self.doing()}\n{''.join(traceback.format_list(frames[-14:]))}"
            )
