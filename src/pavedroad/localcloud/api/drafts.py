"""What comes in and is not settled yet: in memory while it is little, then in files without a name, which are
gone with who holds them."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import BinaryIO, cast

from pavedroad.localcloud.errors import ServiceError, unavailable

_TOLD_SECONDS = 60.0


class Drafts:
    """In a folder on the disk where all of the home is, so that one disk counts."""

    def __init__(self, folder: Path | None = None) -> None:
        """Without a folder where the system keeps such files."""
        self._folder = None if folder is None else str(folder)
        self._failure = ""
        self._failed_at = 0.0

    @property
    def failure(self) -> str:
        """Why something was not kept in the last minute, if nothing was since; else empty."""
        return self._failure if time.monotonic() - self._failed_at < _TOLD_SECONDS else ""

    def open(self, in_memory: int) -> SpooledTemporaryFile[bytes]:
        return SpooledTemporaryFile(in_memory, dir=self._folder)

    def file(self) -> BinaryIO:
        return cast("BinaryIO", TemporaryFile(dir=self._folder))

    def refused(self, error: OSError) -> ServiceError:
        """To be raised for it."""
        where = f" in {self._folder}" if self._folder else ""
        self._failure = f"What was sent could not be kept{where}: {error.strerror or error}."
        self._failed_at = time.monotonic()
        return unavailable(self._failure)

    def kept(self) -> None:
        """Something was, since."""
        self._failure = ""
