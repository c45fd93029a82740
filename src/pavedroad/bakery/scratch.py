"""Folders to build in, gone afterwards whatever happens, and never taken from a process that uses them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

_AGAIN_SECONDS = 0.2


@asynccontextmanager
async def scratch(home: Path, name: str = "") -> AsyncGenerator[Path]:
    """A new folder below `home`, named where what is built in it remembers its path; waits while another
    process builds under that name. Threads empty and remove it, since a tree takes a while."""
    while (held := _make(home, name)) is None:  # noqa: ASYNC110 - another process tells of no event
        await asyncio.sleep(_AGAIN_SECONDS)
    made, lock = held
    try:
        await asyncio.to_thread(_empty, made)
        yield made
    finally:
        await asyncio.shield(asyncio.to_thread(partial(_remove, made, lock)))


def sweep(home: Path) -> None:
    """Remove what killed bakeries left behind."""
    with _making(home, fcntl.LOCK_EX):
        for folder in home.glob("work-*"):
            if (lock := _taken(folder)) is not None:
                _remove(folder, lock)


def _make(home: Path, name: str) -> tuple[Path, int] | None:
    """The folder, and the descriptor that holds its lock; None while another process has it or sweeps."""
    try:
        with _making(home, fcntl.LOCK_SH | fcntl.LOCK_NB):
            folder = home / f"work-{name}" if name else Path(tempfile.mkdtemp(prefix="work-", dir=home))
            folder.mkdir(mode=0o700, exist_ok=True)
            lock = _taken(folder)
    except BlockingIOError:
        return None
    return None if lock is None else (folder, lock)


@contextmanager
def _making(home: Path, how: int) -> Generator[None]:
    """Nobody sweeps between a folder's making and its lock."""
    lock = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, how)
        yield
    finally:
        os.close(lock)


def _taken(folder: Path) -> int | None:
    """A descriptor that holds the folder until it is closed, also by the end of our process."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), folder.stat()):  # else it was removed before we had it
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


def _empty(folder: Path) -> None:
    """Of what a killed bakery left."""
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def _remove(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
