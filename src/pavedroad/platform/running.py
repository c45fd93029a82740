"""What runs now, as a file that others may read: `running.json`, written in one step."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from pavedroad.core.errors import Unavailable
from pavedroad.core.places import Places

RELEASE = "release"
"""Said on the supervisor's stdin, it makes it run on when that closes."""

_TRIES = 5
_PAUSE = 0.05

PartState = Literal["starting", "ready", "restarting", "stopping", "refused"]


@dataclass(frozen=True, slots=True)
class PartView:
    """A process that the supervisor keeps: `restarts` counts how often it died and came back."""

    name: str
    address: str
    state: PartState
    pid: int | None
    restarts: int
    reason: str


@dataclass(frozen=True, slots=True)
class Running:
    """The supervisor and its parts. `url` and `endpoint` are empty where that part is not run."""

    version: str
    pid: int
    ready: bool
    started_at: str
    url: str
    endpoint: str
    region: str
    parts: tuple[PartView, ...]


def write(places: Places, running: Running) -> None:
    """In one step, so that a reader never sees half of it."""
    handle, name = tempfile.mkstemp(dir=places.home, prefix=".running-")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(running), file, indent=2)
        Path(name).replace(places.running)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def read(places: Places) -> Running | None:
    """What the file says; None where there is none. Whether it is true, `holder` knows."""
    try:
        return parse(json.loads(places.running.read_text()))
    except (OSError, ValueError, RecursionError):
        return None


def parse(found: dict[str, Any]) -> Running:
    """From JSON that a supervisor wrote; of another version's, say, it is a ValueError."""
    try:
        values: dict[str, Any] = {**found, "parts": tuple(PartView(**part) for part in found["parts"])}
        return Running(**values)
    except (KeyError, TypeError) as error:
        raise ValueError("This was not written by a supervisor of this version.") from error


def forget(places: Places) -> None:
    with suppress(OSError):
        places.running.unlink()


class Busy(Exception):
    """Another supervisor holds the lock; `pid` is its process."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"process {pid} holds the lock")
        self.pid = pid


@contextmanager
def alone(places: Places) -> Generator[None]:
    """Hold the home's lock. It is the kernel's, so a file left behind by a dead process never blocks."""
    try:
        file = places.lock.open("a+")
    except OSError as error:
        raise Unavailable(
            f"The lock {places.lock} cannot be opened: {error.strerror}.",
            next_step="Make it writable, or set PAVED_HOME to a folder that is.",
        ) from error
    with file:
        if not _locked(file):
            raise Busy(_pid_in(places))
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _locked(file: TextIO) -> bool:
    """Try a few times: who only asks for the holder has the lock for a moment, too."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return True
    return False


def holder(places: Places) -> int | None:
    """The process that runs the platform of this home, or None."""
    try:
        with places.lock.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _pid_in(places)
    except PermissionError as error:
        raise Unavailable(
            f"The home {places.home} cannot be read: {error.strerror}.",
            next_step="Set PAVED_HOME to one of this user's own.",
        ) from error
    except OSError:
        return None
    return None


def _pid_in(places: Places) -> int:
    try:
        return int(places.lock.read_text().strip() or 0)
    except (OSError, ValueError):
        return 0
