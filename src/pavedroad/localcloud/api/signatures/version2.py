"""The older signatures: S3's (`AWS key:signature`, or in the query) and the query protocol's (version 2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote, urlsplit

from botocore.auth import HmacV1Auth
from botocore.credentials import Credentials

from pavedroad.core.numbers import whole
from pavedroad.localcloud.api.signatures.message import Message

_SIGNER = HmacV1Auth(Credentials("", ""))
_HASHES = {"HmacSHA256": hashlib.sha256, "HmacSHA1": hashlib.sha1}


class Malformed(ValueError):
    """It says that it is such a signature, and is none."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is said to have signed `text`. It is good for a while from `signed`, or until `ends`."""

    key: str
    token: str = field(repr=False)
    signature: str = field(repr=False)
    text: str = field(repr=False)
    hash: str = "HmacSHA1"
    signed: datetime | None = None
    ends: datetime | None = None

    def is_by(self, secret: str) -> bool:
        given, key = self.signature.encode(), secret.encode()
        text = self.text.encode("latin-1", "replace")
        expected = base64.b64encode(hmac.new(key, text, _HASHES[self.hash]).digest())
        return hmac.compare_digest(expected, given)


def s3_claim_of_header(message: Message) -> Claim:
    key, _, signature = message.headers["authorization"].removeprefix("AWS ").partition(":")
    headers = message.headers
    dated = headers.get("date", "")
    signed = _time(headers.get("x-amz-date") or dated)
    line = "" if "x-amz-date" in headers else dated
    token = headers.get("x-amz-security-token", "")
    return Claim(key, token, signature, _s3_text(message, line, {}), signed=signed)


def s3_claim_of_query(message: Message) -> Claim:
    said = message.parameters
    try:
        key, signature, expires = said["AWSAccessKeyId"], said["Signature"], said["Expires"]
        ends = datetime.fromtimestamp(whole(expires), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        raise Malformed(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        ) from None
    # Clients move headers that they have signed into the address.
    moved = {
        name.lower(): value
        for name, value in said.items()
        if name.lower().startswith("x-amz-") or name in ("content-type", "content-md5")
    }
    token = moved.get("x-amz-security-token", "")
    return Claim(key, token, signature, _s3_text(message, expires, moved), ends=ends)


def query_claim(message: Message, parameters: Iterable[tuple[str, str]]) -> Claim:
    """Of the query protocol; `parameters` are those of the address, or of the form in the body."""
    came = list(parameters)
    said = dict(came)
    if len(said) != len(came):
        raise Malformed("A parameter is there twice, and which of them was signed cannot be told.")
    method = said.get("SignatureMethod", "")
    if method not in _HASHES or said.get("SignatureVersion") != "2":
        raise Malformed("SignatureVersion must be 2, and SignatureMethod HmacSHA256 or HmacSHA1.")
    pairs = sorted((name, value) for name, value in said.items() if name != "Signature")
    encoded = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    host = message.headers.get("host", "").lower()
    text = f"{message.method}\n{host}\n{message.path or '/'}\n{encoded}"
    ends, signed = said.get("Expires"), said.get("Timestamp")
    return Claim(
        said.get("AWSAccessKeyId", ""),
        said.get("SecurityToken", ""),
        said.get("Signature", ""),
        text,
        method,
        signed=None if ends else _time(signed or ""),
        ends=_time(ends) if ends else None,
    )


def _s3_text(message: Message, dated: str, moved: Mapping[str, str]) -> str:
    headers = {**message.headers, **moved}
    own = sorted((name, value) for name, value in headers.items() if name.startswith("x-amz-"))
    lines = [
        message.method,
        headers.get("content-md5", ""),
        headers.get("content-type", ""),
        dated,
        *(f"{name}:{value}" for name, value in own),
    ]
    split = urlsplit(f"{message.path}?{message.query}")._replace(netloc="")
    # The host is not signed: what it says of the bucket has to be, or the path would lead into any other.
    path = f"/{message.bucket}{message.path}" if message.bucket else message.path
    return "\n".join((*lines, _SIGNER.canonical_resource(split, auth_path=path)))


def _time(text: str) -> datetime:
    """As in ISO 8601, or as HTTP has it."""
    try:
        try:
            found = datetime.fromisoformat(unquote(text))
        except ValueError:
            found = parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise Malformed("The request must say when it was signed, by a valid date.") from None
