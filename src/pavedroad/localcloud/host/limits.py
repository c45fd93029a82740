"""What guests may take of the machine: from their instance types, and less of it while a fault lasts."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

from pavedroad.core.errors import NotFound, Unavailable
from pavedroad.localcloud.host import cgroups
from pavedroad.localcloud.host.nursery import tree
from pavedroad.localcloud.host.nursery.cage import Bounds, Cage
from pavedroad.localcloud.measured import LimitedBy
from pavedroad.localcloud.wanted import Guest

_BYTES_A_PROCESS = 128 * 1024
"""Linux lets a machine have a process for so many bytes of its memory."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a running guest is held by. `shim` is its supervisor's pid, once that is known."""

    boot: int
    bounds: Bounds
    cage: Cage | None
    shim: int | None = None

    def processes(self) -> list[int]:
        """All of the guest's."""
        if self.cage is not None:
            return self.cage.processes()
        return [] if self.shim is None else tree.descendants(self.shim)


class Limiter:
    """One a host. `by` says what bounds are made of here; with rlimits they hold for single processes."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._groups: cgroups.ControlGroups | None = None
        self._holds: dict[str, Hold] = {}
        self._cpus = len(os.sched_getaffinity(0))
        self._memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    @property
    def by(self) -> LimitedBy:
        if self._groups is None:
            return "rlimits"
        return "cgroup v2" if self._groups.version == 2 else "cgroup v1"

    def open(self) -> None:
        """End what an earlier host has left, and find out what may be used; blocks."""
        cgroups.sweep(self._home)
        self._groups = cgroups.find(self._home)

    def sweep(self) -> None:
        """End what nobody supervises any more; blocks."""
        if self._groups is not None:
            self._groups.end()

    def close(self) -> None:
        """No guest is left; blocks."""
        if self._groups is not None:
            cgroups.sweep(self._home)
            self._groups = None

    def hold(self, guest: Guest) -> Hold:
        """For a boot of a guest."""
        cage = self._groups.cage(f"{guest.id}.{guest.boot}") if self._groups is not None else None
        self._holds[guest.id] = held = Hold(guest.boot, self._bounds(guest), cage)
        return held

    def supervised(self, guest_id: str, shim: int) -> None:
        if guest_id in self._holds:
            self._holds[guest_id] = replace(self._holds[guest_id], shim=shim)

    def let_go(self, guest_id: str) -> None:
        """It has ended."""
        self._holds.pop(guest_id, None)

    def holds(self) -> dict[str, Hold]:
        """By guest; asked from any thread."""
        return dict(self._holds)

    # What faults do. Nothing of it outlives the boot that it was done to.

    def freeze(self, guest_id: str) -> None:
        """None of its processes runs any more, though all are there: the instance hangs."""
        held = self._known(guest_id)
        if held.cage is not None:
            held.cage.freeze()
            return
        before: list[int] = []
        while (now := held.processes()) != before:  # until none is born while others are stopped
            tree.send(now, signal.SIGSTOP)
            before = now

    def thaw(self, guest_id: str) -> None:
        held = self._known(guest_id)
        if held.cage is not None:
            held.cage.thaw()
        else:
            tree.send(held.processes(), signal.SIGCONT)

    def set_cpu(self, guest_id: str, share: float | None) -> None:
        """So much of one processor's time for all of it together; None for what its type has."""
        held = self._known(guest_id)
        if held.cage is None:
            raise Unavailable("A running instance's processor time can be cut with control groups only.")
        held.cage.bound_cpu(held.bounds.cpus if share is None else share)

    def set_memory(self, guest_id: str, size: int | None) -> None:
        """So many bytes for all of it together; None for what its type has."""
        held = self._known(guest_id)
        if held.cage is None:
            raise Unavailable("A running instance's memory can be cut with control groups only.")
        held.cage.bound_memory(held.bounds.memory_bytes if size is None else size)

    def _known(self, guest_id: str) -> Hold:
        if (held := self._holds.get(guest_id)) is None:
            raise NotFound(f"No instance {guest_id} runs on this host.")
        return held

    def _bounds(self, guest: Guest) -> Bounds:
        """Without those that the machine itself is under."""
        limits = guest.limits
        if limits is None:
            return Bounds()
        size = limits.memory_bytes
        return Bounds(
            cpus=limits.cpus if limits.cpus < self._cpus else None,
            memory_bytes=size if size < self._memory else None,
            processes=size // _BYTES_A_PROCESS if size < self._memory else None,
            said=f"{guest.instance_type} ({size >> 20} MiB)",
        )
