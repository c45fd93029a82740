"""`localcloud/wanted.py` as JSON, the same way on both sides of the socket.

Dataclasses become objects, tuples arrays; a member of a sum (`Action`) carries a `kind`. Decoding checks
every type, so that a broken message is a `DecodeError` naming the field, never a half-built object.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from pavedroad.localcloud import wanted

T = TypeVar("T")
_Decoder = Callable[[Any, str], Any]
_Encoder = Callable[[Any], Any]

_KINDS: dict[type, str] = {
    wanted.Forward: "forward",
    wanted.FixedResponse: "fixed-response",
    wanted.Redirect: "redirect",
}


class DecodeError(ValueError):
    """The JSON is not what it should be; the text says where."""


def dumps(value: Any) -> bytes:
    """A dataclass as JSON text."""
    return json.dumps(encode(value), separators=(",", ":")).encode()


def loads(kind: type[T], text: bytes | str) -> T:
    """The dataclass `kind` from JSON text."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise DecodeError(f"The body is not JSON: {error}.") from error
    return decode(kind, data)


def encode(value: Any) -> Any:
    """A dataclass (or tuple, dict or scalar of such) as JSON-able data."""
    return _encoder(cast("type[object]", type(value)))(value)


def decode(kind: type[T], data: Any) -> T:
    """The dataclass `kind` from JSON data."""
    return cast("T", _decoder(kind)(data, kind.__name__))


@cache
def _encoder(kind: type[object]) -> _Encoder:
    if is_dataclass(kind):
        names = tuple(field.name for field in fields(kind))
        tag = _KINDS.get(kind)
        head = {"kind": tag} if tag else {}
        return lambda value: {**head, **{name: encode(getattr(value, name)) for name in names}}
    if kind in (tuple, list):
        return lambda value: [encode(item) for item in value]
    if kind is dict:
        return lambda value: {key: encode(item) for key, item in value.items()}
    return _as_is


def _as_is(value: Any) -> Any:
    return value


@cache
def _decoder(kind: Any) -> _Decoder:
    origin = get_origin(kind)
    if origin is UnionType:
        return _union(get_args(kind))
    if origin is Literal:
        return _literal(get_args(kind))
    if origin is tuple:
        return _array(get_args(kind)[0])
    if origin is dict:
        return _mapping(get_args(kind)[1])
    if is_dataclass(kind):
        return _object(cast("type[object]", kind))
    return _scalar(kind)


def _scalar(kind: type) -> _Decoder:
    accepted = (int, float) if kind is float else (kind,)

    def decode_scalar(data: Any, where: str) -> Any:
        if isinstance(data, accepted) and not (isinstance(data, bool) and kind is not bool):
            return data
        raise DecodeError(f"{where} should be {kind.__name__}, and is {type(data).__name__}.")

    return decode_scalar


def _literal(allowed: tuple[Any, ...]) -> _Decoder:
    def decode_literal(data: Any, where: str) -> Any:
        if data in allowed:
            return data
        raise DecodeError(f"{where} should be one of {', '.join(map(str, allowed))}, and is {data!r}.")

    return decode_literal


def _array(item_kind: Any) -> _Decoder:
    decode_item = _decoder(item_kind)

    def decode_array(data: Any, where: str) -> Any:
        if not isinstance(data, list):
            raise DecodeError(f"{where} should be an array, and is {type(data).__name__}.")
        return tuple(decode_item(item, where) for item in cast("list[Any]", data))

    return decode_array


def _mapping(value_kind: Any) -> _Decoder:
    decode_value = _decoder(value_kind)

    def decode_mapping(data: Any, where: str) -> Any:
        if not isinstance(data, dict):
            raise DecodeError(f"{where} should be an object, and is {type(data).__name__}.")
        return {
            str(key): decode_value(value, f"{where}[{key}]")
            for key, value in cast("dict[str, Any]", data).items()
        }

    return decode_mapping


def _object(kind: type[object]) -> _Decoder:
    hints = get_type_hints(kind)
    known = fields(cast("Any", kind))
    decoders = {field.name: _decoder(hints[field.name]) for field in known}
    required = [field.name for field in known if field.default is MISSING is field.default_factory]

    def decode_object(data: Any, where: str) -> Any:
        if not isinstance(data, dict):
            raise DecodeError(f"{where} should be an object, and is {type(data).__name__}.")
        found = cast("dict[str, Any]", data)
        if missing := [name for name in required if name not in found]:
            raise DecodeError(f"{where} lacks {', '.join(missing)}.")
        return kind(
            **{
                name: decode_field(found[name], f"{where}.{name}")
                for name, decode_field in decoders.items()
                if name in found
            }
        )

    return decode_object


def _union(kinds: tuple[Any, ...]) -> _Decoder:
    others = [kind for kind in kinds if kind is not NoneType]
    optional = len(others) < len(kinds)
    if len(others) == 1:
        decode_one = _decoder(others[0])
        return lambda data, where: None if optional and data is None else decode_one(data, where)
    by_tag = {_KINDS[kind]: _decoder(kind) for kind in others}

    def decode_tagged(data: Any, where: str) -> Any:
        tag = cast("dict[str, Any]", data).get("kind") if isinstance(data, dict) else None
        if tag not in by_tag:
            raise DecodeError(f"{where}.kind should be one of {', '.join(by_tag)}, and is {tag!r}.")
        return by_tag[tag](data, where)

    return decode_tagged
