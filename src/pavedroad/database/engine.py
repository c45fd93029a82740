"""The engine behind the platform's tables: synchronous SQLAlchemy in threads of its own.

SQLite has one writer at a time: its writes take turns in one thread and lock the file when they begin,
so that none of them finds the database locked half-way.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from pavedroad.core.errors import InvalidInput, StateUnreadable, Unavailable

Result = TypeVar("Result")

_READERS = 4
_WRITERS = 4
_SQLITE = b"SQLite format 3\0"
_CHECKED_BYTES = 64 * 1024 * 1024
"""Reading a larger file whole would hold up the start."""


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{path}"


def is_blank(path: Path) -> bool:
    """Whether a SQLite file is missing, or holds no tables. One that cannot be read is not."""
    try:
        if path.stat().st_size == 0:
            return True
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
    except FileNotFoundError:
        return True
    except (OSError, sqlite3.Error):
        return False


def parse_url(url: str) -> sa.URL:
    """A database's URL with the driver that we use; nothing but SQLite and Postgres."""
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise InvalidInput(
            "The database's URL cannot be read.",
            next_step="Write it as postgresql://user:password@host:5432/name or sqlite:////path/to/file.",
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            return parsed.set(drivername="sqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise InvalidInput(
                f"The database is of the kind '{other}'; the platform runs on sqlite and postgresql."
            )


def open_engine(url: sa.URL) -> sa.Engine:
    """An engine with the habits that each kind of database needs."""
    if url.get_backend_name() == "postgresql":
        return sa.create_engine(url, pool_pre_ping=True, pool_size=_READERS + _WRITERS)
    path = Path(url.database or "")
    size = _size_of(path)
    _make_private(path)
    engine = sa.create_engine(url, connect_args={"check_same_thread": False, "timeout": 30})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    if 0 < size <= _CHECKED_BYTES:
        _check_pages(engine, path)
    return engine


def _size_of(path: Path) -> int:
    """Of a file that is a database, as far as its first bytes say; 0 where there is none yet."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if head not in {b"", _SQLITE}:
        raise _unreadable(path, "it is not a SQLite file, or its beginning is damaged")
    return size


def _check_pages(engine: sa.Engine, path: Path) -> None:
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    except DBAPIError as error:
        if "malformed" not in str(error.orig) and "not a database" not in str(error.orig):
            raise Unavailable(f"The database {path} does not answer: {_first_line(error)}.") from error
        found = _first_line(error)
    if found != "ok":
        engine.dispose()
        raise _unreadable(path, str(found).partition("\n")[0].rstrip("."))


def _unreadable(path: Path, why: str) -> StateUnreadable:
    return StateUnreadable(
        f"The database {path} cannot be read: {why}.",
        next_step="Put a copy of it in its place; or move it away, with the files beside it that begin with "
        "its name, to begin without what it knew.",
    )


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise Unavailable(
            f"The database file {path} cannot be written: {error.strerror}.",
            next_step="Make its folder writable, or set PAVED_HOME to one that is.",
        ) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, see below
    # In full: what is committed is told to somebody, and has to outlive the machine's power too.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """Units of work on the platform's database, off the event loop, each in one transaction."""

    def __init__(self, url: str) -> None:
        self.url = parse_url(url)
        self.engine = open_engine(self.url)
        self._writing = self.engine.execution_options(writes=True)
        writers = 1 if self.url.get_backend_name() == "sqlite" else _WRITERS
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="database-read")
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="database-write")

    async def read(self, work: Callable[[Session], Result]) -> Result:
        """What `work` finds; it changes nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._run, self.engine, work)

    async def write(self, work: Callable[[Session], Result]) -> Result:
        """What `work` gives; all that it changed is committed, or nothing when it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._writers, self._run, self._writing, work)

    def close(self) -> None:
        self._readers.shutdown()
        self._writers.shutdown()
        self.engine.dispose()

    def _run(self, engine: sa.Engine, work: Callable[[Session], Result]) -> Result:
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                return work(session)
        except DBAPIError as error:
            if isinstance(error, IntegrityError):
                raise
            raise Unavailable(f"The database does not answer: {_first_line(error)}.") from error


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0].rstrip(".")
