"""Child processes that never outlive us, not even when we are killed with -9."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from pavedroad.core import kernel


def die_with_parent() -> Callable[[], None]:
    """A `preexec_fn` that asks the kernel to kill the child when the calling thread's process dies."""
    parent = os.getpid()

    def ask() -> None:
        kernel.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask
