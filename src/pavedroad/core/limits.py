"""How many files and connections this process may have open."""

from __future__ import annotations

import resource
from contextlib import suppress

_FOR_ALL_ELSE = 256
"""Files that are no connections: databases, logs, pipes to children, calls to the cloud."""


def raise_open_files() -> None:
    """As many open files as this user may have. Children inherit it where they are given no other."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def most_connections() -> int:
    """How many a server takes at once, so that files are left for what it has to do for them."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(soft // 2, soft - _FOR_ALL_ELSE)
