"""Instance types bound what guests take, by control groups where the machine has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pavedroad.localcloud.host import cgroups
from pavedroad.localcloud.host.limits import Limiter
from pavedroad.localcloud.host.nursery.cage import Bounds
from pavedroad.localcloud.wanted import Limits
from tests.localcloud.host.machine import Machine, alive, guest, kill, processes_of
from tests.waiting import eventually

_SMALL = Limits(cpus=2, memory_bytes=48 << 20)
_GROW = "python3 -c 'kept = [bytearray(1 << 20) for n in range(400)]'"
_BURN = "python3 -c 'while True: pass'"


def groups_of(home: Path) -> list[Path]:
    """All control groups of a home's guests."""
    name = f"pavedroad-{cgroups.digest(home)}"
    return [
        Path(folder, below)
        for folder, folders, _ in os.walk("/sys/fs/cgroup")
        if Path(folder).name == name
        for below in folders
    ]


def test_who_takes_more_memory_than_its_type_has_is_killed_for_it(machine: Machine) -> None:
    it = guest(_GROW, limits=_SMALL)
    machine.want(it)
    status = machine.ended(it)
    if machine.measurements().limited_by == "rlimits":
        assert status.reason == "exited with status 1"
        assert "MemoryError" in machine.console(it)
    else:
        assert status.reason == "killed: over the memory limit of t3.micro (48 MiB)"


def test_who_has_half_a_processor_gets_half(machine: Machine) -> None:
    it = guest(_BURN, limits=Limits(cpus=0.5, memory_bytes=1 << 50))
    machine.want(it)
    machine.running(it)
    if machine.measurements().limited_by == "rlimits":
        pytest.skip("rlimits bound whole processors")
    first = machine.measured(it)
    eventually(lambda: machine.measured(it).at > first.at + 1)
    second = machine.measured(it)
    share = (second.cpu_seconds - first.cpu_seconds) / (second.at - first.at)
    assert share < 0.7


def test_limits_of_the_machines_own_size_are_not_set(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path)
    large = guest(limits=Limits(cpus=4096, memory_bytes=1 << 60))
    assert limiter.hold(large).bounds == Bounds(said=f"t3.micro ({1 << 40} MiB)")
    assert limiter.by == "rlimits"


def test_no_control_group_outlives_its_guest(machine: Machine) -> None:
    it = guest("sleep 1000", limits=_SMALL)
    machine.want(it)
    machine.running(it)
    machine.drop(it)
    machine.ended(it)
    assert not [group for group in groups_of(machine.home) if group.name.startswith(it.id)]


@pytest.mark.slow
def test_a_host_that_was_killed_leaves_no_control_group_to_the_next(
    new_machine: Callable[[], Machine],
) -> None:
    first = new_machine()
    it = guest("sleep 1000", limits=_SMALL)
    first.want(it)
    first.running(it)
    caged = first.measurements().limited_by != "rlimits"
    assert bool(groups_of(first.home)) == caged
    left = processes_of(first.home, it)
    nursery, shims = first.nursery, first.shims(it)
    for pid in (first.process.pid, nursery, *shims):
        kill(pid)
    first.process.wait()
    second = new_machine()
    eventually(lambda: not any(alive(pid) for pid in left))
    assert not groups_of(second.home)
    second.close()
    assert not groups_of(second.home)
