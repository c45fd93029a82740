"""A program on a leash: `WALLS PROGRAM ARGUMENT...`, all of it in argv.

Runs the program in a process group of its own, and ends the whole group when standard input closes, which
it does however the process that holds its other end goes. `WALLS` is JSON: what the program may read and
change, and whose it is; `null` for one of ours, which nothing holds. Imports little: it starts at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading

from pavedroad.core import capabilities, confinement, seclusion
from pavedroad.core.confinement import Walls


def main() -> None:
    """Entry point of the isolated interpreter."""
    walls, *arguments = sys.argv[1:]
    os.umask(0o022)
    try:
        if (given := json.loads(walls)) is not None:
            _wall_in(Walls(tuple(given["readable"]), tuple(given["writable"])), given["user"])
    except OSError as error:
        sys.exit(f"No walls could be put around {arguments[0]}: {error.strerror}")
    sys.exit(_run(arguments))


def _wall_in(walls: Walls, user: int | None) -> None:
    if user is not None:
        for folder in walls.writable:
            seclusion.hand_over(folder, user)
        seclusion.seclude(os.environ["TMPDIR"], (*walls.readable, *walls.writable))
        walls = walls._replace(writable=(*walls.writable, "/tmp"))  # noqa: S108 - its own
        os.chdir(os.getcwd())  # noqa: PTH109 - the same path, where it is shown
        capabilities.become(user)
    elif os.geteuid() == 0 and confinement.wanted():
        capabilities.give_up()
    confinement.confine(walls)


def _run(arguments: list[str]) -> int:
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
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)  # what the program left behind in its group
    return status if status >= 0 else 128 - status
