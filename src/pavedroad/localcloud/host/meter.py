"""What each guest uses: processor time, memory, disk, network. Reads the kernel's counters, when asked."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import replace

from pavedroad.localcloud.host.limits import Hold, Limiter
from pavedroad.localcloud.host.nursery.cage import read as read_file
from pavedroad.localcloud.host.nursery.links import passed
from pavedroad.localcloud.host.nursery.linux import disk_bytes
from pavedroad.localcloud.host.nursery.messages import Ended
from pavedroad.localcloud.measured import GuestMeasure, LinkMeasure
from pavedroad.localcloud.wanted import Guest

_KEPT_SECONDS = 600.0
"""For which the last word on a boot that is over can be had."""
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_USER, _SYSTEM, _REAPED_USER, _REAPED_SYSTEM, _RESIDENT = 11, 12, 13, 14, 21
"""Fields of /proc/PID/stat after the name."""


class Meter:
    """Used from the host's loop; `read` blocks, and may be called from a thread."""

    def __init__(self, limiter: Limiter, *, own_networks: bool = False) -> None:
        self.limiter = limiter
        self._own_networks = own_networks
        self._last: dict[str, GuestMeasure] = {}
        self._over: list[GuestMeasure] = []

    def ended(self, guest: Guest, ended: Ended) -> None:
        """Its shim has counted to the end; where it could not, the last look counts."""
        self.limiter.let_go(guest.id)
        oldest = time.time() - _KEPT_SECONDS
        self._over = [it for it in self._over if it.at > oldest]
        last = self._last.pop(guest.id, None)
        if last is None or last.boot != guest.boot:
            last = GuestMeasure(guest.id, guest.boot, 0.0, False, 0.0, 0, 0, 0)
        self._over.append(
            GuestMeasure(
                id=guest.id,
                boot=guest.boot,
                at=time.time(),
                running=False,
                cpu_seconds=max(last.cpu_seconds, ended.cpu_seconds),
                memory_bytes=0,
                read_bytes=max(last.read_bytes or 0, ended.read_bytes),
                written_bytes=max(last.written_bytes or 0, ended.written_bytes),
                link=last.link if ended.passed is None else LinkMeasure(*ended.passed),
                reads=ended.operations[0] if ended.operations else last.reads,
                writes=ended.operations[1] if ended.operations else last.writes,
            )
        )

    def read(self, since: float) -> tuple[GuestMeasure, ...]:
        """All guests that run, and the last word on boots that have ended since then."""
        found: dict[str, GuestMeasure] = {}
        for guest_id, hold in self.limiter.holds().items():
            if hold.shim is not None:
                with suppress(OSError, ValueError, IndexError):  # it is just ending
                    found[guest_id] = self._look(guest_id, hold)
        running = self.limiter.holds()
        self._last.update((key, it) for key, it in found.items() if key in running)
        return (*[it for it in self._over if it.at > since], *found.values())

    def _look(self, guest_id: str, hold: Hold) -> GuestMeasure:
        measured = _look(guest_id, hold, self._last.get(guest_id))
        if self._own_networks and hold.shim is not None and (counted := passed(hold.shim)):
            measured = replace(measured, link=LinkMeasure(*counted))  # its supervisor is in its network
        if hold.cage is not None and (operations := hold.cage.disk_operations()):
            measured = replace(measured, reads=operations[0], writes=operations[1])
        return measured


def _look(guest_id: str, hold: Hold, last: GuestMeasure | None) -> GuestMeasure:
    before = last if last is not None and last.boot == hold.boot else None
    shim = hold.shim or 0
    if hold.cage is not None:
        cpu, memory = hold.cage.cpu_seconds(), hold.cage.memory_bytes()
    else:
        cpu, memory = _used(shim, hold.processes())
    if before is not None:
        cpu = max(cpu, before.cpu_seconds)  # of processes that end meanwhile some time may be missed once
        if cpu == before.cpu_seconds:
            # Who has not run has not read or written either, and most guests idle most of the time.
            return _measure(guest_id, hold, cpu, memory, (before.read_bytes, before.written_bytes))
    read, written = _disk(shim, hold.processes())
    if before is not None and read is not None and written is not None:
        # As above: a counter that fell would be taken for one that began anew.
        read, written = max(read, before.read_bytes or 0), max(written, before.written_bytes or 0)
    return _measure(guest_id, hold, cpu, memory, (read, written))


def _measure(
    guest_id: str, hold: Hold, cpu: float, memory: int, disk: tuple[int | None, int | None]
) -> GuestMeasure:
    return GuestMeasure(guest_id, hold.boot, time.time(), True, cpu, memory, *disk)


def _used(shim: int, processes: list[int]) -> tuple[float, int]:
    """Processor seconds and bytes in memory, of processes and of those that their parents have buried."""
    fields = _stat(shim)
    ticks, pages = fields[_REAPED_USER] + fields[_REAPED_SYSTEM], 0
    for pid in processes:
        with suppress(OSError, IndexError):
            fields = _stat(pid)
            ticks += sum(fields[_USER : _REAPED_SYSTEM + 1])
            pages += fields[_RESIDENT]
    return ticks * _TICK, pages * _PAGE


def _stat(pid: int) -> list[int]:
    words = read_file(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return [0, *map(int, words[1 : _RESIDENT + 1])]


def _disk(shim: int, processes: list[int]) -> tuple[int | None, int | None]:
    """Bytes read and written, of processes and of those that their parents have buried, not of the shim."""
    try:
        read, written = _io(f"/proc/{shim}/io")
        own_read, own_written = _io(f"/proc/{shim}/task/{shim}/io")
    except OSError:  # a kernel without these counters
        return None, None
    read, written = max(0, read - own_read), max(0, written - own_written)
    for pid in processes:
        with suppress(OSError):
            more_read, more_written = _io(f"/proc/{pid}/io")
            read, written = read + more_read, written + more_written
    return read, written


def _io(path: str) -> tuple[int, int]:
    return disk_bytes(read_file(path))
