"""The time in fractions of a second, on every SQLite."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from pavedroad.database.subseconds import Connection


def test_a_table_s_default_is_the_time_in_milliseconds(tmp_path: Path) -> None:
    before = time.time_ns() // 1_000_000
    with closing(sqlite3.connect(tmp_path / "some.db", factory=Connection)) as connection:
        connection.execute("CREATE TABLE t (n, at INTEGER NOT NULL DEFAULT (unixepoch('subsec') * 1000))")
        connection.executemany("INSERT INTO t (n) VALUES (?)", [(1,), (2,)])
        rows = connection.execute("SELECT at FROM t").fetchall()
    assert all(before - 1 <= at <= time.time_ns() // 1_000_000 + 1 for (at,) in rows)
    assert len(rows) == 2


def test_whole_seconds_and_other_times_stay_what_they_were() -> None:
    with closing(sqlite3.connect(":memory:", factory=Connection)) as connection:
        now, then = connection.execute(
            "SELECT unixepoch('now'), unixepoch('2001-09-09 01:46:40', '0 days')"
        ).fetchone()
    assert isinstance(now, int)
    assert abs(now - time.time()) < 60
    assert then == 1_000_000_000
