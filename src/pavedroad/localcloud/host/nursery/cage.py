"""A guest's control group: its bounds, all its processes, what they have used, and their end."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Literal, NamedTuple

from pavedroad.localcloud.host.nursery import tree

CONTROLLERS = ("cpu", "cpuacct", "memory", "pids", "freezer")
"""Of version 1, in the order of `Cage`'s folders."""
_PERIOD_MICROSECONDS = 100_000
_SMALLEST_QUOTA = 1_000
_OWN = b"0"


class Bounds(NamedTuple):
    """What a guest may take, None where nothing bounds it. `said` names them: `t3.nano (512 MiB)`."""

    cpus: float | None = None
    memory_bytes: int | None = None
    processes: int | None = None
    said: str = ""


class Cage(NamedTuple):
    """Its folders: in version 1 one in each hierarchy, in version 2 the same for all."""

    version: Literal[1, 2]
    cpu: str
    cpuacct: str
    memory: str
    pids: str
    freezer: str

    @property
    def folders(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(self[1:]))

    def make(self, bounds: Bounds) -> None:
        """Raises `OSError` where it cannot be made; then nothing of it is left."""
        try:
            for folder in self.folders:
                os.makedirs(folder, 0o755, exist_ok=True)
            if bounds.cpus is not None:
                self.bound_cpu(bounds.cpus)
            if bounds.memory_bytes is not None:
                self.bound_memory(bounds.memory_bytes)
            if bounds.processes is not None:
                _write(f"{self.pids}/pids.max", str(bounds.processes).encode())
        except OSError:
            self.remove()
            raise

    def join(self) -> None:
        """This process and all that descend from it."""
        for folder in self.folders:
            _write(f"{folder}/cgroup.procs", _OWN)

    def bound_cpu(self, cpus: float | None) -> None:
        """So many processors' time, shared by all its processes."""
        quota = None if cpus is None else max(_SMALLEST_QUOTA, round(cpus * _PERIOD_MICROSECONDS))
        if self.version == 2:
            words = "max" if quota is None else str(quota)
            _write(f"{self.cpu}/cpu.max", f"{words} {_PERIOD_MICROSECONDS}".encode())
        else:
            _write(f"{self.cpu}/cpu.cfs_quota_us", str(-1 if quota is None else quota).encode())

    def bound_memory(self, size: int | None) -> None:
        """Memory and swap together, so that the bound is one."""
        if self.version == 2:
            _write(f"{self.memory}/memory.max", b"max" if size is None else str(size).encode())
            with suppress(FileNotFoundError):
                _write(f"{self.memory}/memory.swap.max", b"max" if size is None else b"0")
            return
        text = str(-1 if size is None else size).encode()
        names = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
        try:
            self._write_known(names, text)
        except OSError:  # the first may never be over the second: when rising, it goes last
            self._write_known(names[::-1], text)

    def _write_known(self, names: tuple[str, ...], text: bytes) -> None:
        for name in names:
            with suppress(FileNotFoundError):
                _write(f"{self.memory}/{name}", text)

    def freeze(self) -> None:
        """None of its processes runs until `thaw`; signals wait."""
        if self.version == 2:
            _write(f"{self.freezer}/cgroup.freeze", b"1")
        else:
            _write(f"{self.freezer}/freezer.state", b"FROZEN")

    def thaw(self) -> None:
        if self.version == 2:
            _write(f"{self.freezer}/cgroup.freeze", b"0")
        else:
            _write(f"{self.freezer}/freezer.state", b"THAWED")

    def processes(self) -> list[int]:
        """Its processes; none where it is gone."""
        with suppress(OSError):
            return [int(pid) for pid in read(f"{self.pids}/cgroup.procs").split() if pid != _OWN]
        return []

    def kill(self) -> bool:
        """SIGKILL to all there are, frozen ones too; whether there were any."""
        if not (left := self.processes()):
            return False
        tree.send(left, signal.SIGKILL)
        with suppress(OSError):
            self.thaw()
        return True

    def cpu_seconds(self) -> float:
        """What its processes have used by now, the ended ones included."""
        if self.version == 2:
            return _field(read(f"{self.cpuacct}/cpu.stat"), b"usage_usec") / 1e6
        return int(read(f"{self.cpuacct}/cpuacct.usage")) / 1e9

    def memory_bytes(self) -> int:
        name = "memory.current" if self.version == 2 else "memory.usage_in_bytes"
        return int(read(f"{self.memory}/{name}"))

    def memory_kills(self) -> int:
        """How many of its processes were killed for want of memory."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        with suppress(OSError):
            return _field(read(f"{self.memory}/{name}"), b"oom_kill")
        return 0

    def disk_operations(self) -> tuple[int, int] | None:
        """Reads and writes by now, of all devices; None where nobody counts them."""
        if self.version == 1:
            return None  # it does not count what is written later, and that is nearly all
        try:
            counts = [word.split(b"=") for word in read(f"{self.cpu}/io.stat").split() if b"=" in word]
        except OSError:
            return None
        reads, writes = (sum(int(it[1]) for it in counts if it[0] == name) for name in (b"rios", b"wios"))
        return reads, writes

    def remove(self) -> bool:
        """Whether nothing is left of it: one with processes cannot be removed."""
        for folder in self.folders:
            with suppress(OSError):
                os.rmdir(folder)
        return not any(os.path.isdir(folder) for folder in self.folders)

    def remove_parents(self) -> None:
        """Those of the home's groups, by the last who is left of its host. In version 2 they are prepared for
        their purpose, and the next host looks after them."""
        if self.version == 1:
            for folder in self.folders:
                with suppress(OSError):
                    os.rmdir(os.path.dirname(folder))


def _write(path: str, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text)
    finally:
        os.close(descriptor)


def read(path: str) -> bytes:
    """A file of the kernel's; such files are read often, and by the bare call in half the time."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = os.read(descriptor, 1 << 16)
        while more := os.read(descriptor, 1 << 16):
            text += more
        return text
    finally:
        os.close(descriptor)


def _field(text: bytes, name: bytes) -> int:
    """A number from lines of `name number`; 0 where it is not there."""
    for line in text.splitlines():
        key, _, value = line.partition(b" ")
        if key == name:
            return int(value)
    return 0
