"""Makes `roads.db`, the database that this example serves: a small table of old paved roads."""

from __future__ import annotations

import sqlite3
from pathlib import Path

ROADS = [
    ("Via Appia", "Rome", "Brindisi", 312, "BC", 560),
    ("Via Egnatia", "Dyrrachium", "Byzantium", 146, "BC", 1120),
    ("Via Domitia", "Turin", "Narbonne", 118, "BC", 400),
    ("Fosse Way", "Exeter", "Lincoln", 47, "AD", 370),
    ("Watling Street", "Dover", "Wroxeter", 47, "AD", 444),
]


def main() -> None:
    path = Path(__file__).with_name("roads.db")
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute(
            "create table roads (name text primary key, start text, finish text, year int, era text, km int)"
        )
        database.executemany("insert into roads values (?, ?, ?, ?, ?, ?)", ROADS)
    print(f"{path.name}: {len(ROADS)} roads")


if __name__ == "__main__":
    main()
