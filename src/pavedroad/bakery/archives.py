"""Tar archives, packed alike from like contents whoever packs them, and when."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import zstandard

from pavedroad.core.errors import TooLarge
from pavedroad.core.tarballs import LAYER

_LEVEL = 3
_CHUNK = 1 << 20
_EPOCH = 946_684_800  # 2000-01-01
_SPAN = 20 * 365 * 86_400


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, link or folder to pack, under `name` in the archive."""

    name: str
    place: Path


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive on disk; `digest` is of its bytes."""

    place: Path
    digest: str
    size: int


def entries_below(folder: Path, names: Iterable[str] = ("",)) -> Iterator[Entry]:
    """All that is below a folder, or below some names in it."""
    for top in names:
        start = folder / top if top else folder
        if top:
            yield Entry(top, start)
        if start.is_symlink() or not start.is_dir():
            continue
        for parent, folders, files in os.walk(start):
            for name in (*folders, *files):
                place = Path(parent, name)
                yield Entry(place.relative_to(folder).as_posix(), place)


def pack(entries: Iterable[Entry], target: Path) -> Packed:
    """A zstd-compressed tar: sorted, without owners, and with times that come from the contents.

    Raises TooLarge before anything is read: nothing stops a thread that reads."""
    entries = sorted(entries, key=lambda entry: entry.name)
    size = sum(entry.place.lstat().st_size for entry in entries)
    if size > LAYER.size or len(entries) > LAYER.members:
        raise TooLarge(
            f"There are {size:,} bytes in {len(entries):,} files; an image may have {LAYER.size:,} in "
            f"{LAYER.members:,}.",
            next_step="Leave out what is not needed.",
        )
    with (
        target.open("wb") as file,
        zstandard.ZstdCompressor(level=_LEVEL, threads=2).stream_writer(file, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT, bufsize=_CHUNK) as archive,
    ):
        for entry in entries:
            _add(archive, entry)
    return Packed(target, digest_of(target), target.stat().st_size)


def digest_of(archive: Path) -> str:
    with archive.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    status = entry.place.lstat()
    info = tarfile.TarInfo(entry.name)
    info.mtime = _EPOCH
    if stat.S_ISLNK(status.st_mode):
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(entry.place.readlink()), 0o777
        archive.addfile(info)
    elif stat.S_ISDIR(status.st_mode):
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(info)
    elif stat.S_ISREG(status.st_mode):
        info.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
        info.size = status.st_size
        with open(entry.place, "rb", opener=_unlinked) as content:
            # Web servers make validators of a file's time and size: a changed file must have another time.
            info.mtime = _EPOCH + _checksum(content) % _SPAN
            content.seek(0)
            archive.addfile(info, content)


def _unlinked(place: str, flags: int) -> int:
    """What was a file a moment ago is not followed where a build has made it a link."""
    return os.open(place, flags | os.O_NOFOLLOW)


def _checksum(content: IO[bytes]) -> int:
    total = 0
    while chunk := content.read(_CHUNK):
        total = zlib.crc32(chunk, total)
    return total
