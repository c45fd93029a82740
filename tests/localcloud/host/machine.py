"""A real host process for tests, spoken to as the API process does, and what /proc says of it."""

from __future__ import annotations

import base64
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from pavedroad.localcloud.host.sweep import ROOT_VARIABLE
from pavedroad.localcloud.measured import GuestMeasure, Measurements
from pavedroad.localcloud.wanted import (
    WIRE,
    Actual,
    Guest,
    GuestImage,
    GuestStatus,
    Layer,
    Limits,
    Wanted,
    WantedChange,
)
from tests.waiting import eventually

ENDPOINT = "http://127.0.0.1:4566"
_NUMBERS = itertools.count(1)


def guest(
    command: str = "",
    *,
    boot: int = 1,
    user_data: str = "",
    stop_seconds: int = 2,
    layers: tuple[Layer, ...] = (),
    environment: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    require_token: bool = False,
    limits: Limits | None = None,
) -> Guest:
    """A guest of its own id and address."""
    number = next(_NUMBERS)
    guest_id = f"i-{os.getpid():08x}{number:09x}"
    return Guest(
        id=guest_id,
        boot=boot,
        region="us-east-1",
        zone="us-east-1a",
        address=f"127.{random.randint(64, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}",
        image=GuestImage("ami-test", layers, command, environment or {}, stop_seconds),
        user_data=base64.b64encode(user_data.encode()).decode(),
        instance_type="t3.micro",
        environment={},
        metadata={"meta-data/instance-id": guest_id, **(metadata or {})},
        require_token=require_token,
        limits=limits,
    )


class Machine:
    """One host process, with the guests that a test asks of it."""

    def __init__(self, home: Path, *options: str, prefix: tuple[str, ...] = ()) -> None:
        self.home = home
        self.guests: dict[str, Guest] = {}
        self._sockets = tempfile.TemporaryDirectory(prefix="paved-", dir="/tmp")
        folder = Path(self._sockets.name)
        folder.chmod(0o777)
        self._log = (folder / "log").open("wb")
        command = [sys.executable, "-m", "pavedroad.localcloud.host", "--home", str(home)]
        self.process = subprocess.Popen(
            [*prefix, *command, "--socket", str(folder / "host"), "--endpoint", ENDPOINT, *options],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.socket = folder / "host"
        transport = httpx.HTTPTransport(uds=str(self.socket))
        self.http = httpx.Client(transport=transport, base_url="http://host", timeout=60)
        eventually(self._answers, within=60)
        self.epoch: str = self.http.get("/healthz").json()["epoch"]
        self._revision = 1
        self._put()

    def want(self, *guests: Guest) -> None:
        """These besides what is wanted already."""
        self._patch({guest.id: guest for guest in guests})

    def drop(self, *guests: Guest) -> None:
        """No longer these."""
        self._patch({guest.id: None for guest in guests})

    def actual(self) -> Actual:
        return WIRE.loads(Actual, self.http.get("/actual").content)

    def status(self, guest: Guest) -> GuestStatus:
        return next(it for it in self.actual().guests if it.id == guest.id)

    def ended(self, guest: Guest, *, boot: int = 1, within: float = 40) -> GuestStatus:
        """The guest's status once it has ended."""

        def over() -> GuestStatus | None:
            status = self.status(guest)
            return status if status.boot == boot and status.state in ("exited", "failed") else None

        status = eventually(over, within=within)
        assert status
        return status

    def running(self, guest: Guest, *, boot: int = 1) -> GuestStatus:
        def runs() -> GuestStatus | None:
            status = self.status(guest)
            return status if (status.state, status.boot) == ("running", boot) else None

        status = eventually(runs, within=40)
        assert status
        return status

    def console(self, guest: Guest) -> str:
        return self.http.get(f"/guests/{guest.id}/console").content.decode(errors="replace")

    def printed(self, guest: Guest, text: str) -> str:
        """The console once it holds this text."""

        def shown() -> str:
            console = self.console(guest)
            return console if text in console else ""

        return eventually(shown, within=120)

    def measurements(self, since: float = 0.0) -> Measurements:
        return WIRE.loads(Measurements, self.http.get("/measurements", params={"since": since}).content)

    def measured(self, guest: Guest) -> GuestMeasure:
        """The newest word on what the guest has used."""
        return [it for it in self.measurements().guests if it.id == guest.id][-1]

    def shims(self, guest: Guest) -> list[int]:
        """The supervisors of this guest's processes."""
        return [
            pid for pid in processes_named("paved-guest") if pid in parents_of(processes_of(self.home, guest))
        ]

    @property
    def nursery(self) -> int:
        """The nursery's pid."""
        return eventually(
            lambda: next((it for it in processes_named("paved-nursery") if parent(it) == self.process.pid), 0)
        )

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(40)
        finally:
            self.process.kill()
            self.http.close()
            self._log.close()
            self._sockets.cleanup()

    def log(self) -> str:
        return Path(self._log.name).read_text()

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log()
        try:
            return self.http.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def _put(self) -> None:
        wanted = Wanted(self._revision, tuple(self.guests.values()), (), ())
        self.http.put("/wanted", content=WIRE.dumps(wanted)).raise_for_status()

    def _patch(self, guests: dict[str, Any]) -> None:
        self._revision += 1
        change = WantedChange(self.epoch, self._revision, guests)
        self.http.patch("/wanted", content=WIRE.dumps(change)).raise_for_status()


def processes_of(home: Path, guest: Guest | None = None) -> list[int]:
    """All live processes of a guest, or of all guests of this home, whatever their parents and sessions."""
    folder = str(home / "instances" / guest.id) if guest else str(home / "instances")
    marker = f"{ROOT_VARIABLE}={folder}/".encode()
    found: list[int] = []
    for pid in _pids():
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(variable.startswith(marker) for variable in variables):
            found.append(pid)
    return found


def processes_named(name: str) -> list[int]:
    found: list[int] = []
    for pid in _pids():
        try:
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                found.append(pid)
        except OSError:
            continue
    return found


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def parents_of(pids: list[int]) -> set[int]:
    return {parent(pid) for pid in pids}


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _pids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
