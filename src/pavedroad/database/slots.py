"""Which of the control processes that share a database this one is.

A Postgres takes many, each in the lowest slot that is free by an advisory lock; a SQLite file takes one, by a
lock of a file beside it. Both locks are the kernel's or the server's: what a dead process held is free.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from pavedroad.core.errors import Unavailable
from pavedroad.database.engine import Database

_SLOTS = 64
_LOCK = 0x70617665  # with the slot's number, the two halves of Postgres's key


@dataclass(frozen=True, slots=True)
class Slot:
    """Held until it is released, or the process ends. The same names come back after a restart."""

    name: str
    release: Callable[[], None]


def take_slot(database: Database) -> Slot:
    """The first free slot; `Unavailable` says who is in the way where there is none."""
    if database.url.get_backend_name() == "sqlite":
        return _of_file(Path(database.url.database or ""))
    return _of_server(database.engine)


def _of_file(path: Path) -> Slot:
    beside = path.with_name(f"{path.name}.lock")
    try:
        lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(
            f"The lock {beside} cannot be opened: {error.strerror}.",
            next_step="Move it away: it is made anew.",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Unavailable(
            f"Another control process uses {path} already, and a SQLite file takes one.",
            next_step="Stop the other one, or share a Postgres: PAVED_DATABASE_URL.",
        ) from None
    return Slot("control-0", lambda: os.close(lock))


def _of_server(engine: sa.Engine) -> Slot:
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    asked = sa.text("SELECT pg_try_advisory_lock(:lock, :slot)")
    for number in range(_SLOTS):
        if connection.scalar(asked, {"lock": _LOCK, "slot": number}):
            return Slot(f"control-{number}", partial(_end, connection))
    _end(connection)
    raise Unavailable(
        f"{_SLOTS} control processes share this database already.", next_step="Stop one of them."
    )


def _end(connection: sa.Connection) -> None:
    """For good, and not back into the pool: the lock is the session's."""
    connection.invalidate()
    connection.close()
