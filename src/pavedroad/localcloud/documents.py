"""What a service keeps, as a versioned JSON document: fields by name, and everything back as it was.

A dataclass becomes an object; a member of a union of dataclasses says which it is (`is`); a dictionary whose
keys are no text becomes pairs. Objects of a `shared` class that are held in several places are written once,
and referred to by their id from then on. Fields that a document lacks take their defaults; one that this
version does not know is refused, as what it means would be lost at the next save.
"""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import datetime
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
_Way = Callable[[Any], Any]
Upgrade = Callable[[Any], Any]
"""The data of a document as the next version has it."""

_SCALARS = (str, int, float, bool, NoneType)
_IS, _AS = "is", "as"


class DocumentError(ValueError):
    """The text says what of the document cannot be."""


def _plain(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """How one service's state is written. `upgrades` take data from the version that is their key to the
    next; `tags` are the names of a union's members, which outlive those of the classes."""

    of: type[T]
    number: int = 1
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict[int, Upgrade])
    tags: Mapping[type, str] = field(default_factory=dict[type, str])
    shared: frozenset[type] = frozenset()

    kind = "document"

    @property
    def version(self) -> str:
        return str(self.number)

    def encode(self, value: T) -> bytes:
        ways = _Ways(self.tags, self.shared)
        return json.dumps(ways.out(self.of)(value), separators=(",", ":")).encode()

    def decode(self, body: bytes, version: str) -> T:
        """`DocumentError` where it cannot be; of a newer version too."""
        number = int(version)
        if number > self.number:
            raise DocumentError(f"it is of version {number}, and this one reads up to {self.number}")
        data: Any = json.loads(body)
        for older in range(number, self.number):
            data = self.upgrades[older](data)
        try:
            return cast("T", _Ways(self.tags, self.shared).into(self.of)(data))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise error if isinstance(error, DocumentError) else DocumentError(_said(error)) from error


class _Ways:
    """Out to plain data and back, for each type that is met, of one document."""

    def __init__(self, tags: Mapping[type, str], shared: frozenset[type]) -> None:
        self._tags = tags
        self._shared = shared
        self._outs: dict[Any, _Way] = {}
        self._intos: dict[Any, _Way] = {}
        self._met: dict[tuple[type, str], Any] = {}

    def out(self, kind: Any) -> _Way:
        if kind not in self._outs:
            self._outs[kind] = lambda value: self._outs[kind](value)  # noqa: PLW0108 - a class may hold itself
            self._outs[kind] = self._make_out(kind)
        return self._outs[kind]

    def into(self, kind: Any) -> _Way:
        if kind not in self._intos:
            self._intos[kind] = lambda data: self._intos[kind](data)  # noqa: PLW0108 - as above
            self._intos[kind] = self._make_into(kind)
        return self._intos[kind]

    # Out

    def _make_out(self, kind: Any) -> _Way:
        origin, parts = get_origin(kind), get_args(kind)
        if kind in _SCALARS or origin is Literal:
            return _plain
        if kind is Any:
            return _any_out
        if kind is datetime:
            return datetime.isoformat
        if origin in (UnionType, Union):
            return self._union_out(parts)
        if origin in (dict, Mapping) or _is_mapping(origin):
            return self._mapping_out(*parts)
        if origin is tuple and parts[-1] is not Ellipsis:
            ways = [self.out(part) for part in parts]
            if all(way is _plain for way in ways):
                return _plain
            return lambda value: [way(item) for way, item in zip(ways, value, strict=True)]
        if origin in (tuple, list, set, frozenset, deque):
            way = self.out(parts[0])
            if way is _plain:
                return _plain if origin in (tuple, list) else list
            return lambda value: [way(item) for item in value]
        if is_dataclass(kind):
            return self._object_out(cast("type", kind))
        raise TypeError(f"{kind} has no form in a document")

    def _mapping_out(self, key: Any, of: Any) -> _Way:
        way = self.out(of)
        if not _is_text(key):
            key_way = self.out(key)
            return lambda value: [[key_way(name), way(item)] for name, item in value.items()]
        if way is _plain:
            return dict
        return lambda value: {name: way(item) for name, item in value.items()}

    def _object_out(self, kind: type) -> _Way:
        hints = get_type_hints(kind)
        names = [it.name for it in fields(kind)]
        ways = [(name, way) for name in names if (way := self.out(hints[name])) is not _plain]
        get = attrgetter(*names)

        def whole(value: Any) -> Any:
            data = dict(zip(names, get(value), strict=True))
            for name, way in ways:
                data[name] = way(data[name])
            return data

        if len(names) == 1:
            only, way = names[0], self.out(hints[names[0]])
            return lambda value: {only: way(get(value))}
        if kind not in self._shared:
            return whole
        met = self._met

        def once(value: Any) -> Any:
            if met.get((kind, value.id)) is value:
                return {_AS: value.id}
            met[(kind, value.id)] = value
            return whole(value)

        return once

    def _union_out(self, parts: tuple[Any, ...]) -> _Way:
        others = [part for part in parts if part is not NoneType]
        ways = {part: self.out(part) for part in others}
        if all(way is _plain for way in ways.values()):
            return _plain
        if len(others) == 1:
            way = ways[others[0]]
            return lambda value: None if value is None else way(value)
        tags = self._tags
        return lambda value: None if value is None else {_IS: tags[type(value)], **ways[type(value)](value)}

    # Back

    def _make_into(self, kind: Any) -> _Way:
        origin, parts = get_origin(kind), get_args(kind)
        if kind in _SCALARS or origin is Literal:
            return _plain
        if kind is Any:
            return _any_into
        if kind is datetime:
            return datetime.fromisoformat
        if origin in (UnionType, Union):
            return self._union_into(parts)
        if _is_mapping(origin):
            return self._mapping_into(*parts)
        if origin is tuple and parts[-1] is not Ellipsis:
            ways = [self.into(part) for part in parts]
            return lambda data: tuple(way(item) for way, item in zip(ways, data, strict=True))
        if origin in (tuple, list, set, frozenset, deque):
            made, way = cast("Callable[[Any], Any]", origin), self.into(parts[0])
            if way is _plain:
                return made
            return lambda data: made([way(item) for item in data])
        return self._object_into(kind)

    def _mapping_into(self, key: Any, of: Any) -> _Way:
        way = self.into(of)
        if not _is_text(key):
            key_way = self.into(key)
            return lambda data: {key_way(name): way(item) for name, item in data}
        if way is _plain:
            return dict
        return lambda data: {name: way(item) for name, item in data.items()}

    def _object_into(self, kind: Any) -> _Way:
        hints = get_type_hints(kind)
        ways = {it.name: self.into(hints[it.name]) for it in fields(kind)}
        required = {it.name for it in fields(kind) if it.default is MISSING and it.default_factory is MISSING}

        def whole(data: Any) -> Any:
            try:
                return kind(**{name: ways[name](item) for name, item in data.items()})
            except DocumentError as error:
                raise DocumentError(f"{kind.__name__}: {error}") from error
            except (TypeError, ValueError, KeyError, AttributeError) as error:
                raise DocumentError(f"{kind.__name__}: {_trouble(data, ways, required, error)}") from error

        if kind not in self._shared:
            return whole
        met = self._met

        def once(data: Any) -> Any:
            if _AS in data:
                return met[(kind, data[_AS])]
            made = whole(data)
            met[(kind, made.id)] = made
            return made

        return once

    def _union_into(self, parts: tuple[Any, ...]) -> _Way:
        others = [part for part in parts if part is not NoneType]
        ways = {part: self.into(part) for part in others}
        if all(way is _plain for way in ways.values()):
            return _plain
        if len(others) == 1:
            way = ways[others[0]]
            return lambda data: None if data is None else way(data)
        by_tag = {self._tags[part]: way for part, way in ways.items()}

        def tagged(data: Any) -> Any:
            if data is None:
                return None
            return by_tag[data[_IS]]({name: item for name, item in data.items() if name != _IS})

        return tagged


