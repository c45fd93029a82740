"""The host's interface, as the API process uses it."""

from __future__ import annotations

import threading
import time

from pavedroad.localcloud.wanted import WIRE, Actual, ActualChange, Wanted, WantedChange
from tests.localcloud.host.machine import Machine, guest
from tests.waiting import eventually


def _poll(machine: Machine, epoch: str, revision: int, wait: float) -> ActualChange:
    query = f"/actual?epoch={epoch}&revision={revision}&wait={wait}&changes=1"
    return WIRE.loads(ActualChange, machine.http.get(query).content)


def test_a_change_for_another_host_is_refused_and_changes_nothing(machine: Machine) -> None:
    it = guest("sleep 1000")
    change = WantedChange("another", 5, {it.id: it})
    answer = machine.http.patch("/wanted", content=WIRE.dumps(change))
    assert (answer.status_code, answer.json()["epoch"]) == (409, machine.epoch)
    assert it.id not in {status.id for status in machine.actual().guests}


def test_a_poll_answers_at_once_with_what_has_changed_and_nothing_else(machine: Machine) -> None:
    first = guest("sleep 1000")
    machine.want(first)
    machine.running(first)
    known = machine.actual()
    second = guest("sleep 1000")
    threading.Timer(0.3, machine.want, [second]).start()
    began = time.monotonic()
    revision, told = known.revision, list[str]()
    while not told:
        change = _poll(machine, known.epoch, revision, 30)
        assert change.revision > revision
        revision, told = change.revision, [status.id for status in change.guests]
    assert time.monotonic() - began < 20
    assert told == [second.id]
    machine.running(second)


def test_a_poll_without_news_answers_when_its_time_is_up(machine: Machine) -> None:

    def unchanged() -> ActualChange | None:
        known = machine.actual()
        change = _poll(machine, known.epoch, known.revision, 0.2)
        return change if change.revision == known.revision else None

    change = eventually(unchanged)
    assert change
    assert (change.guests, change.targets, change.gone) == ((), (), ())


def test_a_poller_of_an_earlier_host_is_told_everything_at_once(machine: Machine) -> None:
    answer = machine.http.get("/actual?epoch=earlier&revision=999999&wait=30&changes=1")
    assert WIRE.loads(Actual, answer.content).epoch == machine.epoch


def test_what_a_whole_wanted_does_not_name_is_stopped(machine: Machine) -> None:
    it, other = guest("sleep 1000"), guest("sleep 1000")
    machine.want(it, other)
    machine.running(it)
    machine.running(other)
    wanted = Wanted(1_000, (other,), (), ())
    machine.http.put("/wanted", content=WIRE.dumps(wanted)).raise_for_status()
    assert machine.ended(it).reason == "stopped: killed by signal 15 (SIGTERM)"
    assert machine.status(other).state == "running"


def test_bad_messages_are_refused_with_a_sentence(machine: Machine) -> None:
    for content in (
        b"",
        b"{",
        b"[]",
        b'{"revision": 1}',
        b'{"revision": "x", "guests": [], "pools": [], "fronts": []}',
    ):
        answer = machine.http.put("/wanted", content=content)
        assert answer.status_code == 400
        assert answer.json()["reason"].endswith(".")
    assert machine.http.get("/actual?revision=x").status_code == 400
    assert machine.http.get("/guests/i-unknown/console").status_code == 404


def test_waiting_for_routes_tells_when_they_serve(machine: Machine) -> None:
    revision = 2_000
    machine.http.put("/wanted", content=WIRE.dumps(Wanted(revision, (), (), ()))).raise_for_status()
    answer = machine.http.post(f"/routes/{revision}/wait?seconds=30")
    assert (answer.status_code, answer.json()) == (200, {"revision": revision, "refused": {}, "impaired": {}})
    late = machine.http.post(f"/routes/{revision + 1}/wait?seconds=0.1")
    assert late.status_code == 504
    assert "has not acknowledged" in late.json()["reason"]
