"""Services that listen at every address, as most do by default, on guests that share one network."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pavedroad.core.confinement import WISH
from pavedroad.localcloud.host.nursery import binding
from pavedroad.localcloud.wanted import Guest
from tests.localcloud.host.machine import Machine, guest
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(not binding.possible(None), reason="this kernel lets nobody watch bind(2)")

_ANYWHERE = """
import json, os, signal, socket, threading

HOST, PORT = os.environ["HOST"], int(os.environ["PORT"])
said = {}

def bound(name, family, address, kind=socket.SOCK_STREAM, **options):
    it = socket.socket(family, kind)
    if "only" in options:
        it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, options["only"])
    try:
        it.bind(address)
        if kind == socket.SOCK_STREAM:
            it.listen()
        said[name] = it.getsockname()[:2]
    except OSError as error:
        said[name] = error.errno
    return it

V4, V6 = socket.AF_INET, socket.AF_INET6
kept = [
    bound("plain", V4, ("0.0.0.0", PORT)),
    bound("again", V4, ("0.0.0.0", PORT)),
    bound("both", V6, ("::", PORT + 1), only=0),
    bound("six", V6, ("::", PORT), only=1),
    bound("mapped", V6, ("::ffff:0.0.0.0", PORT + 2), only=0),
    bound("datagrams", V4, ("0.0.0.0", PORT), socket.SOCK_DGRAM),
    bound("any port", V4, ("0.0.0.0", 0)),
    bound("named", V4, ("127.0.0.1", 0)),
    bound("elsewhere", V4, ("192.0.2.1", PORT)),
]
thread = threading.Thread(target=lambda: kept.append(bound("thread", V4, ("0.0.0.0", PORT + 3))))
thread.start()
thread.join()
read, write = os.pipe()
if os.fork() == 0:
    bound("child", V4, ("0.0.0.0", PORT + 4))
    os.write(write, json.dumps(said["child"]).encode())
    os._exit(0)
said["child"] = json.loads(os.read(read, 100))
signal.signal(signal.SIGALRM, lambda *_: None)
signal.siginterrupt(signal.SIGALRM, False)
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
interrupted = [bound("interrupted", V4, ("0.0.0.0", PORT + 100 + it)).getsockname()[0] for it in range(50)]
signal.setitimer(signal.ITIMER_REAL, 0, 0)
said["interrupted"] = sorted(set(interrupted))
print("said", json.dumps(said), flush=True)
signal.pause()
"""


@pytest.fixture(scope="module")
def said(machine: Machine) -> Iterator[tuple[Guest, dict[str, Any]]]:
    """What a program was answered that binds in many ways, on the second of two such guests."""
    script = f"#!/bin/sh\ncat > anywhere.py <<'END'{textwrap.dedent(_ANYWHERE)}END\n"
    both = [guest("python3 anywhere.py", user_data=script, environment={"PORT": "18080"}) for _ in range(2)]
    for it in both:
        machine.want(it)
        machine.printed(it, "said {")
    line = machine.console(both[1]).split("said ")[1].splitlines()[0]
    yield both[1], json.loads(line)
    machine.drop(*both)


def test_the_host_says_where_services_listen(machine: Machine) -> None:
    assert machine.actual().listening == "address"


@pytest.mark.parametrize("command", ["--bind 0.0.0.0", "--bind ::", ""])
def test_guests_whose_services_listen_everywhere_on_one_port_each_answer_at_their_own_address(
    machine: Machine, command: str
) -> None:
    start = f"echo $PAVED_INSTANCE_ID > who; exec python3 -m http.server $PORT {command}"
    guests = [guest(start, environment={"PORT": "18090"}) for _ in range(3)]
    machine.want(*guests)
    for it in guests:

        def answer(address: str = it.address) -> str:
            try:
                return httpx.get(f"http://{address}:18090/who").text.strip()
            except httpx.TransportError:
                return ""

        assert eventually(answer, within=40) == it.id
    machine.drop(*guests)


def test_whoever_asks_for_every_address_gets_the_guests_own(said: tuple[Guest, dict[str, Any]]) -> None:
    it, answers = said
    assert answers["plain"] == answers["datagrams"] == [it.address, 18080]
    assert answers["both"] == [f"::ffff:{it.address}", 18081]
    assert answers["mapped"] == [f"::ffff:{it.address}", 18082]
    assert answers["thread"] == [it.address, 18083]
    assert answers["child"] == [it.address, 18084]
    assert answers["interrupted"] == [it.address]


def test_what_listens_for_ipv6_alone_is_in_nobodys_way(said: tuple[Guest, dict[str, Any]]) -> None:
    _, answers = said
    assert answers["six"][0] == "::1"
    assert answers["six"][1] != 18080


def test_other_addresses_and_any_port_stay_as_they_were_asked_for(
    said: tuple[Guest, dict[str, Any]],
) -> None:
    _, answers = said
    assert answers["any port"][0] == "0.0.0.0"
    assert answers["named"][0] == "127.0.0.1"


def test_errors_are_those_of_the_kernel(said: tuple[Guest, dict[str, Any]]) -> None:
    _, answers = said
    assert answers["again"] == 98
    assert answers["elsewhere"] == 99


def test_it_holds_without_walls_too(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "cloud", prefix=("env", f"{WISH}=none"))
    try:
        guests = [guest("exec python3 -m http.server 18070", environment={}) for _ in range(2)]
        machine.want(*guests)
        for it in guests:

            def answers(address: str = it.address) -> bool:
                try:
                    return httpx.get(f"http://{address}:18070/").status_code == 200
                except httpx.TransportError:
                    return False

            assert eventually(answers, within=40)
    finally:
        machine.close()
