"""A guest's root folder, made of its image's unpacked layers."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from contextlib import suppress

from pavedroad.localcloud.host.nursery.messages import Part

_FICLONE = 0x40049409
_CANNOT_SHARE = frozenset(
    {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.ENOTTY, errno.EPERM}
)


def prepare(folder: str, parts: list[Part]) -> str:
    """The root below the instance's folder, made where it is not yet; a guest that boots again finds what it
    wrote. Built aside and renamed, so that a crash in between leaves no half of one."""
    root = os.path.join(folder, "root")
    if os.path.isdir(root):
        return root
    building = os.path.join(folder, "root.building")
    shutil.rmtree(building, ignore_errors=True)
    os.makedirs(building, mode=0o755)
    for part in parts:
        place = _place(building, part.path)
        if part.shared:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(part.source, place)
        else:
            os.makedirs(place, exist_ok=True)
            _copy_tree(part.source, place)
    os.rename(building, root)
    return root


def _place(building: str, path: str) -> str:
    """Where a layer goes: never where a link of one before it leads."""
    place = building
    for name in os.path.normpath(path).split(os.sep):
        place = os.path.normpath(os.path.join(place, name))
        _unlink(place)
    return place


def _unlink(place: str) -> None:
    if os.path.islink(place):
        os.unlink(place)


def _copy_tree(source: str, place: str) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            target = os.path.join(place, entry.name)
            if entry.is_symlink():
                with suppress(FileNotFoundError):
                    os.unlink(target)
                os.symlink(os.readlink(entry.path), target)
                continue
            _unlink(target)
            if entry.is_dir():
                os.makedirs(target, exist_ok=True)
                _copy_tree(entry.path, target)
                shutil.copystat(entry.path, target)
            else:
                _copy_file(entry.path, target)
                shutil.copystat(entry.path, target)


def _copy_file(source: str, target: str) -> None:
    """Sharing blocks where the filesystem can."""
    with open(source, "rb") as reading, open(target, "wb") as writing:
        try:
            fcntl.ioctl(writing.fileno(), _FICLONE, reading.fileno())
            return
        except OSError as error:
            if error.errno not in _CANNOT_SHARE:
                raise
    shutil.copyfile(source, target)
