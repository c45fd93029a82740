"""Numbers in texts from outside. `int` and `float` take more than anybody writes: digits of every alphabet,
`1_000`, spaces around, `nan`, and, as whole numbers, not more than some thousand digits."""

from __future__ import annotations

import math
import re

_DIGITS = 18
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_REAL = re.compile(r"[+-]?(?:[0-9]{1,100}(?:\.[0-9]{0,100})?|\.[0-9]{1,100})(?:[eE][+-]?[0-9]{1,3})?")


def whole(text: str) -> int:
    """Of at most 18 digits. Raises ValueError."""
    if _WHOLE.fullmatch(text) is None:
        raise ValueError(f"'{text[:40]}' is no whole number")
    return int(text)


def real(text: str) -> float:
    """Finite. Raises ValueError."""
    if _REAL.fullmatch(text) is None or not math.isfinite(found := float(text)):
        raise ValueError(f"'{text[:40]}' is no number")
    return found


def count(text: str) -> int | None:
    """Of digits alone; None for anything else. Of more than 18 digits it is the largest of 18."""
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text) if len(text) <= _DIGITS else 10**_DIGITS - 1
