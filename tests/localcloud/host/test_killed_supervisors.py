"""Whichever supervisor is killed with -9, no guest's process lives on, and the others are not harmed."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.localcloud.host.machine import Machine, alive, guest, kill, parent, processes_named, processes_of
from tests.waiting import eventually

_FAMILY = "(setsid sleep 1000 &); sleep 1000 & trap '' TERM; echo up; while :; do sleep 0.1; done"


def _booted(machine: Machine, count: int = 3) -> None:
    guests = [guest(_FAMILY) for _ in range(count)]
    machine.want(*guests)
    for it in guests:
        machine.guests[it.id] = it
        machine.printed(it, "up")
    eventually(lambda: len(processes_of(machine.home)) >= 3 * count)


def test_a_killed_host_leaves_nothing(new_machine: Callable[[], Machine]) -> None:
    machine = new_machine()
    _booted(machine)
    nursery = machine.nursery
    kill(machine.process.pid)
    machine.process.wait()
    eventually(lambda: not processes_of(machine.home) and not alive(nursery))


def test_a_killed_shim_takes_its_guest_with_it_and_no_other(new_machine: Callable[[], Machine]) -> None:
    machine = new_machine()
    _booted(machine)
    first, *others = machine.guests.values()
    kill(machine.shims(first)[0])
    ended = machine.ended(first)
    assert ended.state == "failed"
    assert ended.reason == "its supervisor was killed by signal 9 (SIGKILL), and it was ended with it"
    assert processes_of(machine.home, first) == []
    assert all(machine.status(it).state == "running" for it in others)


def test_a_killed_nursery_ends_its_guests_and_is_replaced(new_machine: Callable[[], Machine]) -> None:
    machine = new_machine()
    _booted(machine)
    nursery = machine.nursery
    kill(nursery)
    for it in machine.guests.values():
        ended = machine.ended(it)
        assert (ended.state, ended.reason) == (
            "failed",
            "its supervisor was killed, and it was ended with it",
        )
    assert processes_of(machine.home) == []
    another = guest("sleep 1000")
    machine.want(another)
    machine.running(another)
    assert machine.nursery != nursery


def test_a_nursery_killed_with_all_its_shims_leaves_nothing(new_machine: Callable[[], Machine]) -> None:
    machine = new_machine()
    _booted(machine)
    nursery = machine.nursery
    for shim in [pid for pid in processes_named("paved-guest") if parent(pid) == nursery]:
        kill(shim)
    kill(nursery)
    for it in machine.guests.values():
        assert machine.ended(it).state == "failed"
    eventually(lambda: not processes_of(machine.home))


def test_what_every_killed_supervisor_left_is_ended_by_the_next_host(
    new_machine: Callable[[], Machine],
) -> None:
    machine = new_machine()
    _booted(machine)
    nursery = machine.nursery
    shims = [pid for pid in processes_named("paved-guest") if parent(pid) == nursery]
    for pid in (machine.process.pid, nursery, *shims):
        kill(pid)
    machine.process.wait()
    new_machine()
    assert processes_of(machine.home) == []


def test_a_host_told_to_stop_stops_its_guests(new_machine: Callable[[], Machine]) -> None:
    machine = new_machine()
    it = guest("trap 'echo going > gone; exit' TERM; echo up; while :; do sleep 0.1; done")
    machine.want(it)
    machine.printed(it, "up")
    nursery = machine.nursery
    machine.process.send_signal(signal.SIGTERM)
    assert machine.process.wait(40) == 0, machine.log()
    assert (machine.home / "instances" / it.id / "root/gone").exists()
    assert not alive(nursery)


def test_a_second_host_on_the_same_home_is_refused(new_machine: Callable[[], Machine]) -> None:
    first = new_machine()
    with pytest.raises(AssertionError, match=f"Another host process works on {first.home} already"):
        new_machine()
