"""What is made to fail in one guest, in its supervisor: hung processes, and burdens that run among them."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pavedroad.localcloud.host.nursery import tree
from pavedroad.localcloud.host.nursery.launch import NotStartedError

BURDENS = ("cpu", "memory", "disk")
IN_PROCESSES = ("hung", *BURDENS)
"""The ailments that are a supervisor's; the others are the host's."""
_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "burden.py")
_QUIET_LOOKS = 3
_PAUSE = 0.01


class Afflicted:
    """Level-triggered: `have` says all there is to be. `start` starts a process in the guest, `note` writes
    to its console."""

    def __init__(self, start: Callable[[list[str]], int], note: Callable[[str], None]) -> None:
        self._start = start
        self._note = note
        self._burdens: dict[str, tuple[str, int]] = {}
        """By the fault's id: what was asked, and the process."""
        self._hung = False

    def have(self, wanted: list[list[Any]]) -> None:
        """Of each its id, its ailment and its numbers."""
        burdens = {key: f"{kind} {json.dumps(numbers)}" for key, kind, numbers in wanted if kind in BURDENS}
        for key, (asked, pid) in tuple(self._burdens.items()):
            if burdens.get(key) != asked:
                tree.send([pid, *tree.descendants(pid)], signal.SIGKILL)
                del self._burdens[key]
        for key, asked in burdens.items():
            if key not in self._burdens:
                self._burden(key, asked)
        self._hang(hung=any(kind == "hung" for _, kind, _ in wanted))

    def _burden(self, key: str, asked: str) -> None:
        kind, _, numbers = asked.partition(" ")
        try:
            pid = self._start([sys.executable, "-I", "-S", _PROGRAM, kind, numbers])
        except (NotStartedError, OSError) as error:
            self._note(f"the fault {key} could not take its {kind}: {error}")
            return
        self._burdens[key] = (asked, pid)

    def _hang(self, *, hung: bool) -> None:
        """A process that is just being born may be missed: looked for until looks find no new one."""
        if hung:
            stopped: set[int] = set()
            quiet = 0
            while quiet < _QUIET_LOOKS:
                running = [pid for pid in tree.descendants(os.getpid()) if pid not in stopped]
                tree.send(running, signal.SIGSTOP)
                stopped.update(running)
                quiet = 0 if running else quiet + 1
                time.sleep(_PAUSE)
        elif self._hung:
            with suppress(OSError):
                tree.send(tree.descendants(os.getpid()), signal.SIGCONT)
        self._hung = hung
