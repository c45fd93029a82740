"""Uploads to S3 from a form: its policy says what may be uploaded, and is what is signed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from pavedroad.core.numbers import whole
from pavedroad.localcloud.api.services import LARGEST_OBJECT
from pavedroad.localcloud.errors import ServiceError

_PIECE = 1 << 20
_LARGEST_FIELD = 64 * 1024
_LARGEST_FIELDS = 1 << 20
"""Of all together, with their headers: whoever sends them may be anybody yet."""
_RANGE = "content-length-range"
_NOT_IN_POLICY = frozenset({"file", "policy", "signature", "x-amz-signature", "awsaccesskeyid"})


@dataclass
class Form:
    """`fields` have names in lower case; `size` is that of the file."""

    fields: dict[str, str] = field(default_factory=dict[str, str])
    size: int = 0


def form_of(stream: BinaryIO, content_type: str) -> Form:
    """Read without the file, which may be large."""
    reading = _Reading()
    parser = reading.parser(content_type)
    stream.seek(0)
    with _well_formed():
        while piece := stream.read(_PIECE):
            parser.write(piece)
        parser.finalize()
    return reading.form


class Ahead:
    """Told of a form as it comes: its fields are before its file, so that whose it is, is known before all of
    it is there."""

    def __init__(self, content_type: str, check: Callable[[Form], int]) -> None:
        """`check` is asked when the fields are there. It gives the largest file that they allow."""
        self._content_type = content_type
        self._check = check
        self._reading = _Reading()
        self._parser: MultipartParser | None = None
        self._length = 0
        self._most: int | None = None

    def __call__(self, piece: bytes) -> bool:
        """Whether it is known."""
        self._length += len(piece)
        if self._most is None:
            self._parser = self._parser or self._reading.parser(self._content_type)
            with _well_formed():
                self._parser.write(piece)
            if not self._reading.in_file:
                return False
            self._most = self._check(self._reading.form)
        if self._length > self._most + _LARGEST_FIELDS:
            raise ServiceError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        return True


def hold_to_policy(form: Form, buckets: tuple[str, ...], now: datetime, *, size_known: bool = True) -> int:
    """That this is signed is another matter. `buckets` are those that the address may mean. Gives the largest
    file that it allows; whether this one is too small shows only once its size is known."""
    try:
        policy: Any = json.loads(base64.b64decode(form.fields["policy"], validate=True))
        ends = datetime.fromisoformat(policy["expiration"])
        conditions = [_condition(it) for it in policy.get("conditions", [])]
    except (KeyError, ValueError, TypeError, binascii.Error, AttributeError, RecursionError):
        raise ServiceError("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.") from None
    if (ends if ends.tzinfo else ends.replace(tzinfo=UTC)) <= now:
        raise _denied("Policy expired.")
    ranges = [value for kind, _, value in conditions if kind == _RANGE]
    for kind, name, value in conditions:
        if kind == _RANGE:
            if size_known:
                _hold_to_range(form.size, *value)
            continue
        if not any(_holds(kind, name, value, {**form.fields, "bucket": it}) for it in buckets):
            raise _denied(f'Policy Condition failed: ["{kind}", "${name}", "{value}"]')
    covered = {name for _, name, _ in conditions} | _NOT_IN_POLICY | {"bucket"}
    if extra := [name for name in form.fields if name not in covered and not name.startswith("x-ignore-")]:
        raise _denied(f"Extra input fields: {extra[0]}")
    return min([LARGEST_OBJECT, *(most for _, most in ranges)])


def is_signed_by(form: Form, secret: str, signing_key: bytes | None) -> bool:
    """By version 4 with its signing key, or as it was before that."""
    policy = form.fields.get("policy", "").encode()
    if signing_key is not None:
        expected = hmac.new(signing_key, policy, hashlib.sha256).hexdigest().encode()
        return hmac.compare_digest(expected, form.fields.get("x-amz-signature", "").encode())
    expected = base64.b64encode(hmac.new(secret.encode(), policy, hashlib.sha1).digest())
    return hmac.compare_digest(expected, form.fields.get("signature", "").encode())


def _condition(said: Any) -> tuple[str, str, Any]:
    if isinstance(said, dict):
        [(name, value)] = cast("dict[str, Any]", said).items()
        return "eq", str(name).lower(), str(value)
    kind, name, value = said
    if kind == _RANGE:
        return kind, "", (whole(str(name)), whole(str(value)))
    return str(kind).lower(), str(name).removeprefix("$").lower(), str(value)


def _holds(kind: str, name: str, value: Any, said: Mapping[str, str]) -> bool:
    if kind == "eq":
        return said.get(name) == value
    if kind == "starts-with":
        return said.get(name, "").startswith(value)
    return False


def _hold_to_range(size: int, least: int, most: int) -> None:
    if size > most:
        raise ServiceError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    if size < least:
        raise ServiceError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")


@contextmanager
def _well_formed() -> Generator[None]:
    try:
        yield
    except FormParserError:
        raise _malformed("The body of your POST request is not well-formed multipart/form-data.") from None


class _Reading:
    """What the parser finds, as it finds it."""

    def __init__(self) -> None:
        self.form = Form()
        self.in_file = False
        """Its fields have come, but for such as nobody need heed."""
        self._header = (b"", b"")
        self._name = ""
        self._named = False
        self._value = b""
        self._held = 0

    def parser(self, content_type: str) -> MultipartParser:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise _malformed("The form says no boundary.")
        return MultipartParser(boundary, cast("Any", self._callbacks()))

    def _callbacks(self) -> dict[str, Any]:
        return {
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_begin": self._part_begin,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
        }

    def _part_begin(self) -> None:
        self._name, self._named, self._value, self._header = "", False, b"", (b"", b"")

    def _header_name(self, data: bytes, begin: int, end: int) -> None:
        self._heard(data[begin:end], b"")

    def _header_value(self, data: bytes, begin: int, end: int) -> None:
        self._heard(b"", data[begin:end])

    def _heard(self, name: bytes, value: bytes) -> None:
        self._hold(name + value)
        self._header = (self._header[0] + name, self._header[1] + value)
        if sum(map(len, self._header)) > _LARGEST_FIELD:
            raise _malformed("A header in the form is too large.")

    def _header_end(self) -> None:
        name, value = self._header
        self._header = (b"", b"")
        if name.lower() == b"content-disposition":
            if self._named:
                raise _malformed("A part of the form says twice what it is.")
            self._named = True
            self._name = parse_options_header(value)[1].get(b"name", b"").decode("utf-8", "replace").lower()
            self.in_file = self.in_file or self._name == "file"

    def _part_data(self, data: bytes, begin: int, end: int) -> None:
        if self._name == "file":
            self.form.size += end - begin
            return
        self._hold(data[begin:end])
        self._value += data[begin:end]
        if len(self._value) > _LARGEST_FIELD:
            raise ServiceError("MaxPostPreDataLengthExceeded", "A field of the form is too large.")

    def _hold(self, more: bytes) -> None:
        self._held += len(more)
        if self._held > _LARGEST_FIELDS:
            raise ServiceError("MaxPostPreDataLengthExceeded", "The fields of the form are too large.")

    def _part_end(self) -> None:
        if self._name == "file":
            return
        if self._name in self.form.fields:
            raise _malformed("POST requires that no field is sent twice.")
        self.form.fields[self._name] = self._value.decode("utf-8", "replace")


def _malformed(said: str) -> ServiceError:
    return ServiceError("MalformedPOSTRequest", said)


def _denied(said: str) -> ServiceError:
    return ServiceError("AccessDenied", f"Invalid according to Policy: {said}", 403)
