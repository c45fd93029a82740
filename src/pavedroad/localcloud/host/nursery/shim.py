"""A guest's supervisor: starts its processes, hears what they print, and outlives none of them."""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from pavedroad.core import capabilities, confinement
from pavedroad.core.confinement import Walls
from pavedroad.localcloud.host.faults.afflicted import Afflicted
from pavedroad.localcloud.host.nursery import launch, links, linux, tree
from pavedroad.localcloud.host.nursery.binding import Binding
from pavedroad.localcloud.host.nursery.console import Console
from pavedroad.localcloud.host.nursery.messages import (
    LONGEST,
    Afflict,
    Boot,
    Ended,
    Fail,
    Message,
    Running,
    Stop,
    decode,
    encode,
)
from pavedroad.localcloud.host.nursery.root import prepare
from pavedroad.localcloud.host.nursery.walls import OURS, SCRIPT, seclude, walls

_READ = 1 << 16
_BURST = 1 << 20
_WINDOW = 0.1
"""At most a burst a window is read from a guest; one that prints faster waits, as on a serial line."""
_UNKILLABLE = 10.0
_STOPPED_SHELL = (126, 127)
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
"""By a signal, or a shell whose command was."""


class Shim:
    """One guest's life, in a process of its own. `nursery` is a pipe's end, readable once that is dead;
    `space` the network namespace to live in."""

    def __init__(self, boot: Boot, channel: socket.socket, nursery: int, space: int | None) -> None:
        self._space = space
        self._own_network = space is not None
        self._boot = boot
        self._channel = channel
        self._nursery = nursery
        self._console = Console(boot.folder)
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._output, self._input = os.pipe2(os.O_CLOEXEC)
        self._cage = boot.cage
        self._afflicted = Afflicted(self._launch_burden, self._console.note)
        self._binding = Binding(boot.listens) if boot.listens else None
        self._walls = Walls()
        self._main: int | None = None
        self._in_script = False
        self._deadline: float | None = None
        self._grace = 0.0
        self._status: int | None = None
        self._quiet_until: float | None = None
        self._window_ends = 0.0
        self._window_bytes = 0
        self._root = ""
        self._over = False

    def run(self) -> None:
        """Until the guest has ended and nothing of it is left."""
        linux.name_process("paved-guest")
        os.setpgid(0, 0)
        linux.adopt_orphans()
        os.set_blocking(self._output, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _nothing)
        signal.signal(signal.SIGTERM, _nothing)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._enter_network()
            self._root = prepare(self._boot.folder, self._boot.parts)
            self._wall_in()
            self._begin()
            while not self._over:
                self._step()
        except launch.NotStartedError as refusal:
            self._refuse(str(refusal))
        except OSError as error:
            subject = f": '{error.filename}'" if error.filename else ""
            self._refuse(f"{error.strerror}{subject}")

    def _enter_network(self) -> None:
        if self._space is not None:
            linux.enter_network(self._space)
            os.close(self._space)
            self._space = None

    def _wall_in(self) -> None:
        self._walls = walls(self._boot)
        if self._boot.secluded:
            seclude(self._boot, self._walls)
        if self._boot.user is not None:
            os.fchown(self._input, self._boot.user, self._boot.user)  # by its name too, as /dev/stdout
        confinement.keep_to_itself()

    def _confine(self, walls: Walls) -> None:
        """Called in the guest's process."""
        bounds = self._boot.bounds
        if self._cage is not None:
            self._cage.join()
        else:
            linux.bound_process(bounds.cpus, bounds.memory_bytes)
        if self._boot.user is not None:
            capabilities.become(self._boot.user)
        elif self._boot.secluded or self._boot.ordinary or (os.geteuid() == 0 and confinement.wanted()):
            capabilities.give_up()
        confinement.confine(walls, alone=False)

    def _refuse(self, words: str) -> None:
        self._end_all()
        self._finish(Ended(True, None, f"could not start: {words}"))

    def _begin(self) -> None:
        if self._boot.script:
            self._run_script()
        elif self._boot.command:
            self._run_command()
        else:
            self._say(self._running(None))

    def _running(self, pid: int | None) -> Running:
        return Running(pid, os.getpid())

    def _run_script(self) -> None:
        path = os.path.join(self._boot.folder, SCRIPT)
        with open(path, "w", encoding="utf-8", opener=_private) as script:
            script.write(self._boot.script)
            if self._boot.user is not None:
                os.fchown(script.fileno(), self._boot.user, self._boot.user)
        try:
            self._main = self._launch([path])
        except launch.NotStartedError as refusal:
            self._console.note(f"the user data could not be run: {refusal}")
            self._after_script()
            return
        self._in_script = True
        self._say(self._running(self._main if self._boot.command else None))

    def _after_script(self) -> None:
        self._in_script = False
        if self._boot.command:
            self._run_command()
        else:
            self._say(self._running(None))

    def _run_command(self) -> None:
        launch.check(self._boot.command, self._root, self._boot.environment)
        self._main = self._launch(launch.shell_line(self._boot.command))
        self._say(self._running(self._main))

    def _launch(self, arguments: list[str]) -> int:
        return self._launch_within(self._walls, arguments)

    def _launch_burden(self, arguments: list[str]) -> int:
        """A program of ours among the guest's."""
        return self._launch_within(self._walls.also(*OURS), arguments)

    def _launch_within(self, walls: Walls, arguments: list[str]) -> int:
        def start(be_watched: Callable[[], None]) -> int:
            def confine() -> None:
                self._confine(walls)
                be_watched()

            return launch.launch(arguments, self._root, self._boot.environment, self._input, confine)

        return self._binding.watch(start) if self._binding is not None else start(_nobody)

    def _step(self) -> None:
        """Wait for something to happen, and see to it."""
        poll = select.poll()
        asking = self._binding.asking.copy() if self._binding is not None else ()
        for fd in (self._channel.fileno(), self._nursery, self._wake, *asking):
            poll.register(fd, select.POLLIN)
        until = self._deadline
        if self._quiet_until is None:
            poll.register(self._output, select.POLLIN)
        else:
            until = min(self._quiet_until, until) if until is not None else self._quiet_until
        left = None if until is None else max(0, until - time.monotonic()) * 1000 + 1
        ready = {fd for fd, _ in poll.poll(left)}
        now = time.monotonic()
        if self._quiet_until is not None and now >= self._quiet_until:
            self._quiet_until = None
        if self._binding is not None:
            for fd in ready.intersection(asking):
                self._binding.answer(fd)
        if self._output in ready:
            self._listen(now)
        if self._nursery in ready:
            self._end_all()
            self._finish(Ended(True, None, "its supervisor was killed, and it was ended with it"))
            return
        if self._channel.fileno() in ready:
            self._obey()
        if self._wake in ready:
            os.read(self._wake, _READ)
        for pid, status in tree.reap():
            if pid == self._main:
                self._main_ended(status)
        if self._deadline is not None and not self._over:
            self._stop_if_done(now)

    def _listen(self, now: float) -> None:
        if now >= self._window_ends:
            self._window_ends = now + _WINDOW
            self._window_bytes = 0
        with suppress(BlockingIOError):
            text = os.read(self._output, _READ)
            self._window_bytes += len(text)
            self._console.write(text)
        if self._window_bytes >= _BURST:
            self._quiet_until = self._window_ends

    def _obey(self) -> None:
        packet = self._channel.recv(LONGEST)
        if not packet:  # the host is gone
            self._end_all()
            self._over = True
            return
        order = decode(packet)
        if isinstance(order, Fail):
            self._end_all()
            self._finish(Ended(False, -signal.SIGKILL, "its machine has failed"))
        elif isinstance(order, Afflict):
            self._afflicted.have(order.afflictions)
        elif isinstance(order, Stop) and self._deadline is None:
            self._grace = order.grace
            self._deadline = time.monotonic() + order.grace
            tree.send(tree.descendants(os.getpid()), signal.SIGTERM)

    def _main_ended(self, status: int) -> None:
        self._main = None
        words = self._how_it_ended(status)
        if self._in_script:
            self._console.note(f"the user data {words}")
            if self._deadline is None:
                self._after_script()
            return
        self._status = os.waitstatus_to_exitcode(status)
        if self._deadline is not None:
            return
        self._end_all()
        self._drain()
        refused = self._status in _STOPPED_SHELL and self._console.last_line.startswith(("/bin/sh:", "sh:"))
        if refused:
            words = f"could not start: {self._console.last_line}"
        self._finish(Ended(refused, self._status, words))

    def _how_it_ended(self, status: int) -> str:
        killed = os.waitstatus_to_exitcode(status) in _KILLED
        if killed and self._cage is not None and self._cage.memory_kills():
            return f"killed: over the memory limit of {self._boot.bounds.said}"
        return tree.describe(status)

    def _stop_if_done(self, now: float) -> None:
        if not tree.descendants(os.getpid()):
            words = "stopped"
            if self._status is not None:
                words = f"stopped: {_exit_words(self._status)}"
        elif now >= (self._deadline or 0):
            self._end_all()
            words = f"stopped: killed, as it did not end within {self._grace:g} s of SIGTERM"
            self._status = -signal.SIGKILL if self._status is None else self._status
        else:
            return
        self._finish(Ended(False, self._status, words))

    def _end_all(self) -> None:
        """SIGKILL to everything below, again and again until there is nothing."""
        deadline = time.monotonic() + _UNKILLABLE
        pause = 0.0
        while left := self._left():
            tree.send(left, signal.SIGKILL)
            if self._cage is not None:
                self._cage.kill()
            for pid, status in tree.reap():
                if pid == self._main and not self._in_script:
                    self._status = os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                self._console.note(f"{len(left)} processes could not be killed")
                return
            time.sleep(pause)
            pause = min(pause + 0.001, 0.02)

    def _left(self) -> list[int]:
        return tree.descendants(os.getpid()) or (self._cage.processes() if self._cage is not None else [])

    def _drain(self) -> None:
        """What was printed last goes to the console."""
        with suppress(BlockingIOError):
            while text := os.read(self._output, _READ):
                self._console.write(text)

    def _finish(self, ended: Ended) -> None:
        """The last word, to console and host."""
        self._over = True
        self._drain()
        self._console.note(ended.reason)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        read, written = linux.reaped_bytes()
        self._say(
            ended._replace(
                cpu_seconds=used.ru_utime + used.ru_stime,
                read_bytes=read,
                written_bytes=written,
                passed=self._passed(),
                operations=self._operations(),
            )
        )

    def _passed(self) -> list[int] | None:
        with suppress(OSError):
            if self._own_network and (passed := links.passed(os.getpid())):
                return list(passed)
        return None

    def _operations(self) -> list[int] | None:
        operations = self._cage.disk_operations() if self._cage is not None else None
        return None if operations is None else list(operations)

    def _say(self, message: Message) -> None:
        with suppress(OSError):  # a host that is gone shows on the channel
            self._channel.send(encode(message))


def _nobody() -> None:
    """Watches."""


def _nothing(number: int, frame: object) -> None:
    """The wake-up descriptor says it."""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o700)


def _exit_words(code: int) -> str:
    return tree.describe(code << 8) if code >= 0 else tree.describe(-code)
