"""Which regions there are: what is none is refused before anything is made for it."""

from __future__ import annotations

from collections.abc import Collection

from pavedroad.core.errors import InvalidInput

_LONGEST = 80


def check_region(name: str, known: Collection[str]) -> None:
    """Nothing, or InvalidInput that names those that there are."""
    if name not in known:
        shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
        raise InvalidInput(f"There is no region {shown!r}.", next_step=f"Name one of {', '.join(known)}.")
