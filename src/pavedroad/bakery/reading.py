"""Files of a source that the platform reads itself: none by a link that leads out of the folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from pavedroad.core.errors import InvalidInput, TooLarge

_LARGEST = 32 << 20
"""Of lock files, which are the largest that are read."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read(folder: Path, name: str) -> bytes | None:
    """Of a file in `folder`; None where there is none of this name. A link inside may name another file
    inside; what it comes to is then opened without following any."""
    root = Path(os.path.realpath(folder))
    try:
        (root / name).stat()  # ends where links go in a circle
        place = Path(os.path.realpath(root / name))
        if not place.is_relative_to(root):
            raise InvalidInput(f"{name} leads out of the folder.", next_step="Copy the file in.")
        descriptor = _open(root, place.relative_to(root).parts or (".",))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidInput(
            f"{name} cannot be read: {error.strerror}.", next_step="Give this user the right to read it."
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise TooLarge(f"{name} is over {_LARGEST:,} bytes.")
    return content


def read_text(folder: Path, name: str) -> str | None:
    """As `read`; what is not UTF-8 is replaced."""
    content = read(folder, name)
    return None if content is None else content.decode(errors="replace")


def _open(root: Path, parts: Sequence[str]) -> int:
    here = os.open(root, _FOLDER)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER, dir_fd=here)
            os.close(here)
            here = inner
        return os.open(parts[-1], _FILE, dir_fd=here)
    finally:
        os.close(here)
