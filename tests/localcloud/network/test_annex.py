"""Networks of instances' own for who is not root."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pavedroad.localcloud.blocks import recorded
from pavedroad.localcloud.host.network import commands
from tests.localcloud.machines import console, run
from tests.localcloud.network.reaching import SERVED, Reaching, all_up, let_in, new_group
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

POWERS = f"""#!{sys.executable}
import os, socket, subprocess, time
print("user", os.getuid())
for line in open("/proc/self/status"):
    if line.startswith("Cap"):
        print("powers", int(line.split()[1], 16))
for command in (["ip", "addr", "add", "127.99.0.1", "dev", "eth0"], ["nft", "flush", "ruleset"]):
    done = subprocess.run(command, capture_output=True, env={{"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}})
    print(command[0], "changed" if done.returncode == 0 else "refused")
low = socket.create_server((os.environ["HOST"], 80))
print("listens on port 80", flush=True)
time.sleep(1000)
"""


def test_a_kernel_that_refuses_is_named_with_what_to_type(tmp_path: Path) -> None:
    none_allowed = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    tried = subprocess.run(["unshare", "-Ur", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"A user namespace to try it in cannot be had: {tried.stderr.strip()}")
    refused = subprocess.run(
        [
            *("unshare", "-Ur", "sh", "-c", none_allowed, "sh"),
            *(sys.executable, "-m", "pavedroad.localcloud", "--home", tmp_path / "home", "--port", "0"),
            *("--network", "namespaces"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 7, refused.stderr
    if "not installed" in refused.stderr:
        pytest.skip(refused.stderr.strip())
    assert "(user.max_user_namespaces is 0)" in refused.stderr
    assert "sudo sysctl user.max_user_namespaces=10000" in refused.stderr
    assert "--network shared" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_an_instance_is_an_ordinary_users_and_stays_in_its_network(annexed: RunningCloud) -> None:
    [one] = run(annexed, UserData=POWERS)
    eventually(lambda: "listens on port 80" in console(annexed, one), within=60)
    lines = console(annexed, one).splitlines()
    assert f"user {annexed.home.stat().st_uid}" in lines
    assert {line for line in lines if line.startswith("powers")} == {"powers 0"}
    assert {"ip refused", "nft refused"} <= set(lines)


@pytest.mark.slow
def test_host_and_gate_come_back_when_they_are_killed(annexed: RunningCloud) -> None:
    group = new_group(annexed, "comes-back")
    let_in(annexed, group, SERVED, IpRanges=[{"CidrIp": "127.0.0.0/8"}])
    one = Reaching(annexed, group)
    all_up(one)

    def is_reached() -> bool:
        try:
            with urllib.request.urlopen(f"http://{one.address}:{SERVED}/", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    eventually(is_reached, within=20)
    for part in ("gate", "host"):
        before = annexed.part(part)
        before.send_signal(signal.SIGKILL)
        assert annexed.part(part, other_than=before).pid != before.pid
        if part == "host":
            annexed.client("ec2").start_instances(InstanceIds=[one.id])
        eventually(is_reached, within=60)
        assert one.asks("169.254.169.254:80/latest/meta-data/instance-id") == one.id
        assert one.reaches(f"{gateway(annexed)}:{annexed.port}"), "the endpoint is there as before"


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="another machine can be pretended by root alone")
def test_the_outside_world_is_reached_and_the_machine_itself_is_not(annexed: RunningCloud) -> None:
    one = Reaching(annexed, new_group(annexed, "outward"))
    all_up(one)
    everywhere = socket.create_server(("0.0.0.0", 8002))
    with everywhere, other_machine() as (there, here):
        assert one.asks(f"{there}:8000/") == here, "it comes from this machine"
        assert one.asks(f"{here}:8001/").startswith("not reached")
        for own in commands.addresses():
            assert own == here or not one.reaches(f"{own}:8002"), "the machine's services are its own"


@contextmanager
def other_machine() -> Generator[tuple[str, str]]:
    """Its address, which serves at port 8000 who asks, and ours towards it, which serves at port 8001."""
    name = f"pvtest{os.getpid() % 10000}"
    there, here = "198.51.100.2", "198.51.100.1"
    serving = (
        "import http.server, sys\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n"
        "        self.end_headers()\n"
        "        self.wfile.write(self.client_address[0].encode())\n"
        "http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()"
    )
    commands = [
        f"ip netns add {name}",
        f"ip link add {name} type veth peer name eth0 netns {name}",
        f"ip addr add {here}/30 dev {name}",
        f"ip link set {name} up",
        f"ip -n {name} addr add {there}/30 dev eth0",
        f"ip -n {name} link set eth0 up",
    ]
    servers: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            subprocess.run(command.split(), check=True)
        inside = ["ip", "netns", "exec", name]
        for before, address, port in ((inside, there, "8000"), ([], here, "8001")):
            servers.append(subprocess.Popen([*before, sys.executable, "-c", serving, address, port]))
        eventually(lambda: served(there, 8000) and served(here, 8001), within=20)
        yield there, here
    finally:
        for server in servers:
            server.kill()
            server.wait(10)
        subprocess.run(["ip", "netns", "del", name], check=False)


def served(address: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def gateway(cloud: RunningCloud) -> str:
    block = recorded(cloud.home)
    assert block is not None
    return block.gateway
