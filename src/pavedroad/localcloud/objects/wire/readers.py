"""Documents as the model's shapes have them, by readers that are made once a shape."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, Shape, StringShape, StructureShape

from pavedroad.core.numbers import whole
from pavedroad.localcloud.moto_adapter.shapes import moment
from pavedroad.localcloud.objects.refusals import malformed
from pavedroad.localcloud.objects.wire.tree import Element

Reader = Callable[[Element], Any]

_SAID_OTHERWISE = frozenset({"BucketLocationConstraint", "Event", "FilterRuleName", "Permission", "Type"})
"""Words that are refused by a code of their own, where they are none that S3 knows."""


def reader(shape: Shape) -> Reader:
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, StringShape) and shape.enum and shape.name not in _SAID_OTHERWISE:
        return _word(frozenset(shape.enum))
    return _SCALARS.get(shape.type_name, _text)


def tag_of(name: str, shape: Shape) -> str:
    """Of the element that a structure's member is written as."""
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        return str(shape.member.serialization.get("name") or shape.serialization.get("name", name))
    return str(shape.serialization.get("name", name))


def is_attribute(shape: Shape) -> bool:
    return bool(shape.serialization.get("xmlAttribute"))


def _structure(shape: StructureShape) -> Reader:
    members = {tag_of(name, it): (name, it) for name, it in shape.members.items() if not is_attribute(it)}
    attributes = {tag_of(name, it): name for name, it in shape.members.items() if is_attribute(it)}
    elsewhere = {name for name, it in shape.members.items() if it.serialization.get("location")}
    required = [it for it in shape.required_members if it not in elsewhere.union(attributes.values())]
    flat = {
        name
        for name, it in members.values()
        if isinstance(it, ListShape) and it.serialization.get("flattened")
    }

    def read(element: Element) -> dict[str, Any]:
        found: dict[str, Any] = {
            name: element.attributes[tag] for tag, name in attributes.items() if tag in element.attributes
        }
        for child in element.children:
            known = members.get(child.name)
            if known is None:
                continue  # of a later model than this one
            name, member = known
            if name in flat:
                assert isinstance(member, ListShape)
                found.setdefault(name, []).append(_reader_of(member.member)(child))
            elif name in found:
                raise malformed()
            else:
                found[name] = _reader_of(member)(child)
        if any(name not in found for name in required):
            raise malformed()
        return found

    return read


def _list(shape: ListShape) -> Reader:
    name = shape.member.serialization.get("name", "member")

    def read(element: Element) -> list[Any]:
        item = _reader_of(shape.member)
        return [item(child) for child in element.children if child.name == name]

    return read


@lru_cache(maxsize=2048)
def _reader_of(shape: Shape) -> Reader:
    return reader(shape)


def _text(element: Element) -> str:
    if element.children:
        raise malformed()
    return element.text


def _word(words: frozenset[str]) -> Reader:
    def read(element: Element) -> str:
        said = element.text.strip()
        if said not in words:
            raise malformed()
        return said

    return read


def _integer(element: Element) -> int:
    try:
        return whole(element.text.strip())
    except ValueError:
        raise malformed() from None


def _boolean(element: Element) -> bool:
    said = element.text.strip().lower()
    if said not in ("true", "false"):
        raise malformed()
    return said == "true"


def _timestamp(element: Element) -> Any:
    try:
        return moment(element.text)
    except (ValueError, OverflowError, OSError):
        raise malformed() from None


def _blob(element: Element) -> bytes:
    try:
        return base64.b64decode(element.text, validate=True)
    except binascii.Error:
        raise malformed() from None


_SCALARS: Mapping[str, Reader] = {
    "integer": _integer,
    "long": _integer,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}
