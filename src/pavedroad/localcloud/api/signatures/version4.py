"""AWS Signature Version 4: what a request claims, and whether a secret bears it out.

Clients do not agree on how much of a path and query they encode: each is checked as it came, and as AWS
would encode it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from botocore.utils import normalize_url_path

from pavedroad.localcloud.api.signatures.message import Message

ALGORITHM = "AWS4-HMAC-SHA256"
TIME = "%Y%m%dT%H%M%SZ"
_PART = re.compile(r"\s*(Credential|SignedHeaders|Signature)=([^,\s]+)\s*(?:,|$)")
_UNRESERVED = "-_.~"
_STAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


class Malformed(ValueError):
    """It says that it is a signature of version 4, and is none."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is said to have signed what, and when. `lasts` is of presigned addresses."""

    key: str
    date: str
    region: str
    service: str
    signed: tuple[str, ...]
    signature: str = field(repr=False)
    time: datetime
    token: str = field(repr=False)
    lasts: int | None = None

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    def signing_key(self, secret: str) -> bytes:
        return signing_key(secret, self.date, self.region, self.service)

    def sealed(self, key: bytes, *lines: str, kind: str = ALGORITHM) -> str:
        """The signature of some lines under this claim's time and scope."""
        text = "\n".join((kind, self.time.strftime(TIME), self.scope, *lines))
        return hmac.new(key, text.encode("latin-1"), hashlib.sha256).hexdigest()

    def is_of(self, message: Message, payload: str, secret: str) -> bool:
        """Whether it is the signature of this message, whose body is said to be `payload`, by this secret."""
        key, given = self.signing_key(secret), self.signature.encode()
        expected = (
            self.sealed(key, hashlib.sha256(text.encode("latin-1")).hexdigest()).encode()
            for text in self._canonical(message, payload)
        )
        return any(hmac.compare_digest(it, given) for it in expected)

    def _canonical(self, message: Message, payload: str) -> Iterator[str]:
        headers = "".join(f"{name}:{message.headers.get(name, '')}\n" for name in self.signed)
        rest = f"{headers}\n{';'.join(self.signed)}\n{payload}"
        for path, query in _spellings(message, self.service):
            yield f"{message.method}\n{path}\n{query}\n{rest}"


def claim_of_header(message: Message) -> Claim:
    """Of an `Authorization` header. Raises `Malformed`."""
    said = dict(_PART.findall(message.headers["authorization"].removeprefix(ALGORITHM)))
    try:
        credential, signed, signature = said["Credential"], said["SignedHeaders"], said["Signature"]
    except KeyError as missing:
        raise Malformed(f"Authorization header requires '{missing.args[0]}' parameter.") from None
    headers = message.headers
    time = _time(headers.get("x-amz-date") or headers.get("date", ""))
    token = headers.get("x-amz-security-token", "")
    return _claim(credential, signed, signature, time, token=token)


def claim_of_query(message: Message) -> Claim:
    """Of a presigned address. Raises `Malformed`."""
    said = message.parameters
    try:
        if said["X-Amz-Algorithm"] != ALGORITHM:
            raise Malformed(f"X-Amz-Algorithm only supports {ALGORITHM}.")
        time, lasts = _time(said["X-Amz-Date"]), said["X-Amz-Expires"]
        credential, signed, signature = (
            said["X-Amz-Credential"],
            said["X-Amz-SignedHeaders"],
            said["X-Amz-Signature"],
        )
    except KeyError as missing:
        raise Malformed(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
            "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters; "
            f"{missing.args[0]} is missing."
        ) from None
    if not re.fullmatch(r"-?\d{1,12}", lasts, re.ASCII):
        raise Malformed("X-Amz-Expires should be a number")
    token = said.get("X-Amz-Security-Token", "")
    return _claim(credential, signed, signature, time, token=token, lasts=int(lasts))


def signed_key(credential: str) -> tuple[str, str, str, str]:
    """Key, date, region and service of a credential. Raises `Malformed`."""
    key, *scope = credential.rsplit("/", 4)
    if len(scope) != 4 or scope[3] != "aws4_request" or not key or not credential.isascii():
        raise Malformed("The Credential is mal-formed; expecting KEY/YYYYMMDD/REGION/SERVICE/aws4_request.")
    return key, scope[0], scope[1], scope[2]


def _claim(
    credential: str, signed: str, signature: str, time: datetime, *, token: str, lasts: int | None = None
) -> Claim:
    key, date, region, service = signed_key(credential)
    names = tuple(signed.lower().split(";"))
    if "host" not in names or not signed.isascii():
        raise Malformed("The header 'host' must be signed.")
    if date != time.strftime("%Y%m%d"):
        raise Malformed("The date of the Credential is another than that of the request.")
    return Claim(key, date, region, service, names, signature, time, token, lasts)


def _time(text: str) -> datetime:
    try:
        # Much faster than `strptime`, in every call.
        return datetime.fromisoformat(text) if _STAMP.fullmatch(text) else _http_time(text)
    except (ValueError, TypeError, OverflowError):
        raise Malformed("The request must say when it was signed, by a valid x-amz-date or date.") from None


def _http_time(text: str) -> datetime:
    return parsedate_to_datetime(text).astimezone(UTC)


@lru_cache(maxsize=4096)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode("latin-1"), hashlib.sha256).digest()
    return key


def _spellings(message: Message, service: str) -> list[tuple[str, str]]:
    """As it came, then as AWS would write it where that is different."""
    path = message.path or "/"
    plain = quote(unquote_to_bytes(path), safe=f"/{_UNRESERVED}")
    if service.lower() != "s3":
        # All services but S3 have paths normalized, and encoded twice.
        path, plain = (quote(normalize_url_path(it), safe=f"/{_UNRESERVED}") for it in (path, plain))
    pairs = [
        (name, value)
        for name, _, value in (it.partition("=") for it in message.query.split("&") if it)
        if name != "X-Amz-Signature"
    ]
    came = (path, _sorted(pairs))
    usual = (plain, _sorted([(_usual(name), _usual(value)) for name, value in pairs]))
    return [came] if usual == came else [came, usual]


def _sorted(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _usual(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ")), safe=_UNRESERVED)
