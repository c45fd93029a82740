"""What Linux offers for supervision and Python does not wrap."""

from __future__ import annotations

import ctypes
import math
import os
import resource
from contextlib import suppress

from pavedroad.core import kernel

_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNET = 0x40000000
_OPEN_FILES = 65536
_FIRST_TO_GO = b"500"


def name_process(name: str) -> None:
    """The name that `ps` shows; at most 15 bytes."""
    kernel.call("prctl", _PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)


def adopt_orphans() -> None:
    """Descendants that lose their parent become our children, daemons included."""
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with(parent: int, signal_number: int) -> None:
    """Get this signal when the parent dies; at once if it is dead already."""
    kernel.die_with_parent(signal_number)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def leave_network() -> None:
    """This thread alone gets a new network namespace, with nothing in it."""
    kernel.call("unshare", _CLONE_NEWNET)


def enter_network(space: int) -> None:
    """This thread alone goes into a network namespace, by its descriptor."""
    kernel.call("setns", space, _CLONE_NEWNET)


def bound_process(cpus: float | None, memory_bytes: int | None) -> None:
    """Bounds without a control group. Processors: so many to run on, for all that descend from this process.
    Memory: of each process, and what it writes to, not what it maps and never touches."""
    if cpus is not None:
        allowed = sorted(os.sched_getaffinity(0))
        first = os.getpid() % len(allowed)
        count = max(1, math.ceil(cpus))
        os.sched_setaffinity(0, (allowed[first:] + allowed[:first])[:count])
    if memory_bytes is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        bound = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))


def reaped_bytes() -> tuple[int, int]:
    """What this process's ended descendants have read from and written to disks: all that is counted for the
    process, without what its one thread has done itself."""
    try:
        with open("/proc/self/io", "rb") as whole, open("/proc/thread-self/io", "rb") as own:
            (read, written), (own_read, own_written) = disk_bytes(whole.read()), disk_bytes(own.read())
    except OSError:
        return 0, 0
    return max(0, read - own_read), max(0, written - own_written)


def disk_bytes(text: bytes) -> tuple[int, int]:
    """Bytes read and written, of a /proc io file."""
    counts = dict(line.split(b": ") for line in text.splitlines())
    cancelled = int(counts.get(b"cancelled_write_bytes", 0))
    return int(counts.get(b"read_bytes", 0)), max(0, int(counts.get(b"write_bytes", 0)) - cancelled)


def limit_guest() -> None:
    """A guest's limits: no core files, open files as on a usual server, first to go when memory runs out."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    with suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as score:
        score.write(_FIRST_TO_GO)
