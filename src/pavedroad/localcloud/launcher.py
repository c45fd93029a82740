"""Starts the private cloud's two processes, keeps them running, and takes both down with itself."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from pavedroad.core import cloud_key
from pavedroad.core.errors import PavedError, Unavailable
from pavedroad.core.files import write_whole
from pavedroad.core.homes import check_home
from pavedroad.core.networking import Mode
from pavedroad.core.places import KEY_FILE
from pavedroad.core.seclusion import NOBODY
from pavedroad.localcloud.blocks import Block, claim
from pavedroad.localcloud.children import Child, NotReady
from pavedroad.localcloud.envoy.binary import envoy_program
from pavedroad.localcloud.host.network import annex as annexes
from pavedroad.localcloud.host.network.annex import Annex
from pavedroad.localcloud.host.network.possible import NetworkImpossible, Way, require_namespaces
from pavedroad.localcloud.host.sweep import sweep

_log = logging.getLogger(__name__)
_BACKLOG = 1024
_API_GRACE, _HOST_GRACE, _GATE_GRACE = 10.0, 20.0, 2.0
_READY_SECONDS = 60.0
_KEPT = ("block", KEY_FILE, "state.snapshot")
_MADE_ANEW = ("lock", "host.lock", "cloud.json", "cgroups.json", "faults.log")
_FOLDERS = (
    *("objects", "objects/.coming", "images", "images/layers", "images/unpacked"),
    *("instances", "envoy", "metrics"),
)
"""Of the home, whichever process opens them."""


class PortInUse(PavedError):
    code = "port-in-use"


class HomeInUse(PavedError):
    code = "home-in-use"


def launch(home: Path, port: int, network: Mode = "shared", *, is_open: bool = False) -> None:
    """Run the cloud until SIGTERM or SIGINT. Raises when it cannot begin."""
    envoy_program()  # missing, it is said now and not when the first balancer is asked for
    way = require_namespaces() if network == "namespaces" else None
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_home(home, kept=_KEPT, made_anew=_MADE_ANEW, folders=_FOLDERS)
        lock = _lock(home)
    except OSError as error:
        raise Unavailable(
            f"The folder {home} cannot be written: {error.strerror}.",
            next_step="Make it writable, or choose another with --home.",
        ) from error
    try:
        cloud_key.ensure(home / KEY_FILE)
        with _listen(port) as listening:
            claimed = claim(home)
            try:
                if way == "annex":
                    sweep(home / "instances")  # what an earlier annex has left: another one cannot look there
                with (
                    _listening_to_guests(claimed.block, listening, network) as further,
                    _annex(way, claimed.block.gateway, _port_of(listening)) as annex,
                ):
                    listens = [it.fileno() for it in (listening, *further)]
                    port = _port_of(listening)
                    asyncio.run(
                        _Launcher(
                            home, port, listens, claimed.block, network=network, annex=annex, is_open=is_open
                        ).run()
                    )
            finally:
                claimed.release()
    finally:
        os.close(lock)


def _lock(home: Path) -> int:
    lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise HomeInUse(
            f"A private cloud runs in {home} already.",
            next_step="Stop it first, or choose another folder with --home.",
        ) from None
    return lock


@contextmanager
def _listening_to_guests(
    block: Block, listening: socket.socket, network: Mode
) -> Generator[list[socket.socket]]:
    """Instances with networks of their own have another 127.0.0.1: the endpoint is at an address more."""
    if network == "shared":
        yield []
        return
    with _listen(_port_of(listening), block.gateway) as further:
        yield [further]


@contextmanager
def _annex(way: Way | None, gateway: str, port: int) -> Generator[Annex | None]:
    """Made before the processes that live in it, so that it outlives each of them."""
    if way != "annex":
        yield None
        return
    try:
        made = annexes.make(gateway, port)
    except annexes.NoAnnex as none:
        raise NetworkImpossible(f"{none.reason}.", next_step=f"{none.remedy}.") from none
    try:
        yield made
    finally:
        made.close()


def _port_of(listening: socket.socket) -> int:
    return cast("tuple[str, int]", listening.getsockname())[1]


def _listen(port: int, address: str = "127.0.0.1") -> socket.socket:
    """The socket stays open over restarts of the API process: calls wait in it and are not refused."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
    except OSError as error:
        listening.close()
        raise PortInUse(
            f"Port {port} on {address} cannot be used: {error.strerror}.",
            next_step="Stop what uses it, or choose another with --port.",
        ) from error
    listening.listen(_BACKLOG)
    return listening


