"""Ending guests' processes that nobody supervises any more: host and nursery were both killed."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from pavedroad.localcloud.host.nursery.tree import send

ROOT_VARIABLE = "PAVED_INSTANCE_ROOT"
"""In every guest's environment, whatever its image says."""
_PATIENCE = 5.0


def sweep(instances: Path) -> int:
    """SIGKILL to every process that was started below this folder; gives how many there were.

    Recognised by a variable that guests alone have: a shell that merely stands there is left alone.
    """
    deadline = time.monotonic() + _PATIENCE
    ended = 0
    while left := _below(str(instances)):
        send(left, signal.SIGKILL)
        ended = max(ended, len(left))
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return ended


def _below(instances: str) -> list[int]:
    marker = f"{ROOT_VARIABLE}={instances.rstrip('/')}/".encode()
    found: list[int] = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with suppress(OSError):
            variables = Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
            if any(variable.startswith(marker) for variable in variables):
                found.append(int(entry))
    return found
