"""`unixepoch('subsec')` on SQLite before 3.42, which answers it with NULL. The workflows' library counts on
it, in its statements and in its tables' defaults, wherever Python is 3.12 or newer."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Final

TOLD_SINCE: Final = (3, 42, 0)
"""The first SQLite that knows the word itself."""


class Connection(sqlite3.Connection):
    """A connection that tells the time in fractions of a second, whatever the system's SQLite can."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if sqlite3.sqlite_version_info < TOLD_SINCE:
            # Of one argument alone, and not deterministic: each row of a statement may have another time.
            self.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(what: object) -> float:
    """Seconds since 1970."""
    match what:
        case "subsec" | "subsecond":
            return time.time_ns() // 1_000_000 / 1000
        case "now":
            return time.time_ns() // 1_000_000_000
        case _:
            raise ValueError(f"unixepoch({what!r}) is not known here")
