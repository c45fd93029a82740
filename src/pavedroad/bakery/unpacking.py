"""An archive that someone sent, as a folder: nothing leaves the folder, and nothing fills the disk."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import zstandard

from pavedroad.bakery.packing import LARGEST_BYTES
from pavedroad.core import tarballs
from pavedroad.core.errors import InvalidInput, TooLarge

_MOST_FILES = 200_000
_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"


def unpack(archive: Path, folder: Path, *, largest: int = LARGEST_BYTES) -> None:
    """A tar, plain or compressed with zstd or gzip, told by its first bytes. Blocking: for a thread."""
    folder.mkdir(parents=True)
    try:
        with (
            archive.open("rb") as file,
            _plain(file) as plain,
            tarfile.open(fileobj=plain, mode="r|") as members,
        ):
            tarballs.extract(members, folder, _counted(members, largest))
    except tarballs.Escape as error:
        raise InvalidInput(f"The archive leads out of its folder: {error}.") from error
    except (tarfile.TarError, zstandard.ZstdError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise InvalidInput(
            f"The body is not a tar archive that can be unpacked: {error}.",
            next_step="Send a tar compressed with zstd or gzip, with paved.yaml at its top.",
        ) from error


def unpack_trusted(archive: Path, folder: Path) -> None:
    """A layer that the bakery packed itself: its links may name programs of the machine."""
    with archive.open("rb") as file, _plain(file) as plain, tarfile.open(fileobj=plain, mode="r|") as members:
        tarballs.extract(members, folder, links_may_leave=True)


def _plain(file: IO[bytes]) -> IO[bytes]:
    start = file.read(4)
    file.seek(0)
    if start == _ZSTD:
        return cast("IO[bytes]", zstandard.ZstdDecompressor().stream_reader(file))
    if start.startswith(_GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    return file


def _counted(members: tarfile.TarFile, largest: int) -> Iterator[tarfile.TarInfo]:
    size = 0
    for count, member in enumerate(members):
        size += member.size
        if size > largest or count > _MOST_FILES:
            raise TooLarge(
                f"The archive unpacks to over {largest:,} bytes or {_MOST_FILES:,} files: "
                "more than a bake takes."
            )
        yield member
