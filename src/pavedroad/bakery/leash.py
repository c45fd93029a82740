"""A program on a leash: `python leash.py PROGRAM ARGUMENT...`.

Runs the program in a process group of its own, and ends the whole group when standard input closes, which
it does however the process that holds its other end goes. Imports nothing of ours: it starts at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    try:
        child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"{sys.argv[1]}: {error.strerror}\n")
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


if __name__ == "__main__":
    sys.exit(main())
