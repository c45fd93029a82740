"""Control groups, as the machine that runs the tests has them: bounds, standstill, and a sure end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pavedroad.core.errors import NotFound, Unavailable
from pavedroad.localcloud.host import cgroups
from pavedroad.localcloud.host.limits import Limiter
from pavedroad.localcloud.host.nursery.cage import Bounds, Cage
from pavedroad.localcloud.wanted import Limits
from tests.localcloud.host.machine import guest
from tests.waiting import eventually

_BURN = [sys.executable, "-c", "while True: pass"]


@pytest.fixture
def groups(tmp_path: Path) -> Iterator[cgroups.ControlGroups]:
    found = cgroups.find(tmp_path)
    if found is None:
        pytest.skip("this machine lets nobody make control groups")
    yield found
    cgroups.sweep(tmp_path)
    assert not any(parent.exists() for parent in found.parents)


@pytest.fixture
def cage(groups: cgroups.ControlGroups) -> Cage:
    made = groups.cage("i-1.1")
    made.make(Bounds(processes=50))
    return made


def start(cage: Cage, arguments: list[str] = _BURN) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(arguments, preexec_fn=cage.join)  # noqa: PLW1509 - the child is ours alone
    assert cage.processes() == [process.pid]
    return process


def used_in(cage: Cage, seconds: float) -> float:
    before = cage.cpu_seconds()
    time.sleep(seconds)
    return cage.cpu_seconds() - before


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_frozen_group_stands_still_until_it_is_thawed(cage: Cage) -> None:
    with start(cage) as process:
        eventually(lambda: cage.cpu_seconds() > 0.05)
        cage.freeze()
        still = used_in(cage, 0.2)
        assert still < 0.05
        assert process.poll() is None
        before = cage.cpu_seconds()
        cage.thaw()
        eventually(lambda: cage.cpu_seconds() > before + 0.05)
        cage.kill()


def test_a_frozen_group_can_be_killed(cage: Cage) -> None:
    with start(cage) as process:
        cage.freeze()
        assert cage.kill()
        assert process.wait(timeout=30) == -9
    assert eventually(cage.remove)


def test_whatever_is_left_in_groups_of_a_home_is_swept(groups: cgroups.ControlGroups, tmp_path: Path) -> None:
    caged = groups.cage("i-2.1")
    caged.make(Bounds())
    with start(caged) as process:
        caged.freeze()
        assert cgroups.sweep(tmp_path) >= 1
        assert process.wait(timeout=30) == -9
    assert not [folder for folder in caged.folders if Path(folder).exists()]
    assert cgroups.sweep(tmp_path) == 0


def test_bounds_can_be_changed_while_a_guest_runs(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path)
    limiter.open()
    if limiter.by == "rlimits":
        pytest.skip("this machine lets nobody make control groups")
    try:
        it = guest(limits=Limits(cpus=1, memory_bytes=64 << 20))
        held = limiter.hold(it)
        assert held.cage is not None
        held.cage.make(held.bounds)
        with start(held.cage):
            limiter.set_cpu(it.id, 0.1)
            eventually(lambda: held.cage is not None and used_in(held.cage, 0.5) < 0.15)
            limiter.set_memory(it.id, 1 << 30)
            limiter.set_memory(it.id, None)
            limiter.set_cpu(it.id, None)
            limiter.freeze(it.id)
            limiter.thaw(it.id)
            held.cage.kill()
        with pytest.raises(NotFound):
            limiter.freeze("i-unknown")
    finally:
        limiter.close()


@pytest.mark.ordinary
def test_without_control_groups_a_guest_is_stopped_and_continued_by_signals(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path)
    it = guest()
    limiter.hold(it)
    script = f"import subprocess; subprocess.run({_BURN!r})"
    shim = subprocess.Popen([sys.executable, "-c", script])
    limiter.supervised(it.id, shim.pid)
    held = limiter.holds()[it.id]
    try:
        [child] = eventually(held.processes)
        limiter.freeze(it.id)
        eventually(lambda: state(child) == "T")
        limiter.thaw(it.id)
        eventually(lambda: state(child) == "R")
        with pytest.raises(Unavailable):
            limiter.set_cpu(it.id, 0.1)
    finally:
        for pid in (*held.processes(), shim.pid):
            os.kill(pid, signal.SIGKILL)
        shim.wait()


def test_version_2_freezes_counts_and_kills_alike(tmp_path: Path) -> None:
    mounts = Path("/proc/mounts").read_text().splitlines()
    mounted = [line.split()[1] for line in mounts if " cgroup2 " in line]
    if not mounted or not os.access(mounted[0], os.W_OK) or os.geteuid() != 0:
        pytest.skip("no writable hierarchy of version 2")
    folder = f"{mounted[0]}/pavedroad-test-{os.getpid()}"
    caged = Cage(2, *([folder] * 5))
    caged.make(Bounds())
    try:
        with start(caged) as process:
            eventually(lambda: caged.cpu_seconds() > 0.05)
            caged.freeze()
            assert used_in(caged, 0.2) < 0.05
            assert caged.kill()
            assert process.wait(timeout=30) == -9
    finally:
        assert eventually(caged.remove)


def test_version_2_has_its_own_files(tmp_path: Path) -> None:
    folder = tmp_path / "group"
    folder.mkdir()
    for name in ("cpu.max", "memory.max", "memory.swap.max", "pids.max"):
        (folder / name).touch()
    (folder / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    caged = Cage(2, *([str(folder)] * 5))
    caged.make(Bounds(cpus=1.5, memory_bytes=512 << 20, processes=4096))
    written = {path.name: path.read_text() for path in folder.iterdir()}
    assert written["cpu.max"] == "150000 100000"
    assert written["memory.max"] == str(512 << 20)
    assert written["memory.swap.max"] == "0"
    assert written["pids.max"] == "4096"
    assert caged.memory_kills() == 1
    assert caged.disk_operations() is None
    (folder / "io.stat").write_text(
        "259:0 rbytes=8192 wbytes=4096 rios=2 wios=1 dbytes=0 dios=0\n7:1 rbytes=512 rios=40 wios=20\n8:0\n"
    )
    assert caged.disk_operations() == (42, 21)
