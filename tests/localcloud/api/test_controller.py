from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from pavedroad.localcloud.api.ec2.controller import AT_ONCE, Controller, Managed
from pavedroad.localcloud.api.ec2.facts import Facts
from pavedroad.localcloud.api.ec2.life import Life
from pavedroad.localcloud.faults.effects import Effects
from pavedroad.localcloud.faults.model import Fault
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import Guest, GuestImage, GuestState, GuestStatus
from tests.waiting import eventually


@dataclass
class Machine:
    id: str
    life: Life = field(default_factory=Life)
    impaired: bool = False
    availability_zone: str | None = "us-east-1a"
    ends: bool = False
    taken_down: bool = False
    tags: dict[str, str] = field(default_factory=dict[str, str])

    def take_down(self) -> None:
        self.taken_down = True


class Machines:
    """Instances without EC2 around them."""

    def __init__(self, *machines: Machine) -> None:
        self.all = list(machines)

    def instances(self) -> Iterator[Managed]:
        return iter(self.all)

    def fingerprint(self, instance: Managed) -> object:
        assert isinstance(instance, Machine)
        return (instance.life.boot, tuple(instance.tags.items()))

    def facts(self, instance: Managed) -> Facts:
        assert isinstance(instance, Machine)
        texts: dict[str, Any] = dict.fromkeys(Facts.__slots__, "")
        texts |= {"id": instance.id, "boot": instance.life.boot, "image": GuestImage("ami-1")}
        texts |= {"tags": dict(instance.tags), "security_groups": (), "credentials": None}
        return Facts(**texts | {"launch_index": 0, "require_token": False, "metadata_tags": True})

    def advance(self, now: datetime) -> bool:
        return False

    def forget(self, ended_before: datetime) -> list[str]:
        return []


class HostOnPaper:
    """What the host was told, and what it says."""

    def __init__(self) -> None:
        self.wanted: dict[str, Guest] = {}
        self.tellings = 0
        self.said: dict[str, GuestStatus] = {}

    def guest(self, guest_id: str) -> GuestStatus | None:
        return self.said.get(guest_id)

    def want_guests(self, guests: dict[str, Guest | None]) -> int:
        self.tellings += 1
        for key, guest in guests.items():
            if guest is None:
                self.wanted.pop(key, None)
            else:
                self.wanted[key] = guest
        return self.tellings

    def taken(self, revision: int) -> bool:
        return True

    def says(self, guest_id: str, state: GuestState, boot: int = 1, reason: str = "") -> None:
        self.said[guest_id] = GuestStatus(guest_id, boot, state, 1, 1.0, None, None, reason)


def test_an_instance_becomes_a_guest_and_follows_it() -> None:
    machine, host = Machine("i-1"), HostOnPaper()
    controller = Controller(State(), Machines(machine), host)
    controller.step()
    assert host.wanted["i-1"].boot == 1
    host.says("i-1", "running")
    controller.step()
    assert machine.life.state == "running"


def test_an_instance_that_cannot_be_described_keeps_no_other_from_starting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    odd, machine, host = Machine("i-0"), Machine("i-1"), HostOnPaper()
    machines = Machines(odd, machine)
    facts = machines.facts

    def some(instance: Managed) -> Facts:
        if instance is odd:
            raise AttributeError("of what its launch brought")
        return facts(instance)

    machines.facts = some
    Controller(State(), machines, host).step()
    assert list(host.wanted) == ["i-1"]
    assert "i-0" in caplog.text


def test_nothing_is_told_twice_and_what_changes_is_told() -> None:
    machine, host = Machine("i-1"), HostOnPaper()
    controller = Controller(State(), Machines(machine), host)
    for _ in range(3):
        controller.step()
    assert host.tellings == 1
    machine.tags["Name"] = "web"
    controller.step()
    assert host.wanted["i-1"].metadata["meta-data/tags/instance/Name"] == "web"


def test_a_guest_that_exits_by_itself_is_wanted_no_longer_running_but_with_its_disk() -> None:
    machine, host = Machine("i-1"), HostOnPaper()
    controller = Controller(State(), Machines(machine), host)
    controller.step()
    host.says("i-1", "exited", reason="exited with status 1")
    controller.step()
    assert machine.life.state == "stopped"
    assert not host.wanted["i-1"].running


