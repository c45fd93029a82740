"""A source folder as one archive to send: what the command line does before it asks for a bake."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pavedroad.bakery import archives, sources
from pavedroad.core.errors import InvalidInput, TooLarge
from pavedroad.manifest.model import Manifest

LARGEST_BYTES = 2 * 1024**3
"""What the bakery takes, packed or unpacked."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A packed folder: its archive, and how much is in it."""

    place: Path
    digest: str
    packed_bytes: int
    bytes: int
    files: int


def pack_folder(folder: Path, manifest: Manifest, target: Path) -> Parcel:
    """The folder's files as a zstd-compressed tar at `target`. Blocking: for a thread."""
    build = manifest.build
    files = sources.files_of(folder, include=build.include, exclude=build.exclude)
    if not (folder / sources.MANIFEST).is_file():
        raise InvalidInput(f"There is no {sources.MANIFEST} in {folder}.", next_step="paved new writes one.")
    entries = {file.path: archives.Entry(file.path, file.place) for file in files}
    entries[sources.MANIFEST] = archives.Entry(sources.MANIFEST, folder / sources.MANIFEST)
    total = sum(file.size for file in files)
    if total > LARGEST_BYTES:
        largest = max(files, key=lambda file: file.size)
        raise TooLarge(
            f"The folder holds {total:,} bytes, and a bake takes {LARGEST_BYTES:,}; "
            f"the largest file is {largest.path} with {largest.size:,}.",
            next_step="Leave out what is not needed, in .pavedignore or in build.exclude.",
        )
    try:
        packed = archives.pack(entries.values(), target)
    except OSError as error:
        raise InvalidInput(
            f"{error.filename or folder} cannot be read: {error.strerror}.",
            next_step="Give this user the right to read it.",
        ) from error
    return Parcel(target, packed.digest, packed.size, total, len(entries))
