"""The processes that make up the private cloud: each is kept running, and ends with who started it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pavedroad.core import kernel
from pavedroad.core.errors import PavedError
from pavedroad.localcloud.unreadable import EXIT_STATUS, told

_log = logging.getLogger(__name__)
_CHUNK = 65_536
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_STEADY_SECONDS = 30.0
_FALSE_STARTS = 3
"""How often a process may end with an error before the cloud was ever ready."""


class NotReady(PavedError):
    code = "not-ready"


@dataclass(slots=True)
class Child:
    name: str
    command: Callable[[bool], Sequence[str]]
    """Whether it is the first start -> what to run."""
    descriptors: tuple[int, ...]
    enter: Callable[[], None] | None = None
    """Called in it before anything else."""
    process: asyncio.subprocess.Process | None = None

    async def keep(self, refusal: Path, is_ready: Callable[[], bool]) -> None:
        """Start it, and again when it dies, with a growing pause while it dies at once."""
        pause, first, false_starts = _SHORTEST_PAUSE, True, 0
        while True:
            began = time.monotonic()
            try:
                self.process = await asyncio.create_subprocess_exec(
                    *self.command(first),
                    stdin=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    pass_fds=self.descriptors,
                    preexec_fn=_prepare(self.enter, os.getpid()),
                    start_new_session=True,
                )
            except (OSError, subprocess.SubprocessError, RuntimeError) as error:
                # No program for a moment, or no process, memory, file or thread left: all of these pass.
                _log.error("The %s process cannot be started: %s; it is tried again.", self.name, error)
            else:
                first = False
                passing = asyncio.create_task(_pass_on(self.process))
                status = await self.process.wait()
                if status == EXIT_STATUS:
                    raise told(refusal)
                false_starts += status > 0 and not is_ready()
                if false_starts == _FALSE_STARTS:
                    raise NotReady(f"The {self.name} process ends as it starts: {await _last_line(passing)}.")
                _log.error("The %s process has ended with %s; it is started again.", self.name, status)
            steady = time.monotonic() - began > _STEADY_SECONDS
            pause = _SHORTEST_PAUSE if steady else min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def stop(self, grace: float) -> None:
        """SIGTERM, and SIGKILL after so many seconds."""
        process = self.process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            _log.warning("The %s process did not end in %.0f s; it is killed.", self.name, grace)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _pass_on(process: asyncio.subprocess.Process) -> str:
    """What it writes on stderr goes to ours; gives the end of it."""
    assert process.stderr
    end = b""
    while chunk := await process.stderr.read(_CHUNK):
        with suppress(OSError):
            os.write(2, chunk)
        end = (end + chunk)[-_CHUNK:]
    return end.decode(errors="replace")


async def _last_line(passing: asyncio.Task[str]) -> str:
    try:
        said = await asyncio.wait_for(passing, 1)  # a grandchild may still hold the pipe
    except TimeoutError:
        said = ""
    return said.strip().rpartition("\n")[2].rstrip(".") or "it says nothing"


def _prepare(enter: Callable[[], None] | None, parent: int) -> Callable[[], None]:
    """What a child does first: go where it is to live, and die with its parent."""

    def prepare() -> None:
        if enter is not None:
            enter()
        kernel.die_with_parent(signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
