"""Bodies of callers who may be anybody yet: kept in little memory, and not without end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from pavedroad.localcloud.errors import ServiceError

IN_MEMORY = 64 * 1024
"""Of one body; the rest is on disk."""
_AT_ONCE = 2**30
"""Of all such bodies together."""

Keep = Callable[[int], None]
"""Told of bytes that are to be kept. Raises `ServiceError` where there is no room for them."""


class Unproven:
    """Used from one event loop."""

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._at_once = at_once
        self._kept = 0

    @contextmanager
    def keeping(self) -> Generator[Keep]:
        """For as long as a body is there."""
        own = 0

        def keep(more: int) -> None:
            nonlocal own
            if self._kept + more > self._at_once:
                raise ServiceError("SlowDown", "Too many large requests come at once. Sign them.", 503)
            self._kept += more
            own += more

        try:
            yield keep
        finally:
            self._kept -= own
