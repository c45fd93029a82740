"""A source folder as one archive to send: what the command line does before it asks for a bake."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pavedroad.bakery import archives, git, sources
from pavedroad.core.errors import InvalidInput, TooLarge
from pavedroad.manifest import loading
from pavedroad.manifest.model import Manifest

LARGEST_BYTES = 2 * 1024**3
"""What the bakery takes, packed or unpacked."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A packed folder: its archive, and how much is in it; `source` are its files but manifests, by path."""

    place: Path
    digest: str
    packed_bytes: int
    bytes: int
    files: int
    source: tuple[str, ...]


def pack_folder(source: Path, manifest: Manifest, target: Path) -> Parcel:
    """The files of a folder, or of that of a manifest's file, as a zstd-compressed tar at `target`: with this
    manifest as its `paved.yaml`, and no other. Blocking: for a thread."""
    place, build = loading.find(source), manifest.build
    folder = place.folder
    apart = {sources.MANIFEST, place.file.name, *(other.name for other in loading.others(folder))}
    found = sources.files_of(folder, include=build.include, exclude=build.exclude)
    files = [file for file in found if file.path not in apart]
    if not found and git.ignores(folder):
        raise InvalidInput(
            f"git ignores the folder {folder} as a whole, so nothing of it would be shipped.",
            next_step="Write !* in a file .pavedignore in it, or take it out of git's ignore files.",
        )
    entries = {file.path: archives.Entry(file.path, file.place) for file in files}
    entries[sources.MANIFEST] = archives.Entry(sources.MANIFEST, Path(os.path.realpath(place.file)))
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
    source_paths = tuple(file.path for file in files)
    return Parcel(target, packed.digest, packed.size, total, len(entries), source_paths)
