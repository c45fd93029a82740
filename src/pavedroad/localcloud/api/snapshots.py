"""The cloud's state on disk: a snapshot after every change, so that a restart goes on from there.

A call that has changed something is answered once its change is in a snapshot (`keep`); calls that wait at
the same time share one. What the controllers do by themselves is saved soon after. A snapshot that does not
load changes nothing: the process ends, and says why.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pavedroad.core.files import write_whole
from pavedroad.localcloud.api import container, schema_2
from pavedroad.localcloud.api.forked import forked
from pavedroad.localcloud.api.services import Durable
from pavedroad.localcloud.moto_adapter.snapshot import NewerMoto
from pavedroad.localcloud.state import State
from pavedroad.localcloud.unreadable import damaged, missing, of_another

_log = logging.getLogger(__name__)
_DEBOUNCE_SECONDS = 0.3
_WAIT_SECONDS = 5.0
_LIMIT_SECONDS = 30.0
_LARGE_SECONDS = 0.03
"""Of writing down: a state that takes longer is written by a forked copy of the process, so that the lock is
held for the fork alone."""


class NotSaved(Exception):
    """The sentence says why."""


class Snapshots:
    """Writes `path` whenever state has changed, from its own thread."""

    def __init__(
        self,
        path: Path,
        state: State,
        parts: Mapping[str, Durable],
        *,
        writer: str = "",
        beside: Sequence[Path] = (),
        written: Callable[[], None] = lambda: None,
        limit_seconds: float = _LIMIT_SECONDS,
    ) -> None:
        """`beside` are folders that are empty where nothing was ever saved, but for what is hidden. `written`
        is called after each snapshot; one that takes longer than the limit is given up."""
        self._path = path
        self._state = state
        self._parts = parts
        self._writer = writer
        self._beside = beside
        self._written = written
        self._limit_seconds = limit_seconds
        self._saved_revision = 0
        self._waiting = threading.Condition()
        self._asked_revision = 0
        self._failed_revision = -1
        self._failure = ""
        self._saving_since: float | None = None
        self._writing_seconds = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def restore(self) -> bool:
        """Take up what was saved, if there is anything. `StateUnreadable` where that cannot be, or not all of
        it: then nothing has been changed on disk, nor in any part."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            for folder in self._beside:
                if folder.is_dir() and not all(it.name.startswith(".") for it in folder.iterdir()):
                    raise missing(self._path, folder) from None
            return False
        except OSError as error:
            raise damaged(self._path, f"it cannot be read ({error.strerror})") from error
        began = time.thread_time()
        saved, older = self._read(content)
        with self._state.lock:
            for name, part in self._parts.items():
                if name in saved:
                    self._load(name, part, saved[name])
        self._writing_seconds = time.thread_time() - began  # which takes about as long as reading
        if older:
            self._keep_beside(older)
        return True

    def begin(self) -> None:
        """The first snapshot is of an empty cloud, so that from then on one that is missing is missed."""
        if not self._path.exists():
            with suppress(Exception):  # `failure` tells
                self.save()

    def start(self) -> None:
        self._saved_revision = self._state.revision
        self._thread.start()

    def close(self) -> None:
        """Save what has not been saved yet, and end."""
        self._ended.set()
        self._state.ring()
        with self._waiting:
            self._waiting.notify_all()
        self._thread.join(timeout=self._limit_seconds)
        if self._thread.is_alive():  # the disk still has the last one to write, and takes one at a time
            _log.error(self._too_slow())
        elif self._state.revision != self._saved_revision:
            self.save()

    @property
    def saved_revision(self) -> int:
        return self._saved_revision

    @property
    def failure(self) -> str:
        """Why the last attempt to save failed, or goes on for too long; empty while all is well."""
        since = self._saving_since
        if since is not None and time.monotonic() - since > self._limit_seconds:
            return self._too_slow()
        return self._failure

    def keep(self, revision: int) -> None:
        """Return once that revision is on disk. `NotSaved` where the disk refuses it, or takes too long."""
        with self._waiting:
            self._asked_revision = max(self._asked_revision, revision)
            self._waiting.notify_all()
            self._waiting.wait_for(
                lambda: max(self._saved_revision, self._failed_revision) >= revision, self._limit_seconds
            )
            if self._saved_revision < revision:
                raise NotSaved(self._failure or self._too_slow())

    def save(self) -> None:
        revision = self._state.revision
        self._saving_since = time.monotonic()
        try:
            with self._state.lock:
                began = time.thread_time()
                revision = self._state.revision
                dumps = {name: part.dump() for name, part in self._parts.items()}
                if self._writing_seconds > _LARGE_SECONDS:
                    finish = forked(lambda: self._write(self._encoded(dumps)), self._limit_seconds)
                else:
                    finish = partial(self._write, self._encoded(dumps))
                    self._writing_seconds = time.thread_time() - began
            finish()
        except Exception as error:
            self._tell(failed=revision, failure=f"The state could not be saved to {self._path}: {error}.")
            raise
        finally:
            self._saving_since = None
        self._tell(saved=revision)
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
            except Exception:
                _log.exception("The cloud's state could not be saved to %s", self._path)
                self._pause(_WAIT_SECONDS)
                continue
            took = time.monotonic() - began
            # Saving leaves others at least half of the time, and nine tenths where nobody waits for it.
            self._ended.wait(took)
            self._pause(8 * took)

    def _tell(self, *, saved: int | None = None, failed: int = -1, failure: str = "") -> None:
        with self._waiting:
            self._saved_revision = self._saved_revision if saved is None else saved
            self._failed_revision, self._failure = failed, failure
            self._waiting.notify_all()

    def _pause(self, seconds: float) -> None:
        """Cut short by whoever waits for a revision that has not been tried yet."""
        with self._waiting:
            self._waiting.wait_for(
                lambda: (
                    self._asked_revision > max(self._saved_revision, self._failed_revision)
                    or self._ended.is_set()
                ),
                seconds,
            )

    def _too_slow(self) -> str:
        return f"The state was not saved to {self._path} within {self._limit_seconds:g} seconds."

    def _encoded(self, dumps: Mapping[str, object]) -> list[container.Part]:
        encoded: list[container.Part] = []
        for name, dump in dumps.items():
            form = self._parts[name].form
            try:
                encoded.append(container.Part(name, form.kind, form.version, form.encode(dump)))
            except Exception as error:
                raise NotSaved(f"what {name} keeps cannot be written down ({error})") from error
        return encoded

    def _write(self, parts: list[container.Part]) -> None:
        write_whole(self._path, container.pack(parts, self._writer))

    def _read(self, content: bytes) -> tuple[dict[str, Any], str]:
        """What each part is to load, and by which older version it was written, if by one."""
        name = ""
        try:
            schema = container.schema_of(content)
            if schema == 2:
                return schema_2.read(content.partition(b"\n")[2]), "schema-2"
            saved: dict[str, Any] = {}
            older = ""
            for it in container.unpack(content):
                name = it.name
                if name not in self._parts:
                    raise of_another(self._path, f"it has a part that is not known, {name}")
                form = self._parts[name].form
                if form.kind != it.kind:
                    raise of_another(self._path, f"its part {name} is a {it.kind}")
                saved[name] = form.decode(it.body, it.version)
                if form.version != it.version:
                    older = f"{name}-{it.version}"
        except container.Damaged as error:
            raise damaged(self._path, str(error)) from error
        except (container.Newer, NewerMoto) as error:
            raise of_another(self._path, str(error)) from error
        except Exception as error:
            where = f"its part {name}: " if name else ""
            raise (of_another if name else damaged)(self._path, f"{where}{_said(error)}") from error
        return saved, older

    def _load(self, name: str, part: Durable, saved: Any) -> None:
        try:
            part.load(saved)
        except Exception as error:
            raise of_another(self._path, f"its part {name}: {_said(error)}") from error

    def _keep_beside(self, older: str) -> None:
        """What an older version wrote stays as it was, in case that it is gone back to."""
        with suppress(FileExistsError):
            os.link(self._path, self._path.with_name(f"{self._path.name}.{older}"))


def _said(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
