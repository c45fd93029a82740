"""Members of a tar, unpacked into a folder that they cannot leave.

tarfile's own filters came with Python 3.11.4; Debian 12 has 3.11.2. This does the same on every Python.
"""

from __future__ import annotations

import copy
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path


class Escape(tarfile.TarError):
    """A member is neither file, folder nor link, or it leads out of its folder."""


def extract(
    archive: tarfile.TarFile,
    folder: Path,
    members: Iterable[tarfile.TarInfo] | None = None,
    *,
    links_may_leave: bool = False,
) -> None:
    """All members, or those given; owned by us. Symbolic links may name what is elsewhere if told so, but
    nothing is ever written through them."""
    given = archive if members is None else members
    archive.extraction_filter = _as_it_is
    archive.extractall(folder, members=_confined(given, folder, links_may_leave))  # noqa: S202 - confined


def _as_it_is(member: tarfile.TarInfo, _folder: str) -> tarfile.TarInfo:
    return member


def _confined(
    members: Iterable[tarfile.TarInfo], folder: Path, links_may_leave: bool
) -> Iterator[tarfile.TarInfo]:
    root = folder.resolve()
    for member in members:
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            raise Escape(f"{member.name!r} is neither file, folder nor link")
        ours = copy.copy(member)
        ours.name = member.name.lstrip("/")
        place = Path(os.path.realpath(root / ours.name))
        if not place.is_relative_to(root):
            raise Escape(f"{member.name!r} would be unpacked outside")
        if member.islnk():
            ours.linkname = member.linkname.lstrip("/")
            _check_target(member, root / ours.linkname, root)
        elif member.issym() and not links_may_leave:
            _check_target(member, (root / ours.name).parent / member.linkname, root)
        ours.mode = _mode(member)
        ours.uid, ours.gid, ours.uname, ours.gname = os.geteuid(), os.getegid(), "", ""
        yield ours


def _check_target(member: tarfile.TarInfo, target: Path, root: Path) -> None:
    if not Path(os.path.realpath(target)).is_relative_to(root):
        raise Escape(f"{member.name!r} links to {member.linkname!r}, which is outside")


def _mode(member: tarfile.TarInfo) -> int:
    """Nobody else may write; we may read and write, and enter folders. No set-user-id."""
    least = 0o700 if member.isdir() else 0o600
    return (member.mode & 0o755) | least
