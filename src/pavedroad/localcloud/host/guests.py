"""Guests as they should be, made true: boots, stops, reboots, and remembers how each ended."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from pavedroad.core.confinement import SYSTEM_PATH, let_through
from pavedroad.core.seclusion import Way, user_of
from pavedroad.localcloud.faults.clocks import skewed
from pavedroad.localcloud.host.faults.afflicted import IN_PROCESSES
from pavedroad.localcloud.host.faults.network import Trouble
from pavedroad.localcloud.host.images import ImageFailed, ImageStore
from pavedroad.localcloud.host.imds import GatewayImds, Imds
from pavedroad.localcloud.host.metadata import user_data
from pavedroad.localcloud.host.meter import Meter
from pavedroad.localcloud.host.network.namespaces import Namespaces
from pavedroad.localcloud.host.nursery.console import tail
from pavedroad.localcloud.host.nursery.messages import Boot, Ended, Running
from pavedroad.localcloud.host.nursery.walls import TEMPORARY
from pavedroad.localcloud.host.pace import Pace
from pavedroad.localcloud.host.supervision import Life, Supervision
from pavedroad.localcloud.host.sweep import ROOT_VARIABLE
from pavedroad.localcloud.wanted import Affliction, Guest, GuestStatus

CONSOLE_BYTES = 64 * 1024
_FORGET_SECONDS = 600.0
"""In which what a terminated guest printed, and how it ended, can still be read."""
_DISK_SECONDS = 3.0
"""After which a terminated guest's disk goes."""
_BARE_STOP_SECONDS = 5
_PROGRAM_FOLDERS = (".venv/bin", "node_modules/.bin", "bin")
_LET_THROUGH = (
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "AWS_CA_BUNDLE",
)


class _Run:
    """One guest: what is wanted of it now, and what it is."""

    def __init__(self, guest: Guest) -> None:
        self.wanted: Guest | None = guest
        self.guest = guest
        """What the current boot was made of."""
        self.status = _starting(guest) if guest.running else _stopped(guest)
        self.life: Life | None = None
        self.afflictions: tuple[Affliction, ...] = ()
        """What its supervisor was told of."""
        self.preparing: asyncio.Task[None] | None = None
        self.leaving: tuple[asyncio.TimerHandle, ...] = ()
        """While nobody wants it: when its disk goes, and when the rest of it is forgotten."""

    @property
    def is_over(self) -> bool:
        return self.status.state in ("exited", "failed")


