"""Parameters of a request, by the model: from its address, its headers and its document, with their types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from botocore.model import OperationModel, Shape, StructureShape

from pavedroad.core.numbers import whole
from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.moto_adapter.shapes import moment
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, malformed
from pavedroad.localcloud.objects.wire.readers import reader
from pavedroad.localcloud.objects.wire.routing import Asked
from pavedroad.localcloud.objects.wire.tree import parsed

Parameters = dict[str, Any]

LARGEST_DOCUMENT = 4 * 2**20
_SIGNING = frozenset(
    f"x-amz-{it}" for it in ("algorithm", "credential", "date", "expires", "signature", "signedheaders")
)
_AS_SAID = frozenset({"Expires", "ResponseExpires"})
"""Headers that are given back as they came, whatever they say."""
_WORDS: Mapping[str, tuple[str, str]] = {
    "ObjectLockLegalHoldStatus": ("InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'"),
    "ObjectLockMode": ("InvalidArgument", "Unknown wormMode directive."),
    "ObjectOwnership": ("InvalidArgument", "Invalid x-amz-object-ownership header."),
    "RequestPayer": ("InvalidArgument", "Invalid value for x-amz-request-payer."),
}
"""What is said in a header in S3's words, by the member, and how anything else is refused."""
_WITHOUT_ROOT = "SelectObjectContentRequest"


def merged_headers(request: ApiRequest, query: Mapping[str, str]) -> dict[str, str]:
    """With what a presigned address says in its query instead."""
    presigned = {
        name.lower(): value
        for name, value in query.items()
        if name.lower().startswith("x-amz-") and name.lower() not in _SIGNING
    }
    return {**presigned, **request.headers}


def parameters_of(
    operation: OperationModel, asked: Asked, headers: Mapping[str, str], body: bytes
) -> Parameters:
    """`body` is that of a document; empty where the operation has none."""
    shape = operation.input_shape
    if shape is None:
        return {}
    found: Parameters = {"Bucket": asked.bucket} if "Bucket" in shape.members else {}
    if "Key" in shape.members:
        found["Key"] = asked.key
    for name, where, said_as, read in _located(shape):
        if where == "querystring" and said_as in asked.query:
            found[name] = read(asked.query[said_as])
        elif where == "header" and said_as in headers:
            value = read(headers[said_as])
            if value is not None:
                found[name] = value
        elif where == "headers":
            named = {
                it.removeprefix(said_as): value for it, value in headers.items() if it.startswith(said_as)
            }
            if named:
                found[name] = named
    found.update(_document(shape, body))
    return found


@lru_cache(maxsize=256)
def _located(shape: StructureShape) -> tuple[tuple[str, str, str, Callable[[str], Any]], ...]:
    """Members by where they are said, under which name, and how they are read."""
    return tuple(
        (name, where, said_as if where == "querystring" else said_as.lower(), _reader(name, said_as, member))
        for name, member in shape.members.items()
        if (where := member.serialization.get("location")) and where != "uri"
        for said_as in (str(member.serialization.get("name", name)),)
    )


def _document(shape: StructureShape, body: bytes) -> Parameters:
    payload = shape.serialization.get("payload")
    if payload is None:
        if shape.serialization.get("name") == _WITHOUT_ROOT:
            return _read(shape, _WITHOUT_ROOT, body)
        return {}
    member = shape.members[payload]
    if not isinstance(member, StructureShape):
        return {payload: body.decode("utf-8", "replace")} if member.type_name == "string" and body else {}
    if not body.strip():
        if payload in shape.required_members:
            raise Refused("MissingRequestBodyError", "Request Body is empty")
        return {}
    return {payload: _read(member, str(member.serialization.get("name", payload)), body)}


def _read(shape: StructureShape, root: str, body: bytes) -> Parameters:
    tree = parsed(body)
    if tree.name != root:
        raise malformed()
    return reader_of(shape)(tree)


@lru_cache(maxsize=256)
def reader_of(shape: StructureShape) -> Callable[..., Any]:
    return reader(shape)


def _reader(name: str, said_as: str, shape: Shape) -> Callable[[str], Any]:
    """Of a text in the address or a header."""
    kind = shape.type_name
    if kind == "list":
        return lambda text: [it.strip() for it in text.split(",") if it.strip()]
    if kind in ("integer", "long"):
        return lambda text: _integer(said_as, text)
    if kind == "boolean":
        return lambda text: text.strip().lower() == "true"
    if kind == "timestamp" and name not in _AS_SAID:
        return _instant if shape.serialization.get("timestampFormat") == "iso8601" else _http_date
    if name in _WORDS:
        return lambda text: _word(name, said_as, frozenset(getattr(shape, "enum", ())), text)
    return _plain


def _plain(text: str) -> str:
    return text


def _integer(said_as: str, text: str) -> int:
    try:
        return whole(text.strip())
    except ValueError:
        raise bad_argument(
            f"Provided {said_as} not an integer or within integer range", said_as, text
        ) from None


def _instant(text: str) -> datetime:
    try:
        return moment(text)
    except (ValueError, OverflowError, OSError):
        raise bad_argument("The retain until date must be provided in ISO 8601 format") from None


def _http_date(text: str) -> datetime | None:
    """Nothing where it is none: S3 heeds no such header."""
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        try:
            return moment(text)
        except (ValueError, OverflowError, OSError):
            return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _word(name: str, said_as: str, known: frozenset[str], text: str) -> str:
    if text not in known:
        code, message = _WORDS[name]
        raise Refused(code, message, ArgumentName=said_as, ArgumentValue=text)
    return text
