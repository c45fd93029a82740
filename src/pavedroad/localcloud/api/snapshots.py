"""The cloud's state on disk: a snapshot soon after every change, so that a restart goes on from there."""

from __future__ import annotations

import io
import logging
import os
import pickle
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pavedroad.localcloud.api.services import Durable
from pavedroad.localcloud.state import State

_log = logging.getLogger(__name__)
_MAGIC = b"pavedroad-cloud-state\n"
_SCHEMA = 1
_DEBOUNCE_SECONDS = 0.3
_WAIT_SECONDS = 5.0


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
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def restore(self) -> bool:
        """Take up what was saved. What cannot be read is set aside, and the cloud begins empty."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return False
        try:
            saved = self._parse(content)
            with self._state.lock:
                for name, part in self._parts.items():
                    if name in saved.parts:
                        part.load(saved.parts[name])
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
        self._thread.join(timeout=30)
        if self._state.revision != self._saved_revision:
            self.save()

    def save(self) -> None:
        with self._state.lock:
            revision = self._state.revision
            buffer = io.BytesIO(_MAGIC)
            buffer.seek(0, io.SEEK_END)
            parts = {name: part.dump() for name, part in self._parts.items()}
            pickle.dump(Saved(_SCHEMA, self._versions, parts), buffer, protocol=5)
        coming = self._path.with_suffix(".coming")
        with coming.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        coming.replace(self._path)
        self._saved_revision = revision
        self._written()

    def _run(self) -> None:
        rings = -1
        while not self._ended.is_set():
            rings = self._state.rung_since(rings, _WAIT_SECONDS)
            if self._state.revision == self._saved_revision:
                continue
            self._ended.wait(_DEBOUNCE_SECONDS)
            began = time.monotonic()
            try:
                self.save()
            except Exception:
                _log.exception("The cloud's state could not be saved to %s", self._path)
                self._ended.wait(_WAIT_SECONDS)
            # A large state is saved less often, so that saving takes at most a fifth of the time.
            self._ended.wait(4 * (time.monotonic() - began))

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
