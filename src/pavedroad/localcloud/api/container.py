"""The file of a saved state: a line that says what it is, a head that names its parts, and the parts.

The line has the schema's number and the head's checksum, the head each part's: one bad byte is found before
anything of it is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

MAGIC = b"pavedroad-cloud-state"
SCHEMA = 3


class Damaged(ValueError):
    """It is not as it was written; the text says how."""


class Newer(ValueError):
    """It is of a schema that this version does not know."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one service keeps, in a form (`kind`) of some version."""

    name: str
    kind: str
    version: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: str
    version: str
    length: int
    sha256: str


def pack(parts: Iterable[Part], writer: str) -> Iterator[bytes]:
    """`writer` is the version of Pavedroad, for whoever looks at the file."""
    all_parts = list(parts)
    entries = [_Entry(it.name, it.kind, it.version, len(it.body), _sum(it.body)) for it in all_parts]
    head = json.dumps({"writer": writer, "parts": [asdict(it) for it in entries]}).encode()
    yield b"%s %d %s\n%s\n" % (MAGIC, SCHEMA, _sum(head).encode(), head)
    for it in all_parts:
        yield it.body


def schema_of(content: bytes) -> int:
    """`Damaged` where it is no saved state at all."""
    first = content.partition(b"\n")[0]
    if first == MAGIC:
        return 2
    magic, _, rest = first.partition(b" ")
    number = rest.partition(b" ")[0]
    if magic != MAGIC or not number.isdigit():
        raise Damaged("it does not begin as one")
    return int(number)


def unpack(content: bytes) -> list[Part]:
    """Of this schema."""
    if schema_of(content) > SCHEMA:
        raise Newer(f"it is of schema {schema_of(content)}, and this version reads up to {SCHEMA}")
    first, _, rest = content.partition(b"\n")
    head, end, bodies = rest.partition(b"\n")
    if not end or first.split(b" ")[2:] != [_sum(head).encode()]:
        raise Damaged("its head is not as it was written")
    said: dict[str, Any] = json.loads(head)
    entries = [_Entry(**it) for it in said["parts"]]
    if sum(it.length for it in entries) != len(bodies):
        raise Damaged(
            f"it should have {sum(it.length for it in entries)} bytes of parts, and has {len(bodies)}"
        )
    parts: list[Part] = []
    begin = 0
    for it in entries:
        body = bodies[begin : begin + it.length]
        begin += it.length
        if _sum(body) != it.sha256:
            raise Damaged(f"its part {it.name} is not as it was written")
        parts.append(Part(it.name, it.kind, it.version, body))
    return parts


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
