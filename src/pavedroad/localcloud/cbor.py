"""CBOR (RFC 8949) as AWS's `rpc-v2-cbor` protocol uses it: no tag but timestamps, text for keys."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

_MOST_NESTED = 64
_BREAK = 0xFF
_TIMESTAMP_TAG = 1
_SIMPLE: dict[int, bool | None] = {20: False, 21: True, 22: None, 23: None}
_FLOATS: dict[int, tuple[Callable[[bytes, int], tuple[Any, ...]], int]] = {
    25: (struct.Struct(">e").unpack_from, 2),
    26: (struct.Struct(">f").unpack_from, 4),
    27: (struct.Struct(">d").unpack_from, 8),
}
_READ_DOUBLE = _FLOATS[27][0]
_DOUBLE = struct.Struct(">Bd").pack


class MalformedCbor(ValueError):
    """The bytes are not what they should be; the text says what is wrong."""


class Timestamp(float):
    """Seconds since the epoch, told from other numbers by its tag."""

    __slots__ = ()


def loads(data: bytes) -> Any:
    """The one item that `data` holds."""
    try:
        value, end = _item(data, 0, 0)
    except (IndexError, struct.error) as error:
        raise MalformedCbor("it ends in the middle of an item") from error
    except UnicodeDecodeError as error:
        raise MalformedCbor("a text is not UTF-8") from error
    except (OverflowError, MemoryError) as error:
        raise MalformedCbor("a length is too large") from error
    if value is _ENDED:
        raise MalformedCbor("it begins with a break")
    if end != len(data):
        raise MalformedCbor("there is more after its end")
    return value


_ENDED = object()


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    first = data[at]
    at += 1
    major, info = first >> 5, first & 31
    if major == 7:
        return _simple(data, at, first, info)
    if info < 24:
        size = info
    elif info < 28:
        width = 1 << (info - 24)
        if at + width > len(data):
            raise IndexError
        size = int.from_bytes(data[at : at + width], "big")
        at += width
    elif info == 31 and major in (2, 3, 4, 5):
        return _indefinite(data, at, major, depth)
    else:
        raise MalformedCbor(f"the byte {first:#04x} begins no item")
    if major == 0:
        return size, at
    if major == 1:
        return -1 - size, at
    if major in (2, 3):
        end = at + size
        if end > len(data):
            raise IndexError
        raw = data[at:end]
        return (raw.decode() if major == 3 else raw), end
    if depth >= _MOST_NESTED:
        raise MalformedCbor("it is nested too deeply")
    if size > len(data) - at and major != 6:
        raise IndexError
    return _nested(data, at, major, size, depth + 1)


def _nested(data: bytes, at: int, major: int, size: int, depth: int) -> tuple[Any, int]:
    if major == 4:
        items: list[Any] = []
        for _ in range(size):
            value, at = _definite(data, at, depth)
            items.append(value)
        return items, at
    if major == 5:
        pairs: dict[str, Any] = {}
        for _ in range(size):
            key, at = _definite(data, at, depth)
            if not isinstance(key, str):
                raise MalformedCbor("a key is not text")
            pairs[key], at = _definite(data, at, depth)
        return pairs, at
    value, at = _definite(data, at, depth)
    if size == _TIMESTAMP_TAG:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MalformedCbor("a timestamp is not a number")
        return Timestamp(value), at
    return value, at


def _indefinite(data: bytes, at: int, major: int, depth: int) -> tuple[Any, int]:
    if depth >= _MOST_NESTED:
        raise MalformedCbor("it is nested too deeply")
    items: list[Any] = []
    while True:
        value, at = _item(data, at, depth + 1)
        if value is _ENDED:
            break
        items.append(value)
    if major == 4:
        return items, at
    if major == 5:
        keys = items[::2]
        if len(items) % 2 or not all(isinstance(key, str) for key in keys):
            raise MalformedCbor("a map does not hold pairs with texts as keys")
        return dict(zip(keys, items[1::2], strict=True)), at
    kind = bytes if major == 2 else str
    if not all(isinstance(item, kind) for item in items):
        raise MalformedCbor("a string's chunk is of another kind")
    return kind().join(items), at


def _definite(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    first = data[at]
    # Short texts and doubles are most of what there is.
    if 0x60 <= first < 0x78:
        end = at + first - 0x5F
        if end > len(data):
            raise IndexError
        return data[at + 1 : end].decode(), end
    if first == 0xFB:
        return _READ_DOUBLE(data, at + 1)[0], at + 9
    value, at = _item(data, at, depth)
    if value is _ENDED:
        raise MalformedCbor("there is a break where an item should be")
    return value, at


def _simple(data: bytes, at: int, first: int, info: int) -> tuple[Any, int]:
    if info == 27:
        return _FLOATS[27][0](data, at)[0], at + 8
    if info in _SIMPLE:
        return _SIMPLE[info], at
    if info in _FLOATS:
        unpack, width = _FLOATS[info]
        return unpack(data, at)[0], at + width
    if first == _BREAK:
        return _ENDED, at
    raise MalformedCbor(f"the byte {first:#04x} begins no item")


def dumps(value: Any) -> bytes:
    """Dicts with text keys, lists, texts, bytes, numbers, booleans, None and aware datetimes."""
    out = bytearray()
    _write(out, value)
    return bytes(out)


def _write(out: bytearray, value: Any) -> None:
    if isinstance(value, float):
        if isinstance(value, Timestamp):
            _head(out, 6, _TIMESTAMP_TAG)
        out += _DOUBLE(0xFB, value)
    elif isinstance(value, str):
        text = value.encode("utf-8", "replace")
        _head(out, 3, len(text))
        out += text
    elif isinstance(value, datetime):
        at = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        _head(out, 6, _TIMESTAMP_TAG)
        if at.is_integer() and at >= 0:
            _head(out, 0, int(at))
        else:
            out += _DOUBLE(0xFB, at)
    elif value is None or isinstance(value, bool):
        out.append(0xF6 if value is None else 0xF5 if value else 0xF4)
    elif isinstance(value, int):
        _head(out, 0, value) if value >= 0 else _head(out, 1, -1 - value)
    elif isinstance(value, list | tuple):
        items = cast("list[Any]", value)
        _head(out, 4, len(items))
        for item in items:
            _write(out, item)
    elif isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value)
        _head(out, 5, len(pairs))
        for key, member in pairs.items():
            _write(out, key)
            _write(out, member)
    elif isinstance(value, bytes):
        _head(out, 2, len(value))
        out += value
    else:
        raise TypeError(f"{type(value).__name__} has no place in CBOR")


def _head(out: bytearray, major: int, size: int) -> None:
    if size < 24:
        out.append(major << 5 | size)
        return
    for info, pack, most in _SIZES:
        if size < most:
            out += pack(major << 5 | info, size)
            return
    raise TypeError("the number is too large for CBOR")


_SIZES = tuple(
    (info, struct.Struct(f">B{code}").pack, 1 << 8 * width)
    for info, code, width in ((24, "B", 1), (25, "H", 2), (26, "I", 4), (27, "Q", 8))
)
