"""Dataclasses as JSON and back, by cattrs: fields by name, and every type checked on the way in.

A member of a union says which it is; a dictionary whose keys are no text becomes pairs; what callers gave
(`Any`) comes back as they gave it.
"""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable, Mapping, Set
from datetime import datetime
from functools import cached_property, partial
from typing import Any, TypeVar, cast, get_args, get_origin

from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError, transform_error
from cattrs.strategies import configure_tagged_union, configure_union_passthrough

T = TypeVar("T")

_SCALARS: dict[type, tuple[type, ...]] = {str: (str,), bool: (bool,), int: (int,), float: (int, float)}
_SPECIAL = "$"


class DecodeError(ValueError):
    """The JSON is not what it should be; the text says where."""


class Codec:
    """The members of each of `unions` go by their tags, which are said in the field `tag`."""

    def __init__(self, unions: Mapping[Any, Mapping[str, type]], *, tag: str = "kind") -> None:
        self._unions = unions
        self._tag = tag

    def dumps(self, value: object, kind: Any = None) -> bytes:
        """As JSON text; `kind` where it is not `type(value)`."""
        return json.dumps(self._quick.unstructure(value, kind or type(value)), separators=(",", ":")).encode()

    def loads(self, kind: type[T], text: bytes | str) -> T:
        try:
            data = json.loads(text)
        except ValueError as error:
            raise DecodeError(f"It is not JSON: {error}") from error
        return self.decode(kind, data)

    def decode(self, kind: type[T], data: Any) -> T:
        """From JSON data. Fields that it lacks take their defaults; one that this version does not know is
        refused, as what it means would be lost at the next save."""
        try:
            return self._quick.structure(data, kind)
        except Exception as error:
            raise DecodeError(self._trouble(kind, data, error)) from error

    def _trouble(self, kind: type, data: Any, error: Exception) -> str:
        """Where it is, which the quick way does not note."""
        try:
            self._converter(detailed=True).structure(data, kind)
        except BaseValidationError as found:
            return "; ".join(transform_error(found, getattr(kind, "__name__", "$"), _said)[:3])
        except Exception as found:
            return _said(found)
        return _said(error)

    @cached_property
    def _quick(self) -> Converter:
        return self._converter(detailed=False)

    def _converter(self, *, detailed: bool) -> Converter:
        made = Converter(
            forbid_extra_keys=True,
            detailed_validation=detailed,
            unstruct_collection_overrides={Set: list, deque: list, tuple: list},
        )
        for kind, accepted in _SCALARS.items():
            made.register_structure_hook(kind, _checked(accepted))
        made.register_structure_hook(datetime, lambda data, _: datetime.fromisoformat(data))
        made.register_unstructure_hook(datetime, datetime.isoformat)
        made.register_structure_hook(bytes, lambda data, _: base64.b64decode(data, validate=True))
        made.register_unstructure_hook(bytes, lambda value: base64.b64encode(value).decode())
        made.register_structure_hook_func(_is_any, lambda data, _: _any_into(data))
        made.register_unstructure_hook_func(_is_any, _any_out)
        made.register_structure_hook_factory(_is_keyed, partial(_pairs_into, made))
        made.register_unstructure_hook_factory(_is_keyed, partial(_pairs_out, made))
        configure_union_passthrough(str | int | float | bool | None, made)
        for union, members in self._unions.items():
            names = {kind: name for name, kind in members.items()}
            configure_tagged_union(union, made, names.__getitem__, self._tag)
            _configure_optional(union, made)
        return made


def _said(error: BaseException, _: type | None = None) -> str:
    match error:
        case ForbiddenExtraKeysError():
            return f"this version does not know {', '.join(sorted(error.extra_fields))}"
        case KeyError() if error.args:
            return f"lacks {error.args[0]}"
        case AttributeError():
            return "should be an object"
        case _:
            return f"{type(error).__name__}: {error}"


def _checked(accepted: tuple[type, ...]) -> Callable[[Any, type], Any]:
    def check(data: Any, kind: type) -> Any:
        if not isinstance(data, accepted) or (isinstance(data, bool) and kind is not bool):
            raise TypeError(f"should be {kind.__name__}, and is {type(data).__name__}")
        return data

    return check


def _configure_optional(union: Any, made: Converter) -> None:
    """cattrs knows the union by its members, of which None would be one."""
    out, into = made.get_unstructure_hook(union), made.get_structure_hook(union)
    made.register_unstructure_hook(union | None, lambda value: None if value is None else out(value))
    made.register_structure_hook(union | None, lambda data, _: None if data is None else into(data, union))


def _is_any(kind: Any) -> bool:
    return kind is Any


def _is_keyed(kind: Any) -> bool:
    """A dictionary whose keys are no text."""
    return get_origin(kind) is dict and get_origin(get_args(kind)[0]) is tuple


def _pairs_into(made: Converter, kind: Any) -> Callable[[Any, Any], Any]:
    key, value = (made.get_structure_hook(part) for part in get_args(kind))
    key_kind, value_kind = get_args(kind)
    return lambda data, _: {key(name, key_kind): value(item, value_kind) for name, item in data}


def _pairs_out(made: Converter, kind: Any) -> Callable[[Any], Any]:
    key, value = (made.get_unstructure_hook(part) for part in get_args(kind))
    return lambda kept: [[key(name), value(item)] for name, item in kept.items()]


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
