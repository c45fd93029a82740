from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from pavedroad.localcloud.api.ec2.life import Life
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.wanted import GuestState, GuestStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def guest(state: GuestState, *, boot: int = 1, reason: str = "") -> GuestStatus:
    return GuestStatus("i-1", boot, state, 42, 1.0, None, None, reason)


def see(life: Life, status: GuestStatus | None, *, settled: bool = False, ends: bool = False) -> bool:
    return life.observe(status, NOW, settled=settled, ends=ends)


def running() -> Life:
    life = Life()
    see(life, guest("running"))
    return life


def test_an_instance_is_pending_until_its_process_runs() -> None:
    life = Life()
    see(life, guest("starting"))
    assert (life.state, life.code) == ("pending", 0)
    assert see(life, guest("running"))
    assert (life.state, life.code) == ("running", 16)


def test_a_machine_that_fails_ends_its_instance_and_says_so_to_the_end() -> None:
    life = running()
    assert life.fail("the zone has failed", NOW, ends=True)
    assert not life.fail("again", NOW, ends=True)
    assert (life.state, life.should_run, life.keeps_disk) == ("shutting-down", False, True)
    life.terminate(NOW, reason="cleared away")
    see(life, guest("exited", reason="its machine has failed"))
    assert (life.state, life.keeps_disk, life.reason_code) == ("terminated", False, "Server.InternalError")
    assert "the zone has failed" in life.reason


def test_a_machine_that_fails_may_leave_an_instance_that_starts_elsewhere() -> None:
    life = running()
    life.fail("the machine has failed", NOW, ends=False)
    see(life, guest("exited"))
    assert (life.state, life.keeps_disk) == ("stopped", True)
    life.start("i-1")
    see(life, guest("running", boot=2))
    assert (life.state, life.failed, life.reason) == ("running", False, "")


def test_a_process_that_exits_stops_its_instance_and_says_why() -> None:
    life = running()
    see(life, guest("exited", reason="exited with status 3"))
    assert life.state == "stopped"
    assert life.reason_code == "Client.InstanceInitiatedShutdown"
    assert "exited with status 3" in life.reason
    assert "exited with status 3" in life.transition
    assert not life.should_run


def test_an_instance_that_is_to_terminate_on_shutdown_does_when_its_process_exits() -> None:
    life = running()
    see(life, guest("exited", reason="exited with status 0"), ends=True)
    assert (life.state, life.wish) == ("terminated", "terminate")


def test_a_process_that_could_not_start_is_the_servers_error() -> None:
    life = Life()
    see(life, guest("failed", reason="could not start: No such file or directory: './serve'"))
    assert life.state == "stopped"
    assert life.reason_code == "Server.InternalError"
    assert "./serve" in life.reason


def test_stopping_takes_until_the_process_has_ended() -> None:
    life = running()
    life.stop("i-1", NOW)
    assert life.state == "stopping"
    see(life, guest("stopping"), settled=True)
    assert life.state == "stopping"
    see(life, guest("exited", reason="killed by signal 15 (SIGTERM)"))
    assert life.state == "stopped"
    assert life.reason_code == "Client.UserInitiatedShutdown"


def test_an_instance_that_never_ran_ends_once_the_host_is_known_to_have_none() -> None:
    life = Life()
    life.terminate(NOW)
    assert not see(life, None)
    assert life.state == "shutting-down"
    see(life, None, settled=True)
    assert life.state == "terminated"


def test_what_is_said_of_an_earlier_boot_does_not_touch_the_present_one() -> None:
    life = running()
    see(life, guest("exited"))
    life.start("i-1")
    assert (life.state, life.boot) == ("pending", 2)
    assert not see(life, guest("exited", boot=1))
    assert life.state == "pending"
    see(life, guest("running", boot=2))
    assert life.state == "running"


def test_a_reboot_raises_the_boot_and_keeps_the_state() -> None:
    life = running()
    life.reboot("i-1")
    assert (life.state, life.boot) == ("running", 2)
    assert not see(life, guest("exited", boot=1))
    assert life.state == "running"


def test_a_stopped_instance_terminates_at_once() -> None:
    life = running()
    see(life, guest("exited"))
    life.terminate(NOW)
    assert (life.state, life.ended_at) == ("terminated", NOW)


def test_a_terminated_instance_cannot_be_started_stopped_or_rebooted() -> None:
    life = Life(state="terminated", wish="terminate")
    for act in (lambda: life.start("i-1"), lambda: life.stop("i-1", NOW), lambda: life.reboot("i-1")):
        with pytest.raises(ServiceError) as refused:
            act()
        assert refused.value.code == "IncorrectInstanceState"
        assert "it is terminated" in refused.value.message


def test_after_the_host_was_started_anew_an_instance_is_pending_until_it_runs_again() -> None:
    life = running()
    life.power_on_again()
    assert (life.state, life.boot) == ("pending", 1)
    see(life, guest("running"))
    assert life.state == "running"


def test_whoever_watches_hears_of_every_change_and_is_not_saved() -> None:
    life, states = Life(), list[str]()
    life.watcher = lambda: states.append(life.state)
    see(life, guest("running"))
    life.stop("i-1", NOW)
    assert ("running" in states, states[-1]) == (True, "stopping")
    restored = pickle.loads(pickle.dumps(life))
    assert (restored, restored.watcher) == (life, None)
