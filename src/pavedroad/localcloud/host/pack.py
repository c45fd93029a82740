"""A process that makes a layer of a root: `python -m pavedroad.localcloud.host.pack ROOT LAYERS LEFT_OUT...`.

It prints the layer's digest. What is below the paths that are left out belongs to layers of its own.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import IO, cast

import zstandard

from pavedroad.localcloud.host.nursery import linux

_LEVEL = 3


def pack(root: Path, layers: Path, left_out: frozenset[str]) -> str:
    """Beside its place, then renamed: it is there whole, or not at all. Gives the digest's hex digits."""
    descriptor, name = tempfile.mkstemp(dir=layers, prefix=".packing-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            hashed = _Hashed(file)
            with (
                zstandard.ZstdCompressor(level=_LEVEL).stream_writer(
                    cast("IO[bytes]", hashed), closefd=False
                ) as packed,
                tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
            ):
                _add(archive, root, "", left_out)
            file.flush()
            os.fsync(file.fileno())
        digest = hashed.digest.hexdigest()
        Path(name).replace(layers / f"{digest}.tar.zst")
    finally:
        Path(name).unlink(missing_ok=True)
    return digest


class _Hashed:
    """A file whose contents are hashed on their way."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _add(archive: tarfile.TarFile, folder: Path, inside: str, left_out: frozenset[str]) -> None:
    """Files, folders and symbolic links, in the order of their names; no sockets or pipes.

    A file that goes while the folder is read is left out: the machine may be running."""
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        path = f"{inside}{entry.name}"
        if path in left_out:
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                archive.add(entry.path, path, recursive=False)
                _add(archive, Path(entry.path), f"{path}/", left_out)
            elif entry.is_symlink():
                archive.add(entry.path, path, recursive=False)
            elif entry.is_file(follow_symlinks=False):
                _add_file(archive, entry.path, path)
        except FileNotFoundError:
            continue


def _add_file(archive: tarfile.TarFile, source: str, path: str) -> None:
    """As long as it is when it is opened: one that grows or shrinks meanwhile spoils nothing."""
    with Path(source).open("rb") as file:
        member = archive.gettarinfo(arcname=path, fileobj=file)
        member.type, member.linkname = tarfile.REGTYPE, ""
        member.size = os.fstat(file.fileno()).st_size
        member.uid = member.gid = 0  # of its guest here
        member.uname = member.gname = ""
        archive.addfile(member, cast("IO[bytes]", _Exactly(file, member.size)))


class _Exactly:
    """So many bytes of a file, with zeros for those that it no longer has."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int) -> bytes:
        size = min(size, self._left)
        self._left -= size
        return self._file.read(size).ljust(size, b"\0")


def main() -> None:
    linux.die_with(os.getppid(), signal.SIGKILL)
    try:
        digest = pack(Path(sys.argv[1]), Path(sys.argv[2]), frozenset(sys.argv[3:]))
        sys.stdout.write(f"{digest}\n")
    except OSError as error:
        sys.exit(f"{error.strerror or error}.")


if __name__ == "__main__":
    main()
