"""A program on a leash: `WALLS PROGRAM ARGUMENT...`, all of it in argv.

Runs the program in a process group of its own, and ends it with all that it started once it has ended, or
when standard input closes, which it does however the process that holds its other end goes. `WALLS` is JSON:
what the program may read and change, and whose it is; `null` for one of ours, which nothing holds. Imports
little: it starts at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from pavedroad.core import capabilities, confinement, kernel, seclusion
from pavedroad.core.confinement import Walls

_ADOPT_ORPHANS = 36


def main() -> None:
    """Entry point of the isolated interpreter."""
    said, *arguments = sys.argv[1:]
    os.umask(0o022)
    try:
        if (given := json.loads(said)) is not None:
            walls = Walls(tuple(given["readable"]), tuple(given["writable"]))
            _wall_in(walls, given["user"], secluded=given["secluded"])
    except OSError as error:
        sys.exit(f"No walls could be put around {arguments[0]}: {error.strerror}")
    sys.exit(_run(arguments))


def _wall_in(walls: Walls, user: int | None, *, secluded: bool) -> None:
    if user is not None:
        for folder in walls.writable:
            seclusion.hand_over(folder, user)
    if secluded:
        if user is None:
            capabilities.leave_users()
        here = os.getcwd()  # noqa: PTH109
        seclusion.seclude(os.environ["TMPDIR"], walls.readable, walls.writable)
        os.chdir(here)  # the same path, where it is shown
        walls = seclusion.with_own_temporary(walls)
    if user is not None:
        capabilities.become(user)
    elif secluded or (os.geteuid() == 0 and confinement.wanted()):
        capabilities.give_up()
    confinement.confine(walls)


def _run(arguments: list[str]) -> int:
    kernel.prctl(_ADOPT_ORPHANS, 1)
    try:
        child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"{arguments[0]}: {error.strerror}\n")
        return 127

    def hold() -> None:
        while os.read(0, 1):
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)

    threading.Thread(target=hold, daemon=True).start()
    status = child.wait()
    _end_rest()
    return status if status >= 0 else 128 - status


def _end_rest() -> None:
    """What the program left behind, in whatever group: it has become ours, some by some."""
    while left := _children():
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    found: list[int] = []
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found += map(int, (thread / "children").read_text().split())
    return found
