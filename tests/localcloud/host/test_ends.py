"""Whatever a guest's process does, it ends in a true state with a reason, and nothing of it is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.localcloud.host.machine import Machine, alive, guest, kill, processes_of
from tests.waiting import eventually


@pytest.mark.parametrize(
    ("command", "state", "status", "reason"),
    [
        ("true", "exited", 0, "exited with status 0"),
        ("sh -c 'exit 3'", "exited", 3, "exited with status 3"),
        ("kill -SEGV $$", "exited", -11, "killed by signal 11 (SIGSEGV)"),
        ("./serve", "failed", None, "could not start: No such file or directory: './serve'"),
        ("no-such-program --port $PORT", "failed", None, "could not start: No such file or directory"),
        ("/etc/passwd", "failed", None, "could not start: Permission denied: '/etc/passwd'"),
        ("$NOTHING/serve", "failed", 127, "could not start: /bin/sh: "),
    ],
)
def test_a_process_that_ends_by_itself_is_told_as_it_ended(
    machine: Machine, command: str, state: str, status: int | None, reason: str
) -> None:
    it = guest(command)
    machine.want(it)
    ended = machine.ended(it)
    assert (ended.state, ended.exit_status) == (state, status)
    assert ended.reason.startswith(reason)
    assert ended.ended_at is not None
    assert processes_of(machine.home, it) == []


def test_a_crash_at_boot_leaves_its_words_on_the_console(machine: Machine) -> None:
    it = guest("python3 -c 'import no_such_module'")
    machine.want(it)
    assert machine.ended(it).reason == "exited with status 1"
    assert "No module named 'no_such_module'" in machine.console(it)


def test_stopping_is_graceful_first(machine: Machine) -> None:
    it = guest("trap 'echo going; exit 0' TERM; echo up; while :; do sleep 0.1; done", stop_seconds=20)
    machine.want(it)
    machine.printed(it, "up")
    machine.drop(it)
    ended = machine.ended(it)
    assert (ended.state, ended.exit_status, ended.reason) == ("exited", 0, "stopped: exited with status 0")
    assert "going" in machine.console(it)


def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(machine: Machine) -> None:
    it = guest("trap '' TERM; echo up; while :; do sleep 0.1; done", stop_seconds=1)
    machine.want(it)
    machine.printed(it, "up")
    machine.drop(it)
    ended = machine.ended(it)
    assert ended.reason == "stopped: killed, as it did not end within 1 s of SIGTERM"
    assert processes_of(machine.home, it) == []


_DAEMON = """
import os, time, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.chdir("/")
        print("daemon", os.getpid(), flush=True)
        time.sleep(1000)
    os._exit(0)
"""


def test_a_daemon_that_forked_twice_ends_with_its_guest(machine: Machine) -> None:
    it = guest(f"python3 -c '{_DAEMON}\ntime.sleep(1000)'", stop_seconds=1)
    machine.want(it)
    daemon = int(machine.printed(it, "daemon").split("daemon")[1].split()[0])
    machine.drop(it)
    machine.ended(it)
    assert not alive(daemon)
    assert processes_of(machine.home, it) == []


def test_a_daemon_that_outlives_the_main_process_is_ended(machine: Machine) -> None:
    it = guest(f"python3 -c '{_DAEMON}\ntime.sleep(1)'")
    machine.want(it)
    ended = machine.ended(it)
    assert ended.reason == "exited with status 0"
    assert processes_of(machine.home, it) == []


def test_a_process_with_hundreds_of_children_leaves_none(machine: Machine) -> None:
    children = "for n in $(seq 300); do setsid sleep 1000 & done; echo up; wait"
    it = guest(f"trap '' TERM; {children}", stop_seconds=1)
    machine.want(it)
    machine.printed(it, "up")
    eventually(lambda: len(processes_of(machine.home, it)) > 300)
    machine.drop(it)
    machine.ended(it)
    assert processes_of(machine.home, it) == []


def test_a_process_that_keeps_forking_is_ended(machine: Machine) -> None:
    forking = "import os,time\nwhile True:\n if os.fork(): time.sleep(0.01); os._exit(0)"
    it = guest(f"python3 -c '{forking}' & echo up; sleep 1000", stop_seconds=1)
    machine.want(it)
    machine.printed(it, "up")
    machine.drop(it)
    machine.ended(it)
    assert processes_of(machine.home, it) == []


def test_a_flood_of_output_stays_within_its_bounds(machine: Machine) -> None:
    it = guest("yes 0123456789abcdef")
    machine.want(it)
    folder = machine.home / "instances" / it.id
    eventually((folder / "console.old").exists)
    machine.drop(it)
    machine.ended(it)
    assert sum(file.stat().st_size for file in folder.glob("console.*")) <= 2 * (1 << 20) + 4096
    assert len(machine.console(it)) == 64 * 1024


def test_a_main_process_killed_from_outside_is_told_as_killed(machine: Machine) -> None:
    it = guest("sleep 1000")
    machine.want(it)
    pid = machine.running(it).pid
    assert pid is not None
    kill(pid)
    assert machine.ended(it).reason == "killed by signal 9 (SIGKILL)"


def test_a_higher_boot_starts_it_again_on_its_disk(machine: Machine) -> None:
    it = guest("sh -c 'echo boot >> boots; wc -l boots; sleep 1000'")
    machine.want(it)
    machine.printed(it, "1 boots")
    again = replace(it, boot=2)
    machine.want(again)
    machine.running(again, boot=2)
    machine.printed(again, "2 boots")


def test_an_ended_guest_is_not_started_again_by_itself(machine: Machine) -> None:
    it = guest("true")
    machine.want(it)
    first = machine.ended(it)
    machine.want(it)
    assert machine.ended(it) == first
