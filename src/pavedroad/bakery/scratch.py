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
async def scratch(home: Path) -> AsyncGenerator[Path]:
    """A new folder below `home`; removing a tree takes a while, so a thread does it."""
    made = await asyncio.to_thread(partial(tempfile.mkdtemp, prefix="work-", dir=home))
    try:
        yield Path(made)
    finally:
        await asyncio.shield(asyncio.to_thread(partial(shutil.rmtree, made, ignore_errors=True)))


def sweep(home: Path) -> None:
    """Remove what a killed bakery left behind."""
    for folder in home.glob("work-*"):
        shutil.rmtree(folder, ignore_errors=True)
