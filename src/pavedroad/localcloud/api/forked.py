"""Work on a copy of this process, as it is at this moment, while the process goes on."""

from __future__ import annotations

import gc
import os
import select
import signal
from collections.abc import Callable

from pavedroad.core import kernel


def forked(work: Callable[[], None], limit_seconds: float | None = None) -> Callable[[], None]:
    """Start `work` in a forked child; what is given waits for it, and raises `OSError` where it failed, or
    had to be killed because it took longer than the limit.

    The child has one thread alone: `work` must take no lock that another thread may have held. It keeps no
    connection open that this process closes meanwhile, and dies with the thread that forked it.
    """
    reading, writing = os.pipe()
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if pid == 0:
        _live_and_die(work, writing, parent)
    os.close(writing)

    def finish() -> None:
        with os.fdopen(reading) as said:
            in_time = _is_heard(reading, limit_seconds)
            if not in_time:
                os.kill(pid, signal.SIGKILL)
            trouble = said.read()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status != 0:
            late = "" if in_time else f"it took longer than {limit_seconds:g} seconds"
            raise OSError(late or trouble.strip() or f"the writing process ended with {status}")

    return finish


def _is_heard(descriptor: int, seconds: float | None) -> bool:
    """Whether it speaks, or ends, by then. Not by `select`, which knows no descriptor over 1023."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def _live_and_die(work: Callable[[], None], writing: int, parent: int) -> None:
    status = 1
    try:
        kernel.die_with_parent(signal.SIGKILL)
        if os.getppid() == parent:
            gc.disable()  # it would look at, and so copy, all that the two have in common
            os.closerange(3, writing)
            os.closerange(writing + 1, os.sysconf("SC_OPEN_MAX"))
            work()
            status = 0
    except BaseException as error:
        os.write(writing, f"{type(error).__name__}: {error}".encode()[:4096])
    finally:
        os._exit(status)
