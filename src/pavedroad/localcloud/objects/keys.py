"""Keys in their order, each with its versions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

E = TypeVar("E")


class Keys(Generic[E]):
    """A key is there while it has versions, newest first. Text orders as its UTF-8 does, which is S3's
    order."""

    __slots__ = ("_names", "_of", "changed", "written")

    def __init__(self, of: Mapping[str, tuple[E, ...]] | None = None) -> None:
        self._of = dict(of or {})
        self._names = sorted(self._of)
        self.changed = set(self._of)
        """Since they were written down."""
        self.written: dict[str, str] = {}
        """What was written of each then."""

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, key: str) -> bool:
        return key in self._of

    def versions(self, key: str) -> tuple[E, ...]:
        return self._of.get(key, ())

    def put(self, key: str, versions: tuple[E, ...]) -> None:
        """In place of what it has; none is the end of the key."""
        self.changed.add(key)
        if not versions:
            if self._of.pop(key, None) is not None:
                del self._names[bisect_left(self._names, key)]
            return
        if key not in self._of:
            self._names.insert(bisect_left(self._names, key), key)
        self._of[key] = versions

    def after(self, key: str, *, itself: bool = False) -> Iterator[str]:
        """Those that come after it in order, or `itself` too; nothing may change meanwhile."""
        names = self._names
        at = bisect_left(names, key) if itself else bisect_right(names, key)
        for place in range(at, len(names)):
            yield names[place]
