"""What stands in a home where its files and folders belong, looked at before any of them is opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from pavedroad.core.errors import StateUnreadable


def check_home(
    home: Path, *, kept: Iterable[str] = (), made_anew: Iterable[str] = (), folders: Iterable[str] = ()
) -> None:
    """`StateUnreadable` for the first that is something else, or that this user may not read and write. That
    nothing is there is for others to say; a link to nothing is not."""
    for name in kept:
        _check_file(home / name, "Put a copy of it in its place.")
    for name in made_anew:
        _check_file(home / name, "Move it away: it is made anew.")
    for name in folders:
        _check_folder(home / name)


def _check_file(path: Path, remedy: str) -> None:
    mode = _mode(path, remedy)
    if mode is None:
        return
    if not stat.S_ISREG(mode):
        raise _unusable(path, "it is a folder" if stat.S_ISDIR(mode) else "it is no file", remedy)
    _check_open(path, os.R_OK | os.W_OK, "600")


def _check_folder(path: Path) -> None:
    remedy = "Put the folder back; or move away what is there, to begin with an empty one."
    mode = _mode(path, remedy)
    if mode is None:
        return
    if not stat.S_ISDIR(mode):
        raise _unusable(path, "it is no folder", remedy)
    _check_open(path, os.R_OK | os.W_OK | os.X_OK, "700")


def _check_open(path: Path, needed: int, mode: str) -> None:
    if os.access(path, needed):
        return
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        raise _unusable(path, "its file system is read-only", "Make it writable, or choose another home.")
    raise _unusable(path, "this user may not read and write it", f"Give it to this user, with mode {mode}.")


def _mode(path: Path, remedy: str) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise _unusable(path, f"it is a link to {path.readlink()}, where nothing is", remedy) from None
        return None
    except NotADirectoryError:
        return None
    except PermissionError as error:
        raise _unusable(
            path, error.strerror or str(error), "Give this user its folder, or set PAVED_HOME to another."
        ) from error
    except OSError as error:
        raise _unusable(path, error.strerror or str(error), remedy) from error


def _unusable(path: Path, why: str, remedy: str) -> StateUnreadable:
    return StateUnreadable(f"{path} cannot be used: {why}.", next_step=remedy)