def test_a_stopped_instance_stays_known_to_the_host_until_it_is_terminated() -> None:
    machine, host = Machine("i-1"), HostOnPaper()
    controller = Controller(State(), Machines(machine), host)
    controller.step()
    host.says("i-1", "running")
    controller.step()
    machine.life.stop("i-1", datetime.now().astimezone())
    controller.step()
    assert not host.wanted["i-1"].running
    host.says("i-1", "exited")
    controller.step()
    assert machine.life.state == "stopped"
    Controller(State(), Machines(machine), later := HostOnPaper()).step()
    assert not later.wanted["i-1"].running
    machine.life.start("i-1")
    controller.step()
    assert (host.wanted["i-1"].running, host.wanted["i-1"].boot) == (True, 2)
    machine.life.stop("i-1", datetime.now().astimezone())
    machine.life.terminate(datetime.now().astimezone())
    controller.step()
    assert "i-1" not in host.wanted


def test_a_terminated_instance_is_taken_down_when_its_guest_has_ended() -> None:
    machine, host = Machine("i-1"), HostOnPaper()
    controller = Controller(State(), Machines(machine), host)
    controller.step()
    host.says("i-1", "running")
    controller.step()
    machine.life.terminate(datetime.now().astimezone())
    controller.step()
    assert "i-1" not in host.wanted
    assert not machine.taken_down
    host.says("i-1", "exited")
    controller.step()
    assert machine.life.state == "terminated"
    assert machine.taken_down


def test_an_instance_whose_guest_the_host_does_not_know_ends_after_a_while() -> None:
    machine, host = Machine("i-1"), HostOnPaper()
    controller = Controller(State(), Machines(machine), host)
    controller.step()
    machine.life.terminate(datetime.now().astimezone())

    def ended() -> bool:
        controller.step()
        return machine.life.state == "terminated"

    controller.step()
    assert machine.life.state == "shutting-down"
    eventually(ended)


def test_the_controllers_thread_wakes_on_a_ring() -> None:
    state, machine, host = State(), Machine("i-1"), HostOnPaper()
    controller = Controller(state, Machines(machine), host)
    controller.start()
    try:
        eventually(lambda: "i-1" in host.wanted)
        host.says("i-1", "running")
        state.ring()
        eventually(lambda: machine.life.state == "running")
    finally:
        controller.close()


def test_the_instances_of_a_zone_that_fails_die_and_those_of_others_live() -> None:
    here, there, host = Machine("i-1"), Machine("i-2", availability_zone="us-east-1b"), HostOnPaper()
    faults = Effects([fault("zone-down", "us-east-1a")])
    controller = Controller(State(), Machines(here, there), host)
    controller.step()
    host.says("i-1", "running")
    host.says("i-2", "running")
    controller.step()
    controller = Controller(State(), Machines(here, there), host, faults=faults)
    controller.step()
    assert (host.wanted["i-1"].failed, host.wanted["i-1"].running) == (True, False)
    assert (host.wanted["i-2"].failed, host.wanted["i-2"].running) == (False, True)
    host.says("i-1", "exited")
    controller.step()
    assert (here.life.state, here.life.reason_code) == ("terminated", "Server.InternalError")
    assert here.taken_down
    assert there.life.state == "running"
    assert "i-1" not in host.wanted


def test_an_instance_that_hangs_is_impaired_while_it_does() -> None:
    machine, host = Machine("i-1"), HostOnPaper()
    controller = Controller(State(), Machines(machine), host, faults=Effects([fault("instance-hung", "i-1")]))
    controller.step()
    [affliction] = host.wanted["i-1"].afflictions
    assert affliction.ailment == "hung"
    host.says("i-1", "running")
    controller.step()
    assert machine.impaired
    controller = Controller(State(), Machines(machine), host)
    controller.step()
    assert not machine.impaired
    assert host.wanted["i-1"].afflictions == ()


def fault(kind: str, target: str) -> Fault:
    now = datetime.now(UTC)
    return Fault("fault-1", kind, target, now, now, "")


class Turns(State):
    """Counts what is looked at between two moments at which the lock is given up."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = [0]

    def looked(self) -> None:
        self.turns[-1] += 1

    def give_way(self) -> None:
        with ThreadPoolExecutor(1) as other:
            assert other.submit(self.lock.acquire, timeout=10).result()
            other.submit(self.lock.release).result()
        self.turns.append(0)


def test_many_instances_are_looked_at_in_turns_between_which_calls_have_theirs() -> None:
    state = Turns()

    class Watched(Machines):
        def fingerprint(self, instance: Managed) -> object:
            state.looked()
            return super().fingerprint(instance)

    machines, host = [Machine(f"i-{number}") for number in range(2 * AT_ONCE + 7)], HostOnPaper()
    controller = Controller(state, Watched(*machines), host)
    controller.step()
    assert len(host.wanted) == len(machines)
    assert state.turns == [AT_ONCE, AT_ONCE, 7]
    for machine in machines:
        host.says(machine.id, "running")
    controller.step()
    assert {machine.life.state for machine in machines} == {"running"}
