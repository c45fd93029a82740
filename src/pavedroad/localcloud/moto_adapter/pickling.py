# pyright: basic
"""What moto's objects hold that Python does not pickle: private keys, locks, and dictionaries that make what
they lack by a function of its own."""

from __future__ import annotations

import importlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

_LIBRARY = "moto."
_INSIDE = ".<locals>."


def reducers() -> dict[type, Callable[[Any], tuple[Any, ...]]]:
    """By the type of what is written."""
    keys = (openssl.rsa.RSAPrivateKey, openssl.ec.ECPrivateKey, openssl.ed25519.Ed25519PrivateKey)
    return {
        **dict.fromkeys(keys, _key),
        type(threading.Lock()): lambda _: (lock, ()),
        type(threading.RLock()): lambda _: (reentrant_lock, ()),
        **dict.fromkeys((defaultdict, *_below(defaultdict)), _by_parts),
    }


def private_key(written: bytes) -> Any:
    return load_der_private_key(written, None)


def lock() -> Any:
    return threading.Lock()


def reentrant_lock() -> Any:
    return threading.RLock()


def blank_mapping(kind: type) -> Any:
    """A `defaultdict`, or a kind of one whose own maker asks for more."""
    if not issubclass(kind, defaultdict):
        raise TypeError(f"{kind} is no defaultdict")
    return kind.__new__(kind)


def fill_mapping(mapping: Any, saved: tuple[Any, dict, dict]) -> None:
    maker, own, items = saved
    mapping.default_factory = _function(*maker) if isinstance(maker, tuple) else maker
    vars(mapping).update(own) if own else None
    dict.update(mapping, items)


FUNCTIONS = (private_key, lock, reentrant_lock, blank_mapping, fill_mapping)
"""All that a saved state may name of these."""


def _key(key: Any) -> tuple[Any, ...]:
    return private_key, (key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),)


def _by_parts(mapping: Any) -> tuple[Any, ...]:
    maker = mapping.default_factory
    if isinstance(maker, FunctionType) and not maker.__closure__:
        maker = (maker.__module__, maker.__qualname__, _among(maker))
    saved = maker, dict(getattr(mapping, "__dict__", {})), dict(mapping)
    return blank_mapping, (type(mapping),), saved, None, None, fill_mapping


def _among(function: FunctionType) -> int:
    """Which of those of its name it is, of all in the same function."""
    codes = list(_codes(function.__module__, function.__qualname__))
    return codes.index(function.__code__)


def _function(module: str, name: str, among: int) -> FunctionType | None:
    """None where moto has it no more."""
    if not module.startswith(_LIBRARY):
        raise ValueError(f"{module} is not moto's")
    found = list(_codes(module, name))
    return FunctionType(found[among], vars(importlib.import_module(module))) if among < len(found) else None


def _codes(module: str, name: str) -> Iterator[CodeType]:
    outer, _, inner = name.partition(_INSIDE)
    holder: Any = importlib.import_module(module)
    for part in outer.split("."):
        holder = getattr(holder, part, None)
    code = getattr(holder, "__code__", None)
    if code is not None and inner:
        yield from _within(code, inner.split(_INSIDE))
    elif code is not None:
        yield code


def _within(code: CodeType, names: list[str]) -> Iterator[CodeType]:
    for it in code.co_consts:
        if isinstance(it, CodeType) and it.co_name == names[0]:
            if names[1:]:
                yield from _within(it, names[1:])
            else:
                yield it


def _below(kind: type) -> Iterator[type]:
    for it in kind.__subclasses__():
        yield it
        yield from _below(it)
