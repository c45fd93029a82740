"""Parameters and results by the shapes of botocore's model, with functions that are made once a shape.

What comes in is a tree (of JSON, CBOR, or a query's dotted names); `reader` gives it the model's types.
`plain` makes a result ready for JSON or CBOR; results as XML are `result_xml`'s.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

from botocore.model import ListShape, MapShape, Shape, StructureShape

from pavedroad.core.numbers import real, whole

Reader = Callable[[Any], Any]
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")
"""As the protocols write them."""


class Unreadable(ValueError):
    """A value is not of the model's type; the text says which and where."""


def reader(shape: Shape) -> Reader:
    """From a decoded JSON or CBOR document."""
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, MapShape):
        return _map(shape)
    return _SCALARS.get(shape.type_name, _text)


def _structure(shape: StructureShape) -> Reader:
    readers: dict[str, Reader] = {}
    members = shape.members

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Unreadable(f"{shape.name} should be a structure, and is {_kind(value)}")
        found: dict[str, Any] = {}
        for name, given in cast("dict[str, Any]", value).items():
            if given is None or name not in members:
                continue
            known = readers.get(name)
            if known is None:
                # Made at first use: shapes may hold themselves.
                known = readers[name] = reader(members[name])
            if type(given) is _AS_THEY_ARE.get(known):
                found[name] = given
                continue
            try:
                found[name] = known(given)
            except Unreadable as error:
                raise Unreadable(f"{name}: {error}") from error
        return found

    return read


def _list(shape: ListShape) -> Reader:
    read_item = reader(shape.member)

    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise Unreadable(f"it should be a list, and is {_kind(value)}")
        return [read_item(item) for item in cast("list[Any]", value) if item is not None]

    return read


def _map(shape: MapShape) -> Reader:
    read_value = reader(shape.value)

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Unreadable(f"it should be a map, and is {_kind(value)}")
        pairs = cast("dict[str, Any]", value).items()
        return {name: read_value(member) for name, member in pairs if member is not None}

    return read


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise Unreadable(f"it should be a string, and is {_kind(value)}")


def _double(value: Any) -> Any:
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise Unreadable("the number is too large") from error
    if value in _NOT_FINITE:
        return float(value)
    raise Unreadable(f"it should be a number, and is {_kind(value)}")


