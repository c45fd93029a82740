"""The host's hold on the nursery: starts it, starts it anew when it dies, and has it boot guests."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pavedroad
from pavedroad.localcloud.host.nursery.messages import (
    Afflict,
    Boot,
    Ended,
    Fail,
    Gone,
    Message,
    Running,
    Stop,
)
from pavedroad.localcloud.host.packets import Packets, pair
from pavedroad.localcloud.wanted import Affliction

_LOG = logging.getLogger(__name__)
_SOURCE = str(Path(pavedroad.__file__).parent.parent)
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop()); "
    "from pavedroad.localcloud.host.nursery.main import main; main()"
)
_RETRY_SECONDS = 1.0
_LOST = "its supervisor was killed, and it was ended with it"


class Life:
    """One boot of a guest as its shim tells it: `running` maybe, `ended` once and for all."""

    def __init__(self, running: Callable[[Running], None], ended: Callable[[Ended], None]) -> None:
        self._running = running
        self._ended = ended
        self._last_word: Ended | None = None
        self._over = False
        self.packets: Packets | None = None

    def stop(self, grace: float) -> None:
        """SIGTERM to all of it, SIGKILL after the grace."""
        if self.packets is not None and self.packets.is_open:
            self.packets.send(Stop(grace))

    def fail(self) -> None:
        """SIGKILL to all of it, at once."""
        if self.packets is not None and self.packets.is_open:
            self.packets.send(Fail())

    def afflict(self, afflictions: Iterable[Affliction]) -> None:
        """Make these fail in it, and nothing else."""
        if self.packets is not None and self.packets.is_open:
            self.packets.send(Afflict([[it.id, it.ailment, it.numbers] for it in afflictions]))

    def heard(self, message: Message) -> None:
        if isinstance(message, Running):
            self._running(message)
        elif isinstance(message, Ended):
            self._last_word = message

    def finish(self, reason: str) -> None:
        """Nothing of it is left: its shim's last word counts, else the reason."""
        if self._over:
            return
        self._over = True
        if self.packets is not None:
            self.packets.drain()
            self.packets.close()
        self._ended(self._last_word or Ended(True, None, reason))


class Supervision:
    """Boots guests, and tells of each exactly once that it has ended, whatever was killed in between."""

    def __init__(self, sweep: Callable[[], object]) -> None:
        self._sweep = sweep
        """Ends the processes of guests whose supervisors are dead; blocks."""
        self._lives: dict[str, Life] = {}
        self._nursery: Packets | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._closing = False

    async def start(self) -> None:
        """Start the nursery."""
        ours, theirs = pair()
        with theirs:
            self._process = await asyncio.to_thread(
                subprocess.Popen,
                [sys.executable, "-I", "-S", "-c", _PROGRAM, str(theirs.fileno()), _SOURCE],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd="/",
            )
        self._nursery = Packets(ours, self._heard, self._nursery_died)
        self._ready.set()

    async def boot(self, boot: Boot, life: Life, space: int | None = None) -> None:
        """Have a guest started, in that network namespace if one is given. Raises `OSError` where the nursery
        cannot take it."""
        await self._ready.wait()
        assert self._nursery is not None
        ours, theirs = pair()
        life.packets = Packets(ours, life.heard, lambda: self._shim_died(boot.key))
        self._lives[boot.key] = life
        try:
            passing = [theirs.detach()] if space is None else [theirs.detach(), os.dup(space)]
            self._nursery.send(boot, *passing)
        except OSError:
            del self._lives[boot.key]
            life.packets.close()
            raise

    async def close(self) -> None:
        """End the nursery, and with it whatever guests there still are."""
        self._closing = True
        if self._restarting is not None:
            self._restarting.cancel()
        if self._nursery is not None:
            self._nursery.close()
        for life in self._lives.values():
            if life.packets is not None:
                life.packets.close()
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)

    def _heard(self, message: Message) -> None:
        if isinstance(message, Gone) and (life := self._lives.pop(message.key, None)):
            life.finish(message.reason)

    def _shim_died(self, key: str) -> None:
        """The nursery says so too, once nothing is left; only where it is dead itself, this is the word."""
        if not self._ready.is_set() and (life := self._lives.pop(key, None)):
            life.finish(_LOST)

    def _nursery_died(self) -> None:
        if not self._closing:
            self._ready.clear()
            self._restarting = asyncio.create_task(self._restart())

    async def _restart(self) -> None:
        """The shims have noticed by themselves; what they leave is swept, then all is reported."""
        assert self._process is not None
        status = await asyncio.to_thread(self._process.wait)
        _LOG.error("The nursery died (%s); its guests end with it, and a new one is started", status)
        lost = dict(self._lives)
        for _ in range(500):
            if all(life.packets is None or not life.packets.is_open for life in lost.values()):
                break
            await asyncio.sleep(0.01)
        await asyncio.to_thread(self._sweep)
        for key, life in lost.items():
            if self._lives.pop(key, None):
                life.finish(_LOST)
        while not self._ready.is_set():
            try:
                await self.start()
            except OSError as error:
                _LOG.error("No new nursery could be started: %s", error)
                await asyncio.sleep(_RETRY_SECONDS)
