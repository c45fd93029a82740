"""The cloud's state on disk: a snapshot after every change, so that a restart goes on from there.

A call that has changed something is answered once its change is in a snapshot (`keep`); calls that wait at
the same time share one. What the controllers do by themselves is saved soon after.
"""

from __future__ import annotations

import logging
import os
import pickle
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from pavedroad.localcloud.api.forked import forked
from pavedroad.localcloud.api.services import Durable
from pavedroad.localcloud.state import State

_log = logging.getLogger(__name__)
_MAGIC = b"pavedroad-cloud-state\n"
_SCHEMA = 2
_DEBOUNCE_SECONDS = 0.3
_WAIT_SECONDS = 5.0
_KEEP_SECONDS = 30.0
_LARGE_SECONDS = 0.03
"""Of pickling: a state that takes longer is pickled by a forked copy of the process, so that the lock is held
for the fork alone."""


@dataclass(frozen=True, slots=True)
class Saved:
    schema: int
    versions: dict[str, str]
    parts: dict[str, object]


class Snapshots:
    """Writes `path` whenever state has changed, from its own thread; the lock is held while it pickles."""

    def __init__(
        self,
        path: Path,
        state: State,
        parts: Mapping[str, Durable],
        versions: dict[str, str],
        written: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = path
        self._state = state
        self._parts = parts
        self._versions = versions
        self._written = written
        self._saved_revision = 0
        self._waiting = threading.Condition()
        self._asked_revision = 0
        self._failure = ""
        self._pickling_seconds = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def restore(self) -> bool:
        """Take up what was saved. What cannot be read is set aside, and the cloud begins empty."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return False
        try:
            began = time.thread_time()
            saved = self._parse(content)
            with self._state.lock:
                for name, part in self._parts.items():
                    if name in saved.parts:
                        part.load(saved.parts[name])
            self._pickling_seconds = time.thread_time() - began  # which takes about as long as reading
        except Exception as error:
            self._set_aside(error)
            return False
        return True

    def start(self) -> None:
        self._saved_revision = self._state.revision
        self._thread.start()

    def close(self) -> None:
        """Save what has not been saved yet, and end."""
        self._ended.set()
        self._state.ring()
        with self._waiting:
            self._waiting.notify_all()
        self._thread.join(timeout=30)
        if self._state.revision != self._saved_revision:
            self.save()

    @property
    def saved_revision(self) -> int:
        return self._saved_revision

    @property
    def failure(self) -> str:
        """Why the last attempt to save failed, in a sentence; empty while all is well."""
        return self._failure

    def keep(self, revision: int) -> None:
        """Return once that revision is on disk, or the disk has refused it (`failure` says why)."""
        with self._waiting:
            self._asked_revision = max(self._asked_revision, revision)
            self._waiting.notify_all()
            self._waiting.wait_for(
                lambda: self._saved_revision >= revision or self._failure or self._ended.is_set(),
                _KEEP_SECONDS,
            )

    def save(self) -> None:
        coming = self._path.with_suffix(".coming")
        with self._state.lock:
            began = time.thread_time()
            revision = self._state.revision
            saved = Saved(_SCHEMA, self._versions, {name: part.dump() for name, part in self._parts.items()})
            if self._pickling_seconds > _LARGE_SECONDS:
                finish = forked(lambda: _write(coming, _pickled(saved)))
            else:
                finish = partial(_write, coming, _pickled(saved))
                self._pickling_seconds = time.thread_time() - began
        finish()
        coming.replace(self._path)
        self._tell(revision)
        self._written()

    def _run(self) -> None:
        rings = -1
        while not self._ended.is_set():
            rings = self._state.rung_since(rings, _WAIT_SECONDS)
            if self._state.revision == self._saved_revision:
                continue
            self._pause(_DEBOUNCE_SECONDS)
            began = time.monotonic()
            try:
                self.save()
            except Exception as error:
                _log.exception("The cloud's state could not be saved to %s", self._path)
                self._tell(self._saved_revision, f"The state could not be saved to {self._path}: {error}.")
                self._ended.wait(_WAIT_SECONDS)
            took = time.monotonic() - began
            # Saving leaves others at least half of the time, and nine tenths where nobody waits for it.
            self._ended.wait(took)
            self._pause(8 * took)

    def _tell(self, revision: int, failure: str = "") -> None:
        with self._waiting:
            self._saved_revision, self._failure = revision, failure
            self._waiting.notify_all()

    def _pause(self, seconds: float) -> None:
        """Cut short by whoever waits for a revision."""
        with self._waiting:
            self._waiting.wait_for(
                lambda: self._asked_revision > self._saved_revision or self._ended.is_set(), seconds
            )

    def _parse(self, content: bytes) -> Saved:
        if not content.startswith(_MAGIC):
            raise ValueError("it is not a snapshot")
        saved = cast("object", pickle.loads(content[len(_MAGIC) :]))  # noqa: S301
        if not isinstance(saved, Saved) or saved.schema != _SCHEMA:
            raise ValueError("it is of another schema")
        if saved.versions != self._versions:
            raise ValueError(f"it was written by {saved.versions}, and this is {self._versions}")
        return saved

    def _set_aside(self, error: Exception) -> None:
        aside = self._path.with_name(f"{self._path.name}.broken-{int(time.time())}")
        self._path.replace(aside)
        _log.error(
            "The saved state %s cannot be used (%s); it is kept as %s, and the cloud begins empty.",
            self._path,
            error,
            aside.name,
        )


def _pickled(saved: Saved) -> bytes:
    return _MAGIC + pickle.dumps(saved, protocol=5)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
