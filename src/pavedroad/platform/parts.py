"""One process under supervision: started, watched until ready, started again when it dies, stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil

from pavedroad.core.errors import StateUnreadable, Unavailable
from pavedroad.platform.children import die_with_parent
from pavedroad.platform.logs import BoundedLog
from pavedroad.platform.running import PartState, PartView

_CHUNK = 65_536
_PROBE_EVERY = 0.05
_PROBE_SECONDS = 5.0
_LONGEST_PAUSE = 5.0
_STEADY_SECONDS = 30.0
_REFUSED = range(3, 9)
"""Exit statuses of a part that will not start, with its reason as its last line."""
_UNREADABLE = 8
"""Of one whose saved state does not load: started again, it would not either."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PartSpec:
    """What to run, and the address that answers below 400 once it is ready."""

    name: str
    argv: tuple[str, ...]
    address: str
    ready_path: str
    environment: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Besides our own; None takes a variable away."""
    ready_seconds: float = 60.0
    stop_seconds: float = 45.0


class Part:
    """Keeps one process. `changed` is called whenever its view has."""

    def __init__(self, spec: PartSpec, log: BoundedLog, changed: Callable[[], None]) -> None:
        self.spec = spec
        self._log = log
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._state: PartState = "starting"
        self._restarts = 0
        self._reason = ""
        self._stopping = False
        self._pumping: asyncio.Task[None] | None = None
        self._unstarted = ""

    @property
    def view(self) -> PartView:
        pid = self._process.pid if self._process and self._process.returncode is None else None
        return PartView(self.spec.name, self.spec.address, self._state, pid, self._restarts, self._reason)

    async def start(self) -> None:
        """Start and wait until ready; `Unavailable` says why it did not come up."""
        await self._spawn()
        await self._until_ready()

    async def keep(self) -> None:
        """Start it again whenever it dies, at once the first time, then with growing pauses; but not where
        what it has saved does not load."""
        pause = 0.0
        while True:
            since = time.monotonic()
            await self._ended()
            if self._stopping:
                return
            if self._is_unreadable:
                self._turn("refused", self._why_ended())
                logger.error("%s: %s", self.spec.name, self._reason)
                return
            pause = (
                0.0 if time.monotonic() - since > _STEADY_SECONDS else min(pause * 2 + 0.2, _LONGEST_PAUSE)
            )
            self._restarts += 1
            self._turn("restarting", self._why_ended())
            logger.warning("%s: %s; starting it again", self.spec.name, self._reason)
            await asyncio.sleep(pause)
            try:
                await self.start()
            except Unavailable as error:
                self._turn("restarting", error.sentence)
                await self._kill_tree()

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL to it and all below it when it takes too long."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._turn("stopping", "")
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self.spec.stop_seconds):
                await self._ended()
        except TimeoutError:
            logger.warning("%s did not stop in %s s: killed", self.spec.name, self.spec.stop_seconds)
            await self._kill_tree()

    async def _spawn(self) -> None:
        if self._stopping:
            return
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.spec.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,  # a Ctrl-C in the terminal is ours to hear, not the children's
                preexec_fn=die_with_parent(),
            )
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            # No program for a moment, or no process, memory, file or thread left: all of these pass.
            self._process, self._unstarted = None, f"it cannot be started: {error}"
            raise Unavailable(
                f"The {self.spec.name} cannot be started: {error}.", next_step="See what is missing, or full."
            ) from error
        self._unstarted = ""
        self._pumping = asyncio.create_task(self._pump(self._process))
        self._changed()

    def _environment(self) -> dict[str, str]:
        wanted: dict[str, str | None] = {**os.environ, **self.spec.environment}
        return {name: value for name, value in wanted.items() if value is not None}

    async def _pump(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        while chunk := await process.stdout.read(_CHUNK):
            self._log.write(chunk)

    async def _until_ready(self) -> None:
        deadline = time.monotonic() + self.spec.ready_seconds
        while not self._stopping:
            if self._process is None or self._process.returncode is not None:
                await self._ended()
                if self._is_unreadable:
                    raise StateUnreadable(f"{self._why_ended()}.")
                raise Unavailable(
                    f"The {self.spec.name} did not start: {self._why_ended()}.",
                    next_step=f"Read {self._log.path}.",
                )
            with suppress(OSError, ValueError, TimeoutError):
                async with asyncio.timeout(_PROBE_SECONDS):
                    if await _status(self.spec.address, self.spec.ready_path) < 400:
                        self._turn("ready", "")
                        return
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The {self.spec.name} was not ready within {self.spec.ready_seconds:.0f} s.",
                    next_step=f"Read {self._log.path}.",
                )
            await asyncio.sleep(_PROBE_EVERY)

    async def _ended(self) -> None:
        if self._process:
            await self._process.wait()
        if self._pumping:
            with suppress(TimeoutError):  # a grandchild may still hold the pipe
                async with asyncio.timeout(1):
                    await asyncio.shield(self._pumping)

    async def _kill_tree(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        with suppress(ProcessLookupError):
            process.kill()
        await self._ended()

    @property
    def _is_unreadable(self) -> bool:
        return self._process is not None and self._process.returncode == _UNREADABLE

    def _why_ended(self) -> str:
        if self._unstarted:
            return self._unstarted
        status = self._process.returncode if self._process else None
        how = (
            f"killed by signal {-status}"
            if status is not None and status < 0
            else f"exited with status {status}"
        )
        last = self._log.tail[-1].strip() if self._log.tail else ""
        if status in _REFUSED and last:
            return last.rstrip(".")
        return f"{how}: {last}".rstrip(".: ") if last else how

    def _turn(self, state: PartState, reason: str) -> None:
        self._state = state
        self._reason = reason
        self._changed()


async def _status(address: str, path: str) -> int:
    """The status of a GET. By hand: an HTTP client takes longer to import than all else here."""
    place = urlsplit(address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode())
        _, status, *_ = (await reader.readline()).split()
    finally:
        writer.close()
    return int(status)
