"""A process that unpacks one layer: `python -m pavedroad.localcloud.host.unpack LAYER.tar.zst FOLDER`."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import sys
import tarfile
import tempfile
from pathlib import Path

import zstandard

from pavedroad.localcloud.host.nursery import linux

UNFINISHED = ".unpacking-"
_CHUNK = 1 << 20


def unpack(layer: Path, folder: Path) -> None:
    """Beside its place, then renamed: it is there whole, or not at all. Only files, folders and links, none
    of which leads out of the folder (tarfile's `tar` filter; links may name a program of the machine)."""
    digest = hashlib.sha256()
    with layer.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != folder.name:
        raise tarfile.TarError("its bytes are not those that its digest names")
    building = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder.parent))
    try:
        with (
            layer.open("rb") as stream,
            zstandard.ZstdDecompressor().stream_reader(stream) as plain,
            tarfile.open(fileobj=plain, mode="r|") as archive,
        ):
            archive.extractall(building, filter=_safe)  # noqa: S202 - filtered
        building.chmod(0o755)
        building.rename(folder)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY) or not folder.is_dir():
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _safe(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """As the layer has it, owned by us, within its folder; devices and pipes are refused."""
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        raise tarfile.SpecialFileError(member)
    if member.islnk():
        target = Path(folder, member.linkname).resolve()
        if not target.is_relative_to(Path(folder).resolve()):
            raise tarfile.LinkOutsideDestinationError(member, str(target))
    ours = member.replace(uid=None, gid=None, uname=None, gname=None, deep=False)  # pyright: ignore[reportArgumentType]
    return tarfile.tar_filter(ours, folder)


def main() -> None:
    linux.die_with(os.getppid(), signal.SIGKILL)
    try:
        unpack(Path(sys.argv[1]), Path(sys.argv[2]))
    except OSError as error:
        sys.exit(f"{error.strerror or error}.")
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        sys.exit(f"{error}.")


if __name__ == "__main__":
    main()
