"""Kept objects as plain data, to compare what was written with what is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, cast


def plain(value: Any) -> Any:
    """Classes and fields by name; what is an object of no such kind, by its type alone."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return [[plain(key), plain(it)] for key, it in cast("Mapping[Any, Any]", value).items()]
    if isinstance(value, set | frozenset):
        return sorted((plain(it) for it in cast("set[Any]", value)), key=str)
    if isinstance(value, list | tuple) or type(value).__name__ == "deque":
        return [plain(it) for it in value]
    if is_dataclass(value):
        named = {it.name: getattr(value, it.name) for it in fields(value)}
    elif type(value).__name__ == "Store":
        named = {name: it for name, it in vars(value).items() if not name.startswith("_")}
    else:
        return type(value).__name__
    return {"": type(value).__name__, **{name: plain(it) for name, it in named.items()}}


def machines(backends: Any) -> Any:
    """What is ours of moto's part: each instance's life, and what else EC2's backends keep in our classes."""
    return {
        f"{region} {name}": plain(it)
        for region, backend in sorted(backends.items())
        for name, it in (
            *((one.id, one.life) for one in backend.by_id.values()),
            ("images", backend.guest_images),
            ("spot", backend.spot),
            ("placement", backend.placement_groups),
        )
    }


def lacking(known: Any, found: Any, where: str = "") -> list[str]:
    """What of `known` is not so in `found`, which may have more fields."""
    if isinstance(known, dict) and isinstance(found, dict):
        return [
            line
            for name, value in known.items()
            for line in lacking(value, found.get(name, "nothing"), f"{where}.{name}")
        ]
    if isinstance(known, list) and isinstance(found, list) and len(known) == len(found):
        pairs = zip(known, found, strict=True)
        return [line for place, (a, b) in enumerate(pairs) for line in lacking(a, b, f"{where}[{place}]")]
    return [] if known == found else [f"{where}: {known!r} is {found!r}"]
