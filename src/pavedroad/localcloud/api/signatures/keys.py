"""Keys that open the cloud, and where they are looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pavedroad.core.cloud_key import CloudKey


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a signature is checked with. A session's have a token, and end at a time."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    expires: datetime | None = None


Keys = Callable[[str], Credentials | None]
"""Those of an access key's id; None where it is nobody's, or no longer."""


def home_key(key: CloudKey) -> Keys:
    """The one that the home itself has."""
    known = Credentials(key.access_key_id, key.secret_access_key)
    return lambda access_key_id: known if access_key_id == known.access_key_id else None


def any_of(*rings: Keys) -> Keys:
    def find(access_key_id: str) -> Credentials | None:
        found = (keys(access_key_id) for keys in rings)
        return next((it for it in found if it is not None), None)

    return find
