"""The nursery: forks a shim a guest, adopts what a killed shim leaves behind, and ends it."""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from typing import NoReturn

from pavedroad.core.limits import raise_open_files
from pavedroad.localcloud.host.nursery import linux, tree
from pavedroad.localcloud.host.nursery.cage import Cage
from pavedroad.localcloud.host.nursery.messages import LONGEST, Boot, Gone, Message, decode, encode
from pavedroad.localcloud.host.nursery.shim import Shim

_RETRY = 5
"""Milliseconds between two looks at orphans that do not die at once."""
_PATIENCE = 10.0


class Nursery:
    """Single-threaded, woken by the host's packets and by children that end."""

    def __init__(self, host: socket.socket) -> None:
        self._host = host
        self._shims: dict[int, str] = {}
        self._cages: dict[str, Cage] = {}
        self._lost: dict[str, str] = {}
        self._lost_until = 0.0

    def run(self) -> None:
        """Until the host is gone, and with it all guests."""
        linux.name_process("paved-nursery")
        os.setsid()  # Linux shares processors out by session first: all guests are one share
        linux.adopt_orphans()
        raise_open_files()
        self._alive, self._held = os.pipe2(os.O_CLOEXEC)  # only the nursery holds the end that shims watch
        self._wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _nothing)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it lives as long as the host
        gc.collect()
        gc.disable()
        gc.freeze()
        poll = select.poll()
        poll.register(self._host, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll(_RETRY if self._lost else None)}
            if self._wake in ready:
                os.read(self._wake, 4096)
            self._see_to_ended()
            if self._host.fileno() in ready and not self._receive():
                self._end_all()
                return

    def _receive(self) -> bool:
        packet, descriptors, _, _ = socket.recv_fds(self._host, LONGEST, 2)
        if not packet:
            return False
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # a received one is not: guests must not get it
        boot = decode(packet)
        assert isinstance(boot, Boot)
        boot = _caged(boot)
        channel = socket.socket(fileno=descriptors[0])
        space = descriptors[1] if len(descriptors) > 1 else None
        try:
            pid = os.fork()
        except OSError as error:
            self._say(Gone(boot.key, f"could not start: no process for it: {error.strerror}"))
            if boot.cage is not None:
                boot.cage.remove()
        else:
            if pid == 0:
                self._become_shim(boot, channel, space)
            self._shims[pid] = boot.key
            if boot.cage is not None:
                self._cages[boot.key] = boot.cage
        channel.close()
        if space is not None:
            os.close(space)
        return True

    def _become_shim(self, boot: Boot, channel: socket.socket, space: int | None) -> NoReturn:
        try:
            self._host.close()
            os.close(self._wake)
            os.close(self._held)
            Shim(boot, channel, self._alive, space).run()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)

    def _see_to_ended(self) -> None:
        """Report shims that ended, once what they left behind has been ended too."""
        for pid, status in tree.reap():
            key = self._shims.pop(pid, None)
            if key is not None:
                if not self._lost:
                    self._lost_until = time.monotonic() + _PATIENCE
                self._lost[key] = f"its supervisor was {tree.describe(status)}, and it was ended with it"
        if self._lost and (not self._end_left() or time.monotonic() > self._lost_until):
            for key, reason in self._lost.items():
                if cage := self._cages.pop(key, None):
                    cage.remove()
                self._say(Gone(key, reason))
            self._lost.clear()

    def _end_left(self) -> bool:
        """Whether there was anything left of guests whose shims have ended."""
        caged = [cage.kill() for key in self._lost if (cage := self._cages.get(key))]
        return self._end_orphans() or any(caged)

    def _end_orphans(self) -> bool:
        """Whether there were any."""
        orphans = [pid for pid in tree.children(os.getpid()) if pid not in self._shims]
        for orphan in orphans:
            tree.send([orphan, *tree.descendants(orphan)], signal.SIGKILL)
        return bool(orphans)

    def _end_all(self) -> None:
        """The shims have seen the host go as well; after a while they are not asked any more."""
        deadline = time.monotonic() + _PATIENCE
        cages = list(self._cages.values())
        while left := tree.descendants(os.getpid()):
            self._end_orphans()
            tree.reap()
            if time.monotonic() > deadline:
                tree.send(left, signal.SIGKILL)
            if time.monotonic() > deadline + _PATIENCE:
                return
            time.sleep(0.002)
        for cage in cages:
            cage.kill()
            cage.remove()
        for cage in cages[:1]:
            cage.remove_parents()

    def _say(self, message: Message) -> None:
        with suppress(OSError):
            self._host.send(encode(message))


def _caged(boot: Boot) -> Boot:
    """With its control group made, or without one. Made here, as what a shim does costs memory in each."""
    if boot.cage is not None:
        try:
            boot.cage.make(boot.bounds)
        except OSError:
            return boot._replace(cage=None)
    return boot


def _nothing(number: int, frame: object) -> None:
    """The wake-up descriptor says it."""


def main() -> None:
    """Entry point of the isolated interpreter; the host's socket is the descriptor named in argv."""
    Nursery(socket.socket(fileno=int(sys.argv[1]))).run()
