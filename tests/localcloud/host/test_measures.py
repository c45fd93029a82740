"""What guests use is counted by the kernel, to the end and for all their processes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.localcloud.host.machine import Machine, guest
from tests.waiting import eventually

pytestmark = pytest.mark.ordinary

# Without control groups the kernel counts in whole ticks, each kind of time apart: what is burnt is a little
# more than what is looked for.
_BURN = "python3 -c 'import time\nwhile time.process_time() < {}: pass'"


def test_the_processor_time_of_processes_that_have_ended_still_counts(machine: Machine) -> None:
    it = guest(f"for n in 1 2 3; do {_BURN.format(0.25)}; done; touch done; sleep 1000")
    machine.want(it)
    machine.running(it)
    root = machine.home / "instances" / it.id / "root"
    eventually((root / "done").exists)
    measured = machine.measured(it)
    assert measured.running
    assert measured.boot == 1
    assert 0.6 <= measured.cpu_seconds < 3


def test_counters_only_rise_while_a_guest_idles(machine: Machine) -> None:
    it = guest("sleep 1000")
    machine.want(it)
    machine.running(it)
    first = machine.measured(it)
    second = machine.measured(it)
    assert second.cpu_seconds >= first.cpu_seconds
    assert second.at >= first.at
    assert second.memory_bytes > 0


def test_the_last_word_on_a_guest_counts_to_its_end(machine: Machine) -> None:
    it = guest(_BURN.format(0.35))
    machine.want(it)
    machine.ended(it)
    measured = machine.measured(it)
    assert not measured.running
    assert 0.3 <= measured.cpu_seconds < 2
    assert not [one for one in machine.measurements(since=measured.at).guests if one.id == it.id]


def test_what_reaches_the_disk_is_counted(machine: Machine) -> None:
    it = guest("dd if=/dev/zero of=filled bs=65536 count=64 2>/dev/null; sync filled; sleep 1000")
    machine.want(it)
    machine.running(it)
    before = machine.measured(it)
    if before.written_bytes is None:
        return  # a kernel that does not count it
    root = machine.home / "instances" / it.id / "root"
    eventually(lambda: (root / "filled").exists() and (root / "filled").stat().st_size == 64 * 65536)
    # As they reach it, which is after they were written.
    eventually(lambda: (machine.measured(it).written_bytes or 0) >= 64 * 65536)


def test_another_boot_counts_anew(machine: Machine) -> None:
    it = guest(_BURN.format(0.3) + "; sleep 1000")
    machine.want(it)
    machine.running(it)
    eventually(lambda: machine.measured(it).cpu_seconds >= 0.2)
    again = replace(it, boot=2)
    machine.want(again)
    machine.running(it, boot=2)
    boots = {one.boot: one for one in machine.measurements().guests if one.id == it.id}
    assert not boots[1].running
    assert boots[1].cpu_seconds >= 0.2
    assert boots[2].running
