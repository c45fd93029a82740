"""Starting and stopping the supervisor's process, and hearing from it while it starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from pavedroad.core.errors import Unavailable
from pavedroad.core.places import Places
from pavedroad.platform import running

_STOP_SECONDS = 90.0
_KILL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the supervisor: `part`, `ready`, `busy` or `failed`, with its data."""

    kind: str
    data: dict[str, Any]


class Supervised:
    """A supervisor that we started and hold by its leash: closing it stops everything."""

    def __init__(self, home: Path, *, cloud_only: bool, environment: dict[str, str]) -> None:
        command = [sys.executable, "-P", "-m", "pavedroad.platform.supervisor"]
        if cloud_only:
            command.append("--cloud-only")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PAVED_HOME": str(home)} | environment,  # it runs in another folder
            start_new_session=True,
            cwd="/",
        )

    def said(self) -> Iterator[Said]:
        """What it reports, until it ends."""
        assert self._process.stdout
        for line in self._process.stdout:
            with suppress(ValueError):
                data: dict[str, Any] = json.loads(line)
                yield Said(data.pop("kind"), data)

    def release(self) -> None:
        """Let it run on without us."""
        assert self._process.stdin
        with suppress(OSError):
            self._process.stdin.write(f"{running.RELEASE}\n".encode())
            self._process.stdin.close()

    def stop(self) -> int:
        """Stop everything and wait until it is gone; gives its exit status."""
        tree = _tree(self._process.pid)
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _until_gone(tree)
        return self._process.returncode

    def wait(self) -> int:
        return self._process.wait()

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None


@dataclass(frozen=True, slots=True)
class Stopped:
    """What `paved down` did: how many processes it saw end, and how many had to be killed."""

    was_running: bool
    processes: int
    killed: int
    seconds: float


def stop(places: Places) -> Stopped:
    """Stop what runs in this home; returns when every process is gone."""
    pid = running.holder(places)
    if not pid:
        running.forget(places)
        return Stopped(False, 0, 0, 0.0)
    since = time.monotonic()
    tree = _tree(pid)
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise Unavailable(
            f"Pavedroad of {places.home} runs as another user (process {pid}).",
            next_step="Stop it as that user.",
        ) from error
    killed = _until_gone(tree, seconds=_STOP_SECONDS)
    running.forget(places)
    return Stopped(True, len(tree), killed, round(time.monotonic() - since, 2))


def await_ready(places: Places, *, seconds: float = 90.0) -> running.Running:
    """The platform that another command is starting, once it is ready."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        runs = running.read(places)
        if runs and runs.ready:
            return runs
        if running.holder(places) is None:
            raise Unavailable(
                "Pavedroad was starting, but did not come up.", next_step="Try `paved up` again."
            )
        time.sleep(0.1)
    raise Unavailable(
        f"Pavedroad is not ready after {seconds:.0f} s.", next_step=f"Read the logs in {places.logs}."
    )


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _until_gone(tree: list[psutil.Process], seconds: float = _KILL_SECONDS) -> int:
    _, left = psutil.wait_procs(tree, timeout=seconds)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=_KILL_SECONDS)
    return len(left)
