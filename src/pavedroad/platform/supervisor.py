"""Starts the private cloud and the control process, keeps them up, and takes them down with it.

Run by `paved up`, which holds this process by a leash: when its stdin closes before the word `release`
came, everything stops. What happens is reported as JSON lines on stdout until then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pavedroad import __version__
from pavedroad.core import cloud_key
from pavedroad.core.cloud_key import CloudKey
from pavedroad.core.errors import PavedError, Unavailable
from pavedroad.core.places import Places
from pavedroad.platform import running
from pavedroad.platform.logs import BoundedLog
from pavedroad.platform.parts import Part, PartSpec
from pavedroad.platform.running import Running
from pavedroad.platform.settings import LOOPBACK, Settings

_LEAST_FREE = 64 * 1024 * 1024
CLOUD = "private cloud"
CONTROL = "platform"

Report = Callable[[str, dict[str, Any]], None]
logger = logging.getLogger(__name__)


def private_credentials(key: CloudKey) -> dict[str, str | None]:
    """What the platform knows the private cloud by. The user's own settings for AWS, which need not even be
    readable, are not shown to it; the certificates are the machine's."""
    of_user = (name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE")
    return dict.fromkeys(of_user) | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
    }


def specs(settings: Settings, *, cloud_only: bool) -> list[PartSpec]:
    """The processes to run, in the order in which they stop last to first. Makes the private cloud's key
    where there is none: two of them need it from their beginning."""
    found: list[PartSpec] = []
    known: dict[str, str | None] = {}
    if settings.private_cloud or cloud_only:
        known = private_credentials(cloud_key.ensure(settings.places.cloud_key))
        home = str(settings.places.cloud)
        found.append(
            PartSpec(
                CLOUD,
                (
                    sys.executable,
                    "-P",
                    "-m",
                    "pavedroad.localcloud",
                    "--home",
                    home,
                    "--port",
                    str(settings.cloud_port),
                    "--network",
                    settings.cloud_network,
                    *(("--open",) if settings.cloud_open else ()),
                ),
                f"http://{LOOPBACK}:{settings.cloud_port}",
                "/_pavedroad/health",
            )
        )
    if not cloud_only:
        found.append(
            PartSpec(
                CONTROL,
                (sys.executable, "-P", "-m", "pavedroad.platform.control"),
                settings.url,
                "/healthz",
                environment=known if settings.private_cloud else {},
                stop_seconds=20.0,
            )
        )
    return found


class Supervisor:
    """All parts of one home, from start to stop."""

    def __init__(self, settings: Settings, parts: Sequence[PartSpec], report: Report) -> None:
        self._settings = settings
        self._places = settings.places
        self._report = report
        self._stop = asyncio.Event()
        self._started_at = datetime.now(UTC)
        self._said: set[str] = set()
        self._parts = [
            Part(spec, BoundedLog(self._places.logs / f"{spec.name.replace(' ', '-')}.log"), self._changed)
            for spec in parts
        ]

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        """Until `stop`; raises what kept the parts from coming up, with everything stopped again."""
        stopping = asyncio.create_task(self._stop.wait())
        keeping: list[asyncio.Task[None]] = []
        try:
            starting = asyncio.gather(*(part.start() for part in self._parts))
            await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                starting.cancel()
                with suppress(asyncio.CancelledError):
                    await starting
                return
            starting.result()
            keeping = [asyncio.create_task(part.keep()) for part in self._parts]
            self._changed()
            self._report("ready", asdict(self.view))
            await stopping
        finally:
            stopping.cancel()
            for part in reversed(self._parts):
                await part.stop()
            for task in keeping:
                task.cancel()
            running.forget(self._places)

    @property
    def view(self) -> Running:
        addresses = {part.spec.name: part.spec.address for part in self._parts}
        views = tuple(part.view for part in self._parts)
        return Running(
            version=__version__,
            pid=os.getpid(),
            ready=all(view.state == "ready" for view in views),
            started_at=self._started_at.isoformat(),
            url=addresses.get(CONTROL, ""),
            endpoint=addresses.get(CLOUD, self._settings.endpoint or ""),
            region=self._settings.region,
            parts=views,
        )

    def _changed(self) -> None:
        with suppress(OSError):
            running.write(self._places, self.view)
        for view in self.view.parts:
            if view.state == "ready" and view.name not in self._said:
                self._said.add(view.name)
                self._report("part", {**asdict(view), **(self._of_cloud() if view.name == CLOUD else {})})

    def _of_cloud(self) -> dict[str, Any]:
        return {"network": self._settings.cloud_network, "open": self._settings.cloud_open}


def check(settings: Settings, parts: Sequence[PartSpec]) -> None:
    """What would keep the parts from starting, said before anything is started."""
    free = shutil.disk_usage(settings.home).free
    if free < _LEAST_FREE:
        raise Unavailable(
            f"The disk of {settings.home} is full: {free // 1_000_000} MB are left, "
            f"{_LEAST_FREE // 1_000_000} MB are needed.",
            next_step="Free some space, or set PAVED_HOME to a folder on another disk.",
        )
    options = {CLOUD: "--cloud-port or PAVED_CLOUD_PORT", CONTROL: "--port or PAVED_PORT"}
    for part in parts:
        port = int(part.address.rsplit(":", 1)[1])
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError as error:
                raise Unavailable(
                    f"Port {port} for the {part.name} cannot be used: {error.strerror}.",
                    next_step=f"Stop what listens there (ss -ltnp 'sport = :{port}'), "
                    f"or choose another with {options[part.name]}.",
                ) from error


async def supervise(settings: Settings, *, cloud_only: bool, report: Report) -> None:
    """Hold the lock, run all parts until told to stop."""
    places = settings.places
    places.prepare()
    with running.alone(places):
        running.forget(places)
        parts = specs(settings, cloud_only=cloud_only)
        check(settings, parts)
        supervisor = Supervisor(settings, parts, report)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, supervisor.stop)
        leash = asyncio.create_task(_leash(supervisor.stop))
        try:
            await supervisor.run()
        finally:
            leash.cancel()


async def _leash(stop: Callable[[], None]) -> None:
    """Stop when stdin closes, unless `release` was said on it."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        if line.decode().strip() == running.RELEASE:
            return
    stop()


def _say(kind: str, data: dict[str, Any]) -> None:
    """One line to whoever started us; it may have gone."""
    with suppress(OSError):
        os.write(1, (json.dumps({"kind": kind, **data}) + "\n").encode())


def _log_to(places: Places, level: str) -> None:
    log = BoundedLog(places.logs / "supervisor.log")

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            log.write((self.format(record) + "\n").encode())

    lines = Lines()
    lines.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level, handlers=[lines], force=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pavedroad.platform.supervisor")
    parser.add_argument("--cloud-only", action="store_true", help="run the private cloud alone")
    options = parser.parse_args()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        settings = Settings.read()
        _log_to(settings.places, settings.log_level)
        asyncio.run(supervise(settings, cloud_only=options.cloud_only, report=_say))
    except running.Busy as busy:
        _say("busy", {"pid": busy.pid})
        raise SystemExit(5) from None
    except PavedError as error:
        logger.error("%s", error.sentence)
        _say("failed", {"code": error.code, "sentence": error.sentence, "next_step": error.next_step})
        raise SystemExit(3) from None
    except Exception as error:
        logger.exception("the supervisor broke")
        _say("failed", {"code": "internal", "sentence": f"The supervisor broke: {error}.", "next_step": None})
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
