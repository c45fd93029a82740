"""What a guest finds when it boots: its environment, its address, its user data."""

from __future__ import annotations

import os

import httpx

from tests.localcloud.host.machine import ENDPOINT, Machine, alive, guest, processes_of
from tests.waiting import eventually


def test_a_guest_gets_its_own_environment_and_nothing_of_the_hosts(machine: Machine) -> None:
    it = guest("sh -c 'env; echo complete; sleep 1000'", environment={"PORT": "8080", "COLOUR": "green"})
    machine.want(it)
    shown = machine.printed(it, "complete").splitlines()
    found = dict(line.split("=", 1) for line in shown if "=" in line)
    assert found["HOST"] == it.address
    assert (found["PORT"], found["COLOUR"]) == ("8080", "green")
    assert found["HOME"] == found["PWD"] == str(machine.home / "instances" / it.id / "root")
    assert found["PAVED_INSTANCE_ID"] == it.id
    assert (found["AWS_REGION"], found["AWS_DEFAULT_REGION"]) == ("us-east-1", "us-east-1")
    assert found["AWS_ENDPOINT_URL"] == ENDPOINT
    assert found["AWS_EC2_METADATA_SERVICE_ENDPOINT"].startswith(f"http://{it.address}:")
    assert not [name for name in found if name.startswith(("PYTEST", "VIRTUAL_ENV", "PYTHON"))]


def test_a_guest_inherits_no_descriptor_of_its_supervisors(machine: Machine) -> None:
    it = guest("sleep 1000", user_data="#!/bin/sh\nsleep 1000 &\n")
    machine.want(it)
    machine.printed(it, "the user data exited with status 0")
    for pid in processes_of(machine.home, it):
        assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"]


def test_two_guests_listen_on_the_same_port(machine: Machine) -> None:
    guests = [
        guest("python3 -m http.server $PORT --bind $HOST", environment={"PORT": "8080"}) for _ in range(2)
    ]
    machine.want(*guests)
    for it in guests:
        machine.running(it)

        def answers(address: str = it.address) -> bool:
            try:
                return httpx.get(f"http://{address}:8080/").status_code == 200
            except httpx.TransportError:
                return False

        assert eventually(answers, within=40)


def test_a_bare_machine_idles_until_it_is_stopped(machine: Machine) -> None:
    it = guest()
    machine.want(it)
    assert machine.running(it).pid is None
    machine.drop(it)
    ended = machine.ended(it)
    assert (ended.state, ended.reason) == ("exited", "stopped")


def test_user_data_of_a_bare_machine_runs_and_what_it_starts_stays(machine: Machine) -> None:
    it = guest(user_data="#!/bin/sh\necho hello from user data\nsleep 1000 &\necho started $!\n")
    machine.want(it)
    console = machine.printed(it, "the user data exited with status 0")
    assert "hello from user data" in console
    started = int(console.split("started")[1].split()[0])
    assert alive(started)
    assert machine.status(it).state == "running"
    machine.drop(it)
    machine.ended(it)
    assert not alive(started)
    assert processes_of(machine.home, it) == []


def test_user_data_runs_before_the_command_and_its_failure_does_not_prevent_it(machine: Machine) -> None:
    it = guest("sh -c 'cat prepared; sleep 1000'", user_data="#!/bin/sh\necho ready > prepared\nexit 7\n")
    machine.want(it)
    console = machine.printed(it, "ready")
    assert "the user data exited with status 7" in console
    assert machine.running(it).pid is not None


def test_user_data_that_cannot_be_run_is_told_on_the_console(machine: Machine) -> None:
    it = guest("sleep 1000", user_data="#!/no/such/interpreter\n")
    machine.want(it)
    machine.printed(it, "the user data could not be run: No such file or directory")
    assert machine.running(it).pid is not None


def test_user_data_that_is_no_script_is_only_data(machine: Machine) -> None:
    it = guest("sleep 1000", user_data="colour: green\n")
    machine.want(it)
    machine.running(it)
    assert "user data" not in machine.console(it)