class Guests:
    """Level-triggered: whoever calls `want` says all, `change` some; the difference is closed from there."""

    def __init__(
        self,
        home: Path,
        endpoint: str,
        supervision: Supervision,
        meter: Meter,
        *,
        changed: Callable[[str], None],
        forgotten: Callable[[str], None],
        gone: Callable[[str], None],
        network: Namespaces | None = None,
        forget_seconds: float = _FORGET_SECONDS,
        disk_seconds: float = _DISK_SECONDS,
        seclusion: Way = "none",
        binds: bool = False,
    ) -> None:
        self._instances = home / "instances"
        self._instances.mkdir(parents=True, exist_ok=True)
        self._endpoint = endpoint
        self._supervision = supervision
        self._meter = meter
        self._images = ImageStore(home / "images")
        self._network = network
        """None where guests share the machine's."""
        self._seclusion: Way = seclusion
        self._binds = binds
        """Whether guests that listen at every address listen at their own."""
        self._imds = GatewayImds(network.gateway, network.metadata_url) if network else Imds()
        self._boots = Pace()
        self._stops = Pace()
        self._changed = changed
        self._forgotten = forgotten
        self._gone = gone
        self._forget_seconds = forget_seconds
        self._disk_seconds = disk_seconds
        self._runs: dict[str, _Run] = {}
        self._cleaning: set[asyncio.Task[None]] = set()
        self._all_over = asyncio.Event()

    def want(self, guests: tuple[Guest, ...]) -> None:
        """These and no others."""
        wanted = {guest.id: guest for guest in guests}
        self.change({**dict.fromkeys(self._runs, None), **wanted})
        for folder in self._instances.iterdir():
            if folder.name not in self._runs:  # of a guest that ended for good while no host ran
                asyncio.get_running_loop().call_later(self._disk_seconds, self._remove, folder.name)

    def change(self, guests: Mapping[str, Guest | None]) -> None:
        """These as said, None for no longer wanted; the others as they are."""
        for guest_id, guest in guests.items():
            run = self._runs.get(guest_id)
            if run is None:
                if guest is not None:
                    self._runs[guest_id] = run = _Run(guest)
                    if guest.running:
                        self._boot(run, guest)
                    else:
                        self._changed(guest_id)
                continue
            run.wanted = guest
            self._close_difference(run)

    def statuses(self) -> dict[str, GuestStatus]:
        return {guest_id: run.status for guest_id, run in self._runs.items()}

    def network_troubles(self) -> dict[str, Trouble]:
        """By address, where the network is made to fail."""
        return {
            run.wanted.address: trouble
            for run in self._runs.values()
            if run.wanted and run.wanted.afflictions and (trouble := Trouble.of(run.wanted.afflictions))
        }

    async def console(self, guest_id: str) -> bytes | None:
        """The last of what it printed; None for a guest that is not known."""
        if guest_id not in self._runs:
            return None
        return await asyncio.to_thread(tail, str(self._instances / guest_id), CONSOLE_BYTES)

    async def layer(self, guest_id: str) -> str | None:
        """A new layer of its disk, as it is now: the digest. None for a guest that has no disk here."""
        run, root = self._runs.get(guest_id), self._instances / guest_id / "root"
        if run is None or not root.is_dir():
            return None
        return await self._images.pack(root, run.guest.image)

    async def collect_images(self) -> None:
        """Remove unpacked layers that no disk here is made of."""
        await self._images.collect(self._layers_in_use)

    def _layers_in_use(self) -> set[str]:
        kept = [run for run in self._runs.values() if run.wanted is not None or not run.is_over]
        images = [guest.image for run in kept for guest in (run.guest, run.wanted) if guest is not None]
        return {layer.digest.removeprefix("sha256:") for image in images for layer in image.layers}

    async def stop_all(self, grace: float) -> None:
        """Stop every guest, waiting for them; none waits longer than `grace`. Their disks stay."""
        for run in self._runs.values():
            run.wanted = replace(run.guest, running=False)
            self._stay(run)
            self._stop(run, min(grace, run.guest.image.stop_seconds))
        deadline = time.monotonic() + grace + 5
        while any(not run.is_over for run in self._runs.values()) and time.monotonic() < deadline:
            self._all_over.clear()
            try:
                await asyncio.wait_for(self._all_over.wait(), 0.5)
            except TimeoutError:
                continue
        self._imds.close_all()

    def _close_difference(self, run: _Run) -> None:
        wanted = run.wanted
        if wanted is not None:
            self._stay(run)
        if wanted is None or not wanted.running:
            failed = wanted is not None and wanted.failed
            self._stop(run, None if failed else run.guest.image.stop_seconds)
        elif wanted.boot > run.guest.boot:
            if run.is_over:
                self._boot(run, wanted)
            else:
                self._stop(run, run.guest.image.stop_seconds)
        else:
            self._imds.update(wanted)
            self._afflict(run)

    def _boot(self, run: _Run, guest: Guest) -> None:
        if guest.address != run.guest.address:
            self._imds.close(guest.id)
        run.guest = guest
        run.life = None
        run.afflictions = ()
        self._say(run, _starting(guest))
        run.preparing = asyncio.create_task(self._hand_over(run, guest))
        run.preparing.add_done_callback(lambda task: self._handed_over(run, task))

    async def _hand_over(self, run: _Run, guest: Guest) -> None:
        """All that comes before the nursery has it."""
        parts = await self._images.parts(guest.image)
        await self._boots.turn()
        space = await self._network.open(guest.address) if self._network else None
        url = await self._imds.open(guest)
        folder = self._instances / guest.id
        folder.mkdir(mode=0o700, exist_ok=True)
        script = user_data(guest)
        hold = self._meter.limiter.hold(guest)
        boot = Boot(
            key=f"{guest.id}#{guest.boot}",
            folder=str(folder),
            parts=parts,
            command=guest.image.command,
            script=script.decode(errors="replace") if script.startswith(b"#!") else "",
            environment=self._environment(guest, folder, url),
            bounds=hold.bounds,
            cage=hold.cage,
            ordinary=self._network is not None and self._network.is_annex,
            user=user_of(guest.address) if self._seclusion == "users" else None,
            secluded=self._seclusion != "none",
            listens=guest.address if self._binds else "",
            readable=let_through(os.environ),
        )
        life = Life(lambda running: self._running(run, running), lambda ended: self._ended(run, ended))
        await self._supervision.boot(boot, life, space)
        run.life = life

    def _handed_over(self, run: _Run, task: asyncio.Task[None]) -> None:
        run.preparing = None
        if task.cancelled():
            self._ended(run, Ended(False, None, "stopped before it started"))
        elif (error := task.exception()) is not None:
            self._ended(run, Ended(True, None, f"could not start: {_sentence(error)}"))
        elif run.status.state == "stopping":
            self._send_stop(run, run.guest.image.stop_seconds)
        else:
            self._afflict(run)

    def _afflict(self, run: _Run) -> None:
        """Tell its supervisor what is made to fail in its processes."""
        asked = run.wanted.afflictions if run.wanted is not None else ()
        wanted = tuple(it for it in asked if it.ailment in IN_PROCESSES)
        if run.life is not None and wanted != run.afflictions:
            run.afflictions = wanted
            run.life.afflict(wanted)

    def _environment(self, guest: Guest, folder: Path, metadata_url: str) -> dict[str, str]:
        """Of our own, languages and certificates. Programs of the image come before the system's."""
        root = str(folder / "root")
        ours = {name: os.environ[name] for name in _LET_THROUGH if name in os.environ}
        programs = [f"{root}/{folder}" for folder in _PROGRAM_FOLDERS]
        environment = {
            **ours,
            "PATH": ":".join([*programs, SYSTEM_PATH]),
            "HOME": root,
            "TMPDIR": str(folder / TEMPORARY),
            "HOST": guest.address,
            "PAVED_INSTANCE_ID": guest.id,
            "AWS_REGION": guest.region,
            "AWS_DEFAULT_REGION": guest.region,
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata_url,
            **guest.image.environment,
            **guest.environment,
            ROOT_VARIABLE: root,
        }
        off = sum(it.numbers.get("offset_seconds", 0) for it in guest.afflictions if it.ailment == "clock")
        return skewed(environment, off) if off else environment

    def _stop(self, run: _Run, grace: float | None) -> None:
        """Without a grace, its machine fails."""
        if run.is_over:
            self._leave(run)
            return
        if run.status.state != "stopping":
            self._say(run, replace(run.status, state="stopping"))
        if run.preparing is not None:
            run.preparing.cancel()
        elif grace is not None:
            self._send_stop(run, grace)
        elif run.life is not None:
            run.life.fail()

    def _send_stop(self, run: _Run, grace: float) -> None:
        if run.life is not None:
            bare = not run.guest.image.command
            seconds = min(grace, _BARE_STOP_SECONDS) if bare else grace
            self._stops.then(partial(run.life.stop, seconds))

    def _running(self, run: _Run, running: Running) -> None:
        self._meter.limiter.supervised(run.guest.id, running.shim)
        if run.status.state == "starting":
            self._say(run, replace(run.status, state="running", pid=running.pid, started_at=time.time()))
        elif run.status.state == "running":
            self._say(run, replace(run.status, pid=running.pid))

    def _ended(self, run: _Run, ended: Ended) -> None:
        run.life = None
        self._meter.ended(run.guest, ended)
        if self._network is not None:
            self._network.shut(run.guest.address)
        self._say(
            run,
            replace(
                run.status,
                state="failed" if ended.failed else "exited",
                pid=None,
                ended_at=time.time(),
                exit_status=ended.status,
                reason=ended.reason,
            ),
        )
        self._gone(run.guest.address)
        self._all_over.set()
        if run.wanted is None or not run.wanted.running:
            self._leave(run)
        elif run.wanted.boot > run.guest.boot:
            self._boot(run, run.wanted)

    def _say(self, run: _Run, status: GuestStatus) -> None:
        run.status = status
        self._changed(status.id)

    def _leave(self, run: _Run) -> None:
        """It is over, and not to boot again soon or ever."""
        self._imds.close(run.guest.id)
        if run.wanted is not None and run.wanted.boot != run.guest.boot:
            # Whoever wants it has lost count: its next boot is one over what it wants now.
            self._say(run, replace(run.status, boot=run.wanted.boot))
            run.guest = run.wanted
        if run.wanted is None and not run.leaving:
            later = asyncio.get_running_loop().call_later
            run.leaving = (
                later(self._disk_seconds, self._clear, self._instances / run.guest.id / "root"),
                later(self._forget_seconds, self._forget, run),
            )

    def _stay(self, run: _Run) -> None:
        """It is wanted (again)."""
        for leaving in run.leaving:
            leaving.cancel()
        run.leaving = ()

    def _forget(self, run: _Run) -> None:
        guest_id = run.guest.id
        if run.wanted is None and self._runs.get(guest_id) is run:
            del self._runs[guest_id]
            self._forgotten(guest_id)
            self._remove(guest_id)

    def _remove(self, guest_id: str) -> None:
        """All that it left, unless it is known (again) by now."""
        if guest_id not in self._runs:
            self._clear(self._instances / guest_id)

    def _clear(self, folder: Path) -> None:
        if folder.exists():
            # Moved aside first: its guest may come back meanwhile.
            folder = folder.rename(self._instances / f".removing-{secrets.token_hex(8)}")
            task = asyncio.create_task(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
            self._cleaning.add(task)
            task.add_done_callback(self._cleaning.discard)


def _starting(guest: Guest) -> GuestStatus:
    return GuestStatus(guest.id, guest.boot, "starting", None, None, None, None, "")


def _stopped(guest: Guest) -> GuestStatus:
    return replace(_starting(guest), state="exited", reason="stopped")


def _sentence(error: BaseException) -> str:
    if isinstance(error, ImageFailed):
        return error.sentence
    if isinstance(error, OSError):
        subject = f": '{error.filename}'" if error.filename else ""
        return f"{error.strerror or error}{subject}"
    return f"{type(error).__name__}: {error}"