def _trouble(data: Any, ways: Mapping[str, _Way], required: set[str], error: Exception) -> str:
    if isinstance(data, dict):
        if unknown := sorted(set(cast("dict[str, Any]", data)) - set(ways)):
            return f"this version does not know {', '.join(unknown)}"
        if lacking := sorted(required - set(cast("dict[str, Any]", data))):
            return f"it lacks {', '.join(lacking)}"
    return _said(error)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_text(kind: Any) -> bool:
    return kind is str or get_origin(kind) is Literal


_SPECIAL = "$"


def _any_out(value: Any) -> Any:
    """What callers gave, as they gave it."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list):
        return [_any_out(item) for item in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        found = {name: _any_out(item) for name, item in cast("Mapping[Any, Any]", value).items()}
        if not all(isinstance(name, str) for name in found):
            raise TypeError("a dictionary's keys are not text")
        return {_SPECIAL: "dict", "of": found} if _SPECIAL in found else found
    if isinstance(value, tuple):
        return {_SPECIAL: "tuple", "of": [_any_out(item) for item in cast("tuple[Any, ...]", value)]}
    if isinstance(value, datetime):
        return {_SPECIAL: "datetime", "of": value.isoformat()}
    if isinstance(value, bytes):
        return {_SPECIAL: "bytes", "of": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} has no form in a document")


def _any_into(data: Any) -> Any:
    if isinstance(data, list):
        return [_any_into(item) for item in cast("list[Any]", data)]
    if not isinstance(data, dict):
        return data
    found = cast("dict[str, Any]", data)
    if _SPECIAL not in found:
        return {name: _any_into(item) for name, item in found.items()}
    of = found["of"]
    match found[_SPECIAL]:
        case "dict":
            return {name: _any_into(item) for name, item in of.items()}
        case "tuple":
            return tuple(_any_into(item) for item in of)
        case "datetime":
            return datetime.fromisoformat(of)
        case _:
            return base64.b64decode(of)