class _Launcher:
    def __init__(
        self,
        home: Path,
        port: int,
        listening: list[int],
        block: Block,
        *,
        network: Mode,
        annex: Annex | None,
        is_open: bool,
    ) -> None:
        self._home = home
        self._is_open = is_open
        self._block = block
        self._network: Mode = network
        self._annex = annex
        self._port = port
        self._endpoint = f"http://127.0.0.1:{self._port}"
        self._record = home / "cloud.json"
        self._sweep_sockets()
        self._sockets = Path(tempfile.mkdtemp(prefix="paved-", dir="/tmp"))
        if os.geteuid() == 0 and annex is None:
            # Guests that keep root's number have lost its right to enter what is another user's.
            with suppress(OSError):
                os.chown(self._sockets, NOBODY, NOBODY)
        self._refusal = self._sockets / "refusal"
        self._host_socket = self._sockets / "host.sock"
        self._gate_socket = self._sockets / "gate.sock"
        # Nobody writes to the lifeline: the host ends when its other end is closed, however we end.
        self._lifeline, self._held = os.pipe()
        descriptors = (*listening, annex.endpoint) if annex is not None else tuple(listening)
        self._api = Child("api", self._api_command(descriptors), descriptors)
        self._host = Child("host", self._host_command, (self._lifeline,))
        self._gate: Child | None = None
        if annex is not None:
            self._host.enter = annex.enter
            self._gate = Child(
                "gate",
                lambda _: _gate_command(annex, self._gate_socket),
                (annex.network, *annex.streams, *annex.datagrams),
                annex.enter_halfway,
            )
        self._stopping = asyncio.Event()
        self._was_ready = False

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopping.set)
        children = [it for it in (self._api, self._host, self._gate) if it is not None]
        keeping = [
            asyncio.create_task(child.keep(self._refusal, lambda: self._was_ready)) for child in children
        ]
        try:
            await self._first_of(self._until_ready(), *keeping)
            await self._first_of(self._stopping.wait(), *keeping)
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            # The API first: it would take the end of the guests for their own.
            await self._api.stop(_API_GRACE)
            await self._host.stop(_HOST_GRACE)
            if self._gate is not None:
                await self._gate.stop(_GATE_GRACE)
            self._record.unlink(missing_ok=True)
            shutil.rmtree(self._sockets, ignore_errors=True)

    async def _first_of(self, awaited: Coroutine[Any, Any, object], *keeping: asyncio.Task[None]) -> None:
        """What keeps a process ends only where it is not to be started again."""
        task = asyncio.create_task(awaited)
        try:
            await asyncio.wait([task, *keeping], return_when=asyncio.FIRST_COMPLETED)
            for it in (*keeping, task):
                if it.done():
                    it.result()
        finally:
            task.cancel()

    def _api_command(self, descriptors: tuple[int, ...]) -> Callable[[bool], Sequence[str]]:
        listen = [word for it in descriptors for word in ("--listen", str(it))]

        def command(first: bool) -> Sequence[str]:
            fresh = ["--fresh"] if first else []
            return _python(
                "pavedroad.localcloud.api",
                *("--home", str(self._home), "--host-socket", str(self._host_socket)),
                *("--block", str(self._block.number), "--network", self._network, *listen, *fresh),
                *("--refusal", str(self._refusal)),
                *(("--annex",) if self._annex is not None else ()),
                *(("--open",) if self._is_open else ()),
            )

        return command

    def _host_command(self, _: bool) -> Sequence[str]:
        return _python(
            "pavedroad.localcloud.host",
            *("--home", str(self._home), "--socket", str(self._host_socket)),
            *("--endpoint", self._endpoint_of_guests, "--lifeline", str(self._lifeline)),
            *("--block", str(self._block.number), "--network", self._network),
            *(("--gate", str(self._gate_socket)) if self._annex is not None else ()),
        )

    @property
    def _endpoint_of_guests(self) -> str:
        own = self._network == "namespaces"
        return f"http://{self._block.gateway}:{self._port}" if own else self._endpoint

    async def _until_ready(self) -> None:
        """Both answer: then, and not before, `cloud.json` says where."""
        deadline = time.monotonic() + _READY_SECONDS
        while not self._stopping.is_set():
            with suppress(OSError, ValueError, KeyError, TimeoutError):
                if (await asyncio.wait_for(self._health(), 5))["host"] == "connected":
                    break
            if time.monotonic() > deadline:
                raise NotReady(f"The private cloud in {self._home} was not ready in {_READY_SECONDS:.0f} s.")
            await asyncio.sleep(0.02)
        if not self._stopping.is_set():
            self._was_ready = True
            self._write_record()
            _log.info("The private cloud answers at %s", self._endpoint)

    async def _health(self) -> dict[str, object]:
        """By hand: an HTTP client takes longer to import than everything else here."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(b"GET /_pavedroad/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
        finally:
            writer.close()
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    def _write_record(self) -> None:
        said = {"endpoint": self._endpoint, "pid": os.getpid(), "host_socket": str(self._host_socket)}
        write_whole(self._record, (json.dumps(said, indent=2) + "\n").encode(), 0o644)

    def _sweep_sockets(self) -> None:
        """What a launcher that was killed with -9 has left in the folder for short paths."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            left = Path(json.loads(self._record.read_text())["host_socket"]).parent
            if left.name.startswith("paved-"):
                shutil.rmtree(left, ignore_errors=True)
        try:
            self._record.unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(
                f"The file {self._record} cannot be replaced: {error.strerror}.", next_step="Move it away."
            ) from error


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", module, *arguments]


def _gate_command(annex: Annex, told: Path) -> list[str]:
    return _python(
        "pavedroad.localcloud.gate",
        *("--host-socket", str(told), "--network", str(annex.network)),
        *(word for it in annex.streams for word in ("--stream", str(it))),
        *(word for it in annex.datagrams for word in ("--datagrams", str(it))),
    )
