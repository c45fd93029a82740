# pyright: basic
"""Results of the query protocol as XML, by writers that are made once for each operation of the model.

Moto's serialiser looks at the model anew for every value, and takes about twenty times as long.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

Writer = Callable[[Any], str]

_UNWRITABLE = {code: "\ufffd" for code in range(32) if chr(code) not in "\t\n\r"}
"""Control characters, which no XML may hold."""


def result_writer(operation: OperationModel) -> Callable[[dict[str, Any], str], bytes]:
    """(result, request id) -> the response's body."""
    name = operation.name
    shape = operation.output_shape
    wrapper = shape.serialization.get("resultWrapper", f"{name}Result") if shape else ""
    write = member_writer(shape, wrapper) if shape else None
    namespace = operation.service_model.metadata.get("xmlNamespace", "")

    def body(result: dict[str, Any], request_id: str) -> bytes:
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<{name}Response xmlns="{namespace}">{write(result) if write else ""}'
            f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata></{name}Response>"
        ).encode()

    return body


def member_writer(shape: Shape, tag: str) -> Writer:
    """Of a value of that shape as an element of that name."""
    if isinstance(shape, StructureShape):
        return _structure(shape, tag)
    if isinstance(shape, ListShape):
        return _list(shape, tag)
    if isinstance(shape, MapShape):
        return _map(shape, tag)
    text = {"boolean": _boolean, "timestamp": _timestamp, "blob": _blob}.get(shape.type_name, _text)
    return lambda value: f"<{tag}>{text(value)}</{tag}>"


def _structure(shape: StructureShape, tag: str) -> Writer:
    writers: dict[str, Writer] = {}

    def write(value: dict[str, Any]) -> str:
        parts: list[str] = []
        for name, member in shape.members.items():
            found = value.get(name)
            if found is not None:
                # Made at first use: shapes may hold themselves.
                writer = writers.get(name)
                if writer is None:
                    writer = writers[name] = member_writer(member, member.serialization.get("name", name))
                parts.append(writer(found))
        return f"<{tag}>{''.join(parts)}</{tag}>"

    return write


def _list(shape: ListShape, tag: str) -> Writer:
    flattened = shape.serialization.get("flattened", False)
    named = shape.member.serialization.get("name")
    write = member_writer(shape.member, (named or tag) if flattened else (named or "member"))
    if flattened:
        return lambda values: "".join(map(write, values))
    return lambda values: f"<{tag}>{''.join(map(write, values))}</{tag}>"


def _map(shape: MapShape, tag: str) -> Writer:
    key = member_writer(shape.key, shape.key.serialization.get("name", "key"))
    value = member_writer(shape.value, shape.value.serialization.get("name", "value"))

    flattened = shape.serialization.get("flattened", False)
    entry = tag if flattened else "entry"

    def write(values: dict[str, Any]) -> str:
        entries = "".join(f"<{entry}>{key(name)}{value(found)}</{entry}>" for name, found in values.items())
        return entries if flattened else f"<{tag}>{entries}</{tag}>"

    return write


def _text(value: object) -> str:
    return escape(str(value)).translate(_UNWRITABLE)


def _boolean(value: object) -> str:
    return "true" if value else "false"


def _timestamp(value: datetime) -> str:
    at = value.astimezone(UTC) if value.tzinfo else value
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if at.microsecond else "%Y-%m-%dT%H:%M:%SZ")


def _blob(value: bytes | str) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
