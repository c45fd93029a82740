"""What an instance may read about itself: paths and their texts, listed as AWS lists them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from binascii import Error as Base64Error
from dataclasses import dataclass

from pavedroad.core.numbers import count
from pavedroad.localcloud.wanted import Guest

LONGEST_TTL = 21600
_VERSION = re.compile(r"latest|1\.0|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_VERSIONS = b"1.0\nlatest"


def user_data(guest: Guest) -> bytes:
    """The guest's user data as it was before base64; as it is where it is none."""
    try:
        return base64.b64decode(guest.user_data, validate=True)
    except (Base64Error, ValueError):
        return guest.user_data.encode()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    ttl: int | None = None
    """Of a session token, which is then the body."""
    hops: int | None = None
    """How many routers it may pass."""


class Metadata:
    """One guest's metadata, with the tokens of its sessions. Tokens carry their own expiry, signed, so that
    any number of sessions costs nothing."""

    def __init__(self, guest: Guest) -> None:
        self._key = secrets.token_bytes(32)
        self._guest = guest
        self._texts: dict[str, bytes] = {}
        self._folders: dict[str, list[str]] = {}
        self.update(guest)

    def update(self, guest: Guest) -> None:
        """Serve this from now on."""
        texts = {path.strip("/"): text.encode() for path, text in guest.metadata.items()}
        if script := user_data(guest):
            texts["user-data"] = script
        folders: dict[str, dict[str, None]] = {"": {}}
        for path in sorted(texts):
            parts = path.split("/")
            for depth, name in enumerate(parts):
                below = depth < len(parts) - 1
                folders.setdefault("/".join(parts[:depth]), {})[f"{name}/" if below else name] = None
        self._guest = guest
        self._texts = texts
        self._folders = {path: list(names) for path, names in folders.items()}

    def token(self, ttl: str | None, forwarded: bool, now: float) -> Answer:
        """PUT /latest/api/token: a session of `ttl` seconds. Proxies that forward get none, as on AWS."""
        if forwarded or not self._guest.metadata_enabled:
            return Answer(403)
        seconds = count(ttl or "")
        if seconds is None or not 1 <= seconds <= LONGEST_TTL:
            return Answer(400)
        expiry = f"{now + seconds:.0f}"
        return Answer(200, f"{expiry}-{self._sign(expiry)}".encode(), seconds, self._guest.metadata_hops)

    def read(self, path: str, token: str | None, now: float) -> Answer:
        """GET of any path. With a token, or without where the instance allows that."""
        if not self._guest.metadata_enabled:
            return Answer(403)
        if token is None:
            if self._guest.require_token:
                return Answer(401)
        elif not self._valid(token, now):
            return Answer(401)
        version, _, rest = path.strip("/").partition("/")
        if not version:
            return Answer(200, _VERSIONS)
        if not _VERSION.fullmatch(version):
            return Answer(404)
        if rest in self._texts and not path.endswith("/"):
            return Answer(200, self._texts[rest])
        if rest in self._folders:
            return Answer(200, "\n".join(self._folders[rest]).encode())
        return Answer(404)

    def _sign(self, expiry: str) -> str:
        return hmac.new(self._key, expiry.encode(), hashlib.sha256).hexdigest()

    def _valid(self, token: str, now: float) -> bool:
        expiry, _, signature = token.partition("-")
        return hmac.compare_digest(self._sign(expiry).encode(), signature.encode()) and now < float(expiry)
