"""Log files of bounded size: one a process, turned over at 10 MB, three kept."""

from __future__ import annotations

from collections import deque
from pathlib import Path

_LARGEST = 10_000_000
_KEPT = 3
_TAIL = 40


class BoundedLog:
    """Appends bytes to a file. A disk that is full loses lines, never the process."""

    def __init__(self, path: Path, *, largest: int = _LARGEST) -> None:
        self.path = path
        self._largest = largest
        self._tail: deque[str] = deque(maxlen=_TAIL)

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines written by this process, without empty ones."""
        return tuple(self._tail)

    def write(self, data: bytes) -> None:
        self._tail.extend(line for line in data.decode(errors="replace").splitlines() if line.strip())
        try:
            if self.path.exists() and self.path.stat().st_size + len(data) > self._largest:
                self._turn_over()
            with self.path.open("ab") as file:
                file.write(data)
        except OSError:
            return

    def _turn_over(self) -> None:
        for number in range(_KEPT - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
