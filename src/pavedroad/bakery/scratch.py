"""Folders to build in, gone afterwards whatever happens."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path


@asynccontextmanager
async def scratch(home: Path, name: str = "") -> AsyncGenerator[Path]:
    """A new folder below `home`, named where what is built in it remembers its path. Threads make and
    remove it, since a tree takes a while."""
    made = await asyncio.to_thread(_make, home, name)
    try:
        yield made
    finally:
        await asyncio.shield(asyncio.to_thread(partial(shutil.rmtree, made, ignore_errors=True)))


def _make(home: Path, name: str) -> Path:
    if not name:
        return Path(tempfile.mkdtemp(prefix="work-", dir=home))
    folder = home / f"work-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def sweep(home: Path) -> None:
    """Remove what a killed bakery left behind."""
    for folder in home.glob("work-*"):
        shutil.rmtree(folder, ignore_errors=True)
