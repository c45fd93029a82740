"""The private cloud's own key, in a file of its home: who can read it may use the cloud as its owner."""

from __future__ import annotations

import json
import os
import secrets
import stat
import string
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pavedroad.core.errors import Unavailable

_VERSION = 1
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ID_LETTERS = string.ascii_uppercase + "234567"
"""Of an access key's id, as AWS's have it."""


@dataclass(frozen=True, slots=True)
class CloudKey:
    """An access key of AWS's form."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


def read(path: Path) -> CloudKey:
    """`Unavailable` where the file is not there, not as `ensure` writes it, or open to other users."""
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read()
    except FileNotFoundError as error:
        raise Unavailable(
            f"The private cloud's key {path} is not there.",
            next_step="Start the private cloud with `paved up` or `paved cloud up`: it makes one.",
        ) from error
    except OSError as error:
        raise Unavailable(
            f"The private cloud's key {path} cannot be read: {error.strerror}.",
            next_step="Use the cloud as the user who started it, or make the file readable for this one.",
        ) from error
    if mode & _OTHERS:
        raise Unavailable(
            f"The private cloud's key {path} is open to other users of this machine.",
            next_step=f"Close it with `chmod 600 {path}`; if they may have read it, delete it, and start the "
            "private cloud for a new one.",
        )
    try:
        found = cast("dict[str, object]", json.loads(text))
        key = CloudKey(str(found["access_key_id"]), str(found["secret_access_key"]))
        if found["version"] != _VERSION or not (key.access_key_id and key.secret_access_key):
            raise ValueError("another version")
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(
            f"The private cloud's key {path} is not one that this version of Pavedroad reads.",
            next_step="Bring back the file as it was; or move it away, and start the cloud for a new key.",
        ) from error
    return key


def ensure(path: Path) -> CloudKey:
    """The key; made where there is none yet. What is there and cannot be read is never replaced."""
    if not os.path.lexists(path):
        _make(path)
    return read(path)


def _make(path: Path) -> None:
    """Whole or not at all, and the first of several who try: a link is made only where no file is."""
    document = {
        "version": _VERSION,
        "access_key_id": "AKIA" + "".join(secrets.choice(_ID_LETTERS) for _ in range(16)),
        "secret_access_key": secrets.token_urlsafe(30),
    }
    coming = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(coming, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise Unavailable(
            f"The private cloud's key {path} cannot be written: {error.strerror}.",
            next_step="Make its folder writable, or free some space.",
        ) from error
    finally:
        coming.unlink(missing_ok=True)
