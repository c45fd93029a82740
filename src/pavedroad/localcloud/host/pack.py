"""A process that makes a layer of a root: `python -m pavedroad.localcloud.host.pack ROOT LAYERS LEFT_OUT...`.

It prints the layer's digest. What is below the paths that are left out belongs to layers of its own.
"""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import stat
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import IO, cast

import zstandard

from pavedroad.core.tarballs import LAYER
from pavedroad.localcloud.host.nursery import linux

_LEVEL = 3
_AS_IT_IS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHANGED = frozenset({errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.ENXIO})
"""What is said of a name that was something else, or is a socket."""


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
                top = os.open(root, _AS_IT_IS | os.O_DIRECTORY)
                try:
                    _add(archive, top, "", left_out)
                finally:
                    os.close(top)
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


def _add(archive: tarfile.TarFile, folder: int, inside: str, left_out: frozenset[str]) -> None:
    """Files, folders and symbolic links, in the order of their names; no sockets or pipes.

    The machine may be running, and its programs are not ours: what goes while the folder is read is left
    out, and no link is followed, whatever stood in its place a moment ago."""
    for name in sorted(os.listdir(folder)):
        path = f"{inside}{name}"
        found = None if path in left_out else _found(name, folder)
        if isinstance(found, int):
            try:
                _add_opened(archive, found, path, left_out)
            finally:
                os.close(found)
        elif found is not None:
            link = tarfile.TarInfo(path)
            link.type, link.linkname, link.mode = tarfile.SYMTYPE, found, 0o777
            archive.addfile(link)


def _found(name: str, folder: int) -> int | str | None:
    """A descriptor of what is there, or where a link leads; None for what can be neither, or has gone."""
    try:
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return os.readlink(name, dir_fd=folder)
        return os.open(name, _AS_IT_IS, dir_fd=folder)
    except OSError as error:
        if error.errno not in _CHANGED:
            raise
        return None


def _add_opened(archive: tarfile.TarFile, descriptor: int, path: str, left_out: frozenset[str]) -> None:
    """A file is as long as it is now: one that grows or shrinks meanwhile spoils nothing."""
    status = os.fstat(descriptor)
    member = tarfile.TarInfo(path)  # of its guest here, so of nobody
    member.mode, member.mtime = stat.S_IMODE(status.st_mode), status.st_mtime
    if stat.S_ISDIR(status.st_mode):
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
        _add(archive, descriptor, f"{path}/", left_out)
    elif stat.S_ISREG(status.st_mode):
        member.size = status.st_size
        if archive.offset + member.size > LAYER.size:
            raise OSError(errno.EFBIG, f"its files have more than {LAYER.size >> 30} GiB")
        with open(descriptor, "rb", closefd=False) as file:
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
