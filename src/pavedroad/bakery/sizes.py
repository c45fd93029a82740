"""Sizes as people read them."""

from __future__ import annotations

_UNITS = (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000))


def counted(number: int, what: str) -> str:
    """`1 file`, `1,200 files`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def spoken(size: int) -> str:
    """`1.4 kB`, `12.0 MB`."""
    for unit, step in _UNITS:
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} bytes"