def _integer(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Unreadable(f"it should be an integer, and is {_kind(value)}")


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    raise Unreadable(f"it should be true or false, and is {_kind(value)}")


def _timestamp(value: Any) -> Any:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return moment(value)
    except (ValueError, OverflowError, OSError) as error:
        raise Unreadable(f"'{value}' is not a time") from error
    raise Unreadable(f"it should be a time, and is {_kind(value)}")


def moment(text: str) -> datetime:
    """ISO 8601, or seconds since the epoch; without an offset it is UTC."""
    try:
        return datetime.fromtimestamp(real(text), UTC)
    except ValueError:
        at = datetime.fromisoformat(text.strip())
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _blob(value: Any) -> Any:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(_text(value), validate=True)
    except ValueError as error:  # of text beyond ASCII, too
        raise Unreadable("it is not Base64") from error


_SCALARS: dict[str, Reader] = {
    "double": _double,
    "float": _double,
    "integer": _integer,
    "long": _integer,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}


_AS_THEY_ARE: dict[Reader, type] = {_text: str, _double: float, _integer: int, _boolean: bool, _blob: bytes}
"""Readers that leave a value of the very type as it is: a call less for most values that there are."""


def _kind(value: Any) -> str:
    names = {
        "dict": "a structure",
        "list": "a list",
        "str": "a string",
        "bool": "a boolean",
        "bytes": "bytes",
    }
    return names.get(type(value).__name__, "a number")


def query_tree(pairs: Mapping[str, str]) -> dict[str, Any]:
    """`A.member.1.B=c` as `{"A": {"member": {"1": {"B": "c"}}}}`."""
    root: dict[str, Any] = {}
    known: dict[str, dict[str, Any]] = {}
    for dotted, value in pairs.items():
        path, dot, last = dotted.rpartition(".")
        at = known.get(path) if dot else root
        if at is None:
            at = known[path] = _grown(root, path, dotted)
        if isinstance(at.get(last), dict):
            raise Unreadable(f"{dotted} is both a value and a structure")
        at[last] = value
    return root


def _grown(root: dict[str, Any], path: str, dotted: str) -> dict[str, Any]:
    at = root
    for part in path.split("."):
        below = at.setdefault(part, {})
        if not isinstance(below, dict):
            raise Unreadable(f"{dotted} is both a value and a structure")
        at = cast("dict[str, Any]", below)
    return at


def from_query(shape: Shape, tree: Any) -> Any:
    """A query string's tree as a document with lists, numbers and booleans, for `reader`."""
    if isinstance(shape, StructureShape):
        if not isinstance(tree, dict):
            return {} if tree == "" else tree
        given = cast("dict[str, Any]", tree)
        named, maps = _members(shape)
        read = {name: _named(member, given[key], key) for name, key, member in named if key in given}
        return {**dict.fromkeys(maps - read.keys(), _EMPTY), **read} if maps else read
    if isinstance(shape, ListShape):
        flat = shape.serialization.get("flattened", False)
        inner = tree if flat else _below(tree, shape.member.serialization.get("name", "member"))
        return [from_query(shape.member, item) for item in _numbered(inner)]
    if isinstance(shape, MapShape):
        flat = shape.serialization.get("flattened", False)
        entries = _numbered(tree if flat else _below(tree, "entry"))
        key = shape.key.serialization.get("name", "key")
        value = shape.value.serialization.get("name", "value")
        return {str(_below(entry, key)): from_query(shape.value, _below(entry, value)) for entry in entries}
    return _from_text(shape, tree)


def _named(shape: Shape, tree: Any, name: str) -> Any:
    try:
        return from_query(shape, tree)
    except Unreadable as error:
        raise Unreadable(f"{name}: {error}") from error


@lru_cache(maxsize=4096)
def _members(shape: StructureShape) -> tuple[tuple[tuple[str, str, Shape], ...], frozenset[str]]:
    """Each with the name that it has in a query string; and those that are required and maps."""
    named = shape.members.items()
    return (
        tuple((name, member.serialization.get("name", name), member) for name, member in named),
        frozenset(name for name in shape.required_members if isinstance(shape.members[name], MapShape)),
    )


_EMPTY: Mapping[str, Any] = {}
"""A map without entries cannot be written in a query string: a client that sends none may mean it."""


def _from_text(shape: Shape, text: Any) -> Any:
    if not isinstance(text, str):
        return cast("object", text)
    try:
        if shape.type_name in ("double", "float"):
            return float(text) if text in _NOT_FINITE else real(text)
        if shape.type_name in ("integer", "long"):
            return whole(text)
    except ValueError as error:
        raise Unreadable(f"'{text[:100]}' is not a number") from error
    if shape.type_name == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _below(tree: Any, name: str) -> Any:
    return cast("dict[str, Any]", tree).get(name, "") if isinstance(tree, dict) else tree


def _numbered(tree: Any) -> list[Any]:
    """`{"1": a, "2": b}` as `[a, b]`; an empty list is sent as an empty text."""
    if not isinstance(tree, dict):
        if tree == "":
            return []
        raise Unreadable("a list's members must be numbered")
    items = cast("dict[str, Any]", tree)
    if not all(number.isascii() and number.isdigit() and len(number) < 7 for number in items):
        raise Unreadable("a list's members must be numbered")
    return [items[number] for number in sorted(items, key=int)]


def plain(shape: Shape, *, time: Callable[[datetime], Any]) -> Reader:
    """A writer of results for JSON and CBOR: the model's members alone, without those that are None."""
    if isinstance(shape, StructureShape):
        return _plain_structure(shape, time)
    if isinstance(shape, ListShape):
        item = plain(shape.member, time=time)
        return lambda values: list(map(item, values))
    if isinstance(shape, MapShape):
        member = plain(shape.value, time=time)
        return lambda values: {name: member(value) for name, value in values.items()}
    if shape.type_name in ("double", "float"):
        return float
    return time if shape.type_name == "timestamp" else _same


def _plain_structure(shape: StructureShape, time: Callable[[datetime], Any]) -> Reader:
    writers: dict[str, Reader] = {}
    members = shape.members

    def write(value: Any) -> Any:
        written: dict[str, Any] = {}
        for name, found in cast("dict[str, Any]", value).items():
            if found is None or name not in members:
                continue
            known = writers.get(name)
            if known is None:
                known = writers[name] = plain(members[name], time=time)
            written[name] = known(found)
        return written

    return write


def _same(value: Any) -> Any:
    return value
