"""An archive that someone sent, as a folder: nothing leaves the folder, and nothing fills the disk."""

from __future__ import annotations

from pathlib import Path

from pavedroad.bakery.packing import LARGEST_BYTES
from pavedroad.core import tarballs
from pavedroad.core.errors import Unavailable
from pavedroad.core.tarballs import Limits


def unpack(archive: Path, folder: Path, *, largest: int = LARGEST_BYTES) -> int:
    """Into a new folder; gives the bytes of its files. Blocking: for a thread."""
    try:
        folder.mkdir(parents=True)
        return tarballs.unpack(archive, folder, Limits(largest))
    except OSError as error:
        raise Unavailable(f"The archive could not be unpacked: {error.strerror}.") from error


def unpack_layer(archive: Path, folder: Path) -> None:
    """One that the bakery packed itself: its links may name programs of the machine."""
    folder.mkdir()
    tarballs.unpack(archive, folder, tarballs.LAYER, links_may_leave=True)
