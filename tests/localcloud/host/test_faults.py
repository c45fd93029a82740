"""What is made to fail in a guest's processes, by a real host."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pavedroad.localcloud.faults.clocks import library
from pavedroad.localcloud.wanted import Affliction, Guest
from tests.localcloud.host.machine import Machine, alive, guest, processes_of
from tests.waiting import eventually

TICKS = "while true; do echo tick; sleep 0.1; done"


def afflicted(one: Guest, *afflictions: Affliction) -> Guest:
    return replace(one, afflictions=afflictions)


def ticks(machine: Machine, one: Guest) -> int:
    return machine.console(one).count("tick")


def hangs(machine: Machine, one: Guest) -> bool:
    """All its processes are stopped; one may wait in the kernel for the stopped child that it just forked."""
    found = {_state(pid) for pid in processes_of(machine.home, one)} - {""}
    return "T" in found and found <= {"T", "D"}


def burdens(machine: Machine, one: Guest) -> list[psutil.Process]:
    """What it runs beside may end at any moment."""
    mine = set(processes_of(machine.home, one))
    found = [it for it in psutil.process_iter() if it.pid in mine]
    return [it for it in found if any(word.endswith("burden.py") for word in _words(it))]


def test_a_hung_guest_stands_still_until_it_is_let_go_on(machine: Machine) -> None:
    one = guest(TICKS)
    machine.want(one)
    machine.printed(one, "tick")
    machine.want(afflicted(one, Affliction("fault-1", "hung")))
    eventually(lambda: hangs(machine, one))
    stood = ticks(machine, one)
    machine.want(one)
    eventually(lambda: ticks(machine, one) > stood)
    machine.drop(one)


def test_a_hung_guest_can_be_stopped(machine: Machine) -> None:
    one = guest(TICKS, stop_seconds=1)
    machine.want(afflicted(one, Affliction("fault-1", "hung")))
    eventually(lambda: hangs(machine, one))
    machine.drop(one)
    assert machine.ended(one).reason == "stopped: killed, as it did not end within 1 s of SIGTERM"
    assert not processes_of(machine.home, one)


def test_processors_are_taken_within_the_guest_and_given_back(machine: Machine) -> None:
    one = guest("exec sleep 1000")
    machine.want(afflicted(one, Affliction("fault-1", "cpu", {"cores": 2, "percent": 10})))
    eventually(lambda: len(burdens(machine, one)) == 2)
    eventually(lambda: all(it.cpu_times().user > 0 for it in burdens(machine, one)))
    machine.want(one)
    eventually(lambda: not burdens(machine, one))
    assert machine.running(one)
    machine.drop(one)


def test_memory_is_taken_to_the_size_that_is_said(machine: Machine) -> None:
    one = guest("exec sleep 1000")
    machine.want(afflicted(one, Affliction("fault-1", "memory", {"megabytes": 64, "percent": 10})))
    eventually(lambda: sum(_resident(it) for it in burdens(machine, one)) > 60 * 2**20)
    assert sum(_resident(it) for it in burdens(machine, one)) < 100 * 2**20
    machine.drop(one)


def test_a_disk_is_written_to_a_size_and_nothing_of_it_is_left(machine: Machine) -> None:
    one = guest("exec sleep 1000")
    machine.want(afflicted(one, Affliction("fault-1", "disk", {"megabytes": 8, "megabytes_per_second": 100})))

    def written() -> int:
        return sum(path.stat().st_size for it in burdens(machine, one) for path in _deleted_files(it))

    eventually(lambda: written() == 8 * 2**20)
    machine.want(one)
    eventually(lambda: not burdens(machine, one))
    assert not list((machine.home / "instances" / one.id / "root").glob(".burden*"))
    machine.drop(one)


def test_a_machine_that_fails_tells_its_guest_nothing(machine: Machine) -> None:
    one = guest("trap 'echo told' TERM; while true; do echo tick; sleep 0.1; done", stop_seconds=30)
    machine.want(one)
    machine.printed(one, "tick")
    machine.want(replace(one, running=False, failed=True))
    ended = machine.ended(one, within=20)
    assert (ended.reason, ended.exit_status) == ("its machine has failed", -9)
    assert "told" not in machine.console(one)
    assert not processes_of(machine.home, one)


def test_a_fault_that_lasts_meets_the_guest_again_when_it_boots_again(machine: Machine) -> None:
    one = afflicted(guest(TICKS), Affliction("fault-1", "hung"))
    machine.want(one)
    eventually(lambda: hangs(machine, one))
    machine.want(replace(one, boot=2))
    machine.running(one, boot=2)
    eventually(lambda: hangs(machine, one))
    machine.drop(one)


@pytest.mark.skipif(library() is None, reason="libfaketime is not installed")
def test_a_skewed_clock_is_off_from_the_next_boot_on(machine: Machine) -> None:
    one = guest("date +year=%Y; exec sleep 1000")
    skew = Affliction("fault-1", "clock", {"offset_seconds": 20 * 366 * 86400.0})
    machine.want(afflicted(one, skew))
    later = int(time.strftime("%Y")) + 20
    machine.printed(one, f"year={later}")
    machine.want(replace(one, boot=2))
    machine.printed(one, f"year={time.strftime('%Y')}")
    machine.drop(one)


def test_nothing_of_a_fault_outlives_the_host(new_machine: Callable[[], Machine]) -> None:
    machine = new_machine()
    one = guest(TICKS)
    hung = Affliction("fault-1", "hung")
    burden = Affliction("fault-2", "cpu", {"cores": 2, "percent": 1})
    machine.want(afflicted(one, burden))
    eventually(lambda: len(burdens(machine, one)) == 2)
    machine.want(afflicted(one, burden, hung))
    eventually(lambda: hangs(machine, one))
    pids = processes_of(machine.home, one)
    machine.process.kill()
    eventually(lambda: not any(alive(pid) for pid in pids), within=30)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _deleted_files(process: psutil.Process) -> list[Path]:
    folder = Path(f"/proc/{process.pid}/fd")
    try:
        return [it for it in folder.iterdir() if str(it.readlink()).endswith(" (deleted)")]
    except OSError:
        return []
