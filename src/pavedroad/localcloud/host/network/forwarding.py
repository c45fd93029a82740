"""The machine's forwarding of packets, on while some private cloud needs it, then as it was."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pavedroad.localcloud.host.network import commands
from pavedroad.localcloud.host.network.place import TABLES, Place

_SWITCH = Path("/proc/sys/net/ipv4/ip_forward")
_RECORD = Path("/run/pavedroad-forwarding")
"""There while it was a private cloud that switched it on; locked while one looks."""


def enter(place: Place) -> None:
    """From here on this cloud needs it; blocks. Its table says so to the others."""
    with _alone() as record:
        commands.nft(f"add table inet {place.table}\n")
        if _SWITCH.read_text().strip() == "0":
            os.pwrite(record, b"on", 0)
            _SWITCH.write_text("1")


def leave(place: Place) -> None:
    """Take this cloud's table away; the last one switches off what the first has switched on. Blocks."""
    with _alone() as record:
        commands.nft(f"add table inet {place.table}\ndelete table inet {place.table}\n")
        others = any(name.startswith(TABLES) for name in commands.tables())
        if not others and os.pread(record, 2, 0) == b"on":
            os.ftruncate(record, 0)
            _SWITCH.write_text("0")


@contextmanager
def _alone() -> Generator[int]:
    record = os.open(_RECORD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(record, fcntl.LOCK_EX)
        yield record
    finally:
        os.close(record)
