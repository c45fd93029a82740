"""Results as XML, by writers that are made once a shape."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from botocore.model import ListShape, Shape, StructureShape

from pavedroad.localcloud.objects.wire.readers import is_attribute, tag_of

Writer = Callable[[Any], str]

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SCHEMA_INSTANCE = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_UNWRITABLE = {
    **{code: "\ufffd" for code in range(32) if chr(code) not in "\t\n\r"},
    **dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
"""What no XML may hold."""


def document(shape: StructureShape, root: str, value: Mapping[str, Any]) -> bytes:
    """A structure as a whole document, of the members that are not in headers."""
    inside = members_writer(shape)(value)
    return f'{DECLARATION}<{root} xmlns="{NAMESPACE}">{inside}</{root}>'.encode()


def text(value: object) -> str:
    """As it may stand in XML, and is read again as what it was."""
    return escape(str(value), {"\r": "&#13;"}).translate(_UNWRITABLE)


@lru_cache(maxsize=2048)
def members_writer(shape: StructureShape) -> Writer:
    made = [
        (name, _writer(it, tag_of(name, it)))
        for name, it in shape.members.items()
        if not is_attribute(it) and "location" not in it.serialization
    ]

    def write(value: Mapping[str, Any]) -> str:
        return "".join([it(found) for name, it in made if (found := value.get(name)) is not None])

    return write


def _writer(shape: Shape, tag: str) -> Writer:
    if isinstance(shape, StructureShape):
        return _structure(shape, tag)
    if isinstance(shape, ListShape):
        return _list(shape, tag)
    said = _TEXTS.get(shape.type_name, text)
    return lambda value: f"<{tag}>{said(value)}</{tag}>"


def _structure(shape: StructureShape, tag: str) -> Writer:
    attributes = {tag_of(name, it): name for name, it in shape.members.items() if is_attribute(it)}

    def write(value: Mapping[str, Any]) -> str:
        # Looked up at use: shapes may hold themselves.
        inside = members_writer(shape)(value)
        if not attributes:
            return f"<{tag}>{inside}</{tag}>"
        said = "".join(f" {it}={quoteattr(value[name])}" for it, name in attributes.items() if name in value)
        return f"<{tag}{_SCHEMA_INSTANCE}{said}>{inside}</{tag}>"

    return write


def _list(shape: ListShape, tag: str) -> Writer:
    if shape.serialization.get("flattened"):
        item = _writer(shape.member, tag)
        return lambda values: "".join(map(item, values))
    item = _writer(shape.member, shape.member.serialization.get("name", "member"))
    return lambda values: f"<{tag}>{''.join(map(item, values))}</{tag}>"


def _boolean(value: object) -> str:
    return "true" if value else "false"


def instant(value: datetime | str) -> str:
    """As S3 says it: to the millisecond. A document's may be kept as it is said."""
    if isinstance(value, str):
        return text(value)
    at = value.astimezone(UTC) if value.tzinfo else value
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def _blob(value: bytes | str) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


_TEXTS: Mapping[str, Callable[[Any], str]] = {"boolean": _boolean, "timestamp": instant, "blob": _blob}
