"""Envoy as a child process: started, started again when it dies, and never left behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pavedroad.core.errors import Unavailable
from pavedroad.localcloud.envoy.binary import envoy_program
from pavedroad.localcloud.envoy.bootstrap import Sockets, bootstrap
from pavedroad.localcloud.envoy.log import BoundedLog

# Runs between fork and Envoy: dies with its parent however that ends, and may hold many connections.
_LAUNCH = """
import ctypes, os, resource, signal, sys
ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]): os._exit(0)
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
os.execv(sys.argv[2], sys.argv[2:])
"""
_STEADY_SECONDS = 10.0
_LONGEST_PAUSE = 5.0
_STOP_SECONDS = 3.0
_DRAIN_SECONDS = 10


class EnvoyProcess:
    """`changed` is called when it ends or cannot start; `trouble` says why it did the last time."""

    def __init__(self, sockets: Sockets, log: Path, changed: Callable[[], None]) -> None:
        self._sockets = sockets
        with suppress(OSError):  # Without a log the balancers still work.
            log.parent.mkdir(parents=True, exist_ok=True)
        self._log = BoundedLog(log)
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._starts = 0
        self.trouble = ""

    @property
    def run(self) -> str:
        """Another one for each start; empty while it does not run."""
        return f"{self._process.pid}-{self._starts}" if self._process else ""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._supervision = asyncio.create_task(self._supervise(), name="envoy")

    async def close(self) -> None:
        if self._supervision is None:
            return
        self._supervision.cancel()
        with suppress(asyncio.CancelledError):
            await self._supervision
        self._supervision = None

    async def _supervise(self) -> None:
        pause = 0.0
        while True:
            began = time.monotonic()
            try:
                await self._run_once()
            except Unavailable as error:
                self._say(f"{error.sentence} {error.next_step}.")
            except OSError as error:
                self._say(f"Envoy could not be started: {error.strerror or error}.")
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = 0.0
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, max(0.1, pause * 2))

    async def _run_once(self) -> None:
        process = await self._spawn()
        self._process = process
        self._starts += 1
        try:
            await self._log.copy(process.stderr)
            status = await process.wait()
            how = f"was killed by signal {-status}" if status < 0 else f"exited with status {status}"
            last = f": {self._log.last_line}" if status > 0 and self._log.last_line else ""
            self._say(f"Envoy {how}{last}; it is being started again.")
        finally:
            self._process = None
            await _stop(process)

    async def _spawn(self) -> asyncio.subprocess.Process:
        program = envoy_program()
        self._sockets.bootstrap.write_text(json.dumps(bootstrap(self._sockets)))
        with suppress(FileNotFoundError):
            self._sockets.admin.unlink()
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), str(program)),
            *("--config-path", str(self._sockets.bootstrap)),
            *("--concurrency", str(min(4, max(2, os.cpu_count() or 2)))),
            "--disable-hot-restart",
            *("--drain-time-s", str(_DRAIN_SECONDS), "--drain-strategy", "immediate"),
            *("--log-level", "warning", "--component-log-level", "misc:error"),
            "--log-format",
            "%Y-%m-%dT%T.%e %l %n %v",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
