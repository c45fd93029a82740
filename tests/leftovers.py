"""Whatever a run of tests has started ends with it. The run is a child of the process that was called, to
which all that loses its own parents falls: what is there when the run is over was left behind. It is listed
and ended, and the run fails."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

import psutil
import pytest

from pavedroad.core import kernel

_SET_CHILD_SUBREAPER = 36


def run_beneath(config: pytest.Config, patience: float = 10) -> pytest.ExitCode | int | None:
    """None in the process that goes on to run the tests; in the one above it, which waits, how they ended.
    Processes that only run what they are handed are beneath already. `patience`: the seconds that what was
    started has to end after the run."""
    if hasattr(config, "workerinput"):
        return None
    kernel.prctl(_SET_CHILD_SUBREAPER, 1)
    run = os.fork()
    if not run:
        return None
    status = _ended(run)
    left = _left_behind(patience)
    if not left:
        return status
    sys.stderr.write("\n".join((f"\nLEFT BEHIND by this run, and ended now ({len(left)}):", *left, "")))
    return status or pytest.ExitCode.TESTS_FAILED


def _ended(run: int) -> int:
    """The run's status; meanwhile whatever falls to us is buried. Who stops us stops the run."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(run, number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's reaches the run as well
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    while True:
        process, status = os.wait()
        if process == run:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _left_behind(patience: float) -> list[str]:
    """What does not end by itself, each with its command."""
    deadline = time.monotonic() + patience
    while _some_are_left() and time.monotonic() < deadline:
        time.sleep(0.05)
    left: dict[int, str] = {}
    while _some_are_left():
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                left.setdefault(process.pid, f"{process.pid} {' '.join(process.cmdline())}")
                process.kill()
        time.sleep(0.05)
    return list(left.values())


def _some_are_left() -> bool:
    """Once those that have ended are buried."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    return False
