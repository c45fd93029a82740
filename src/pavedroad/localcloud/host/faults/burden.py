"""A process that takes of a guest's processor, memory or disk: `burden.py cpu '{"cores": 2, "percent": 50}'`.

Run by path, in the guest's own tree and control group, so that what it takes counts as the guest's. All of
it is gone when it ends, however it ends.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

_PERIOD = 0.1
_PIECE = 4 * 2**20
_MEGABYTE = 2**20
_LEAST_FREE = 0.1
"""Of the machine's disk is left to others."""


def take_cpu(numbers: Mapping[str, float]) -> None:
    """So many processes, each busy for a share of the time."""
    for _ in range(int(numbers["cores"]) - 1):
        if os.fork() == 0:
            break
    busy = _PERIOD * numbers["percent"] / 100
    parent = os.getppid()
    while os.getppid() == parent:
        until = time.monotonic() + busy
        while time.monotonic() < until:
            pass
        if busy < _PERIOD:
            time.sleep(_PERIOD - busy)


def take_memory(numbers: Mapping[str, float]) -> None:
    """So much, every page of it written; never more than half of what the machine has free."""
    size = min(int(numbers["megabytes"]) * _MEGABYTE, _available_memory() // 2)
    held: list[bytearray] = []
    with suppress(MemoryError):  # its limit
        held.extend(bytearray(b"\1") * _PIECE for _ in range(0, size, _PIECE))
    _stay()


def take_disk(numbers: Mapping[str, float]) -> None:
    """So much at a pace, in a file without a name: it goes with the process."""
    left = int(numbers["megabytes"]) * _MEGABYTE
    pause = _PIECE / (numbers["megabytes_per_second"] * _MEGABYTE)
    name = f".burden-{os.getpid()}"
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(name)
    piece = os.urandom(_PIECE)
    began = time.monotonic()
    written = 0
    while left > 0 and _disk_has_room(file):
        written += 1
        left -= os.write(file, piece[: min(_PIECE, left)])
        time.sleep(max(0.0, began + written * pause - time.monotonic()))
    _stay()


def _disk_has_room(file: int) -> bool:
    disk = os.fstatvfs(file)
    return disk.f_bavail > disk.f_blocks * _LEAST_FREE


def _available_memory() -> int:
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


def _stay() -> None:
    while True:
        time.sleep(3600)


_BURDENS = {"cpu": take_cpu, "memory": take_memory, "disk": take_disk}

if __name__ == "__main__":
    _BURDENS[sys.argv[1]](json.loads(sys.argv[2]))
