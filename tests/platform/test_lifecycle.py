"""`paved up` and `paved down`: what runs, what comes back, what is left."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from typing import Any

import httpx
import psutil
import pytest

from tests.running_platform import PAVED, Platform
from tests.waiting import eventually


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_up_runs_everything_and_down_leaves_nothing(fresh_platform: Platform) -> None:
    platform = fresh_platform
    up = platform.paved("up", "--detach")
    assert f"{platform.url}/login#once_" in up.stdout
    assert answers(platform.url)
    mode = stat.S_IMODE((platform.home / "token").stat().st_mode)
    assert mode == 0o600
    token = platform.token

    again = platform.paved("up", "--detach")
    assert f"already runs at {platform.url}" in again.stdout
    foreground = platform.paved("up", check=False)
    assert foreground.returncode == 5
    assert "already runs" in foreground.stderr
    assert "paved down" in foreground.stderr

    seen = platform.processes()
    down = platform.paved("down")
    assert "Everything has stopped" in down.stdout
    assert not any(process.is_running() for process in seen)
    assert not platform.processes()
    assert not (platform.home / "running.json").exists()
    assert platform.paved("down").stdout == "Nothing was running.\n"

    platform.paved("up", "--detach")
    assert platform.token == token


@pytest.mark.slow
def test_what_dies_is_started_again(fresh_platform: Platform) -> None:
    platform = fresh_platform
    platform.start()
    before = {part["name"]: part["pid"] for part in _parts(platform)}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        now = {part["name"]: part for part in _parts(platform)}
        return all(now[name]["state"] == "ready" and now[name]["pid"] != pid for name, pid in before.items())

    eventually(back, within=90)
    assert answers(platform.url)
    assert json.loads(platform.paved("status", "--json").stdout)["cloud"]["reachable"]


@pytest.mark.slow
def test_all_dies_with_a_supervisor_that_is_killed(fresh_platform: Platform) -> None:
    platform = fresh_platform
    platform.start()
    os.kill(_running(platform)["pid"], signal.SIGKILL)
    platform.nothing_left(within=40)
    # The lock and the file that it left behind block nobody.
    assert (platform.home / "running.json").exists()
    killed = _running(platform)["pid"]
    asked = platform.paved("status", check=False)
    assert (asked.returncode, f"it was killed (process {killed})" in asked.stderr) == (3, True)
    assert f"was killed when it last ran here (process {killed})" in platform.paved("up", "-d").stderr
    assert answers(platform.url)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        signal.SIGKILL,
    ],
)
def test_in_the_foreground_it_ends_with_its_command(fresh_platform: Platform, number: signal.Signals) -> None:
    platform = fresh_platform
    with subprocess.Popen(
        [*PAVED, "up"], env=platform.environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as up:
        eventually(lambda: _ready(platform), within=90)
        up.send_signal(number)
        assert up.stderr
        said = up.stderr.read()
        status = up.wait(60)
    platform.nothing_left(within=40)
    if number is not signal.SIGKILL:
        assert status == 130
        assert "Everything has stopped." in said


def test_ctrl_c_while_it_starts_leaves_nothing(fresh_platform: Platform) -> None:
    platform = fresh_platform
    up = subprocess.Popen([*PAVED, "up", "--detach"], env=platform.environment, stderr=subprocess.DEVNULL)
    eventually(lambda: len(platform.processes()) > 2, within=60)
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 130
    platform.nothing_left()


@pytest.mark.parametrize(("option", "part"), [("--port", "platform"), ("--cloud-port", "private cloud")])
def test_a_port_in_use_is_said_before_anything_is_started(
    fresh_platform: Platform, option: str, part: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = fresh_platform.paved("up", "--detach", option, str(port), check=False)
    assert done.returncode == 3
    assert f"Port {port} for the {part} cannot be used" in done.stderr
    assert f"choose another with {option}" in done.stderr
    assert not fresh_platform.processes()


@pytest.mark.slow
def test_the_private_cloud_runs_alone(fresh_platform: Platform) -> None:
    platform = fresh_platform
    platform.paved("cloud", "up", "--detach")
    env = platform.paved("cloud", "env").stdout
    assert f"export AWS_ENDPOINT_URL={platform.endpoint}\n" in env
    who = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    asked = subprocess.run(
        ["sh", "-c", f'{env}\nexec "$0" -c "$1"', sys.executable, who],
        env={"PATH": os.environ["PATH"], "AWS_SESSION_TOKEN": "of another cloud"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.endswith(":root\n")
    assert "signed by a key of this cloud" in platform.paved("cloud", "status").stdout
    assert platform.paved("cloud", "fault", "list").returncode == 0
    assert [part["name"] for part in _parts(platform)] == ["private cloud"]
    refused = platform.paved("clusters", check=False)
    assert refused.returncode == 3
    assert "Only the private cloud runs" in refused.stderr
    platform.paved("cloud", "down")
    assert not platform.processes()
    assert "every user of this machine" in platform.paved("cloud", "up", "--open", "--detach").stderr
    assert "any (open)" in platform.paved("cloud", "status").stdout
    platform.paved("cloud", "down")


@pytest.mark.slow
def test_a_detached_platform_belongs_to_no_terminal(fresh_platform: Platform) -> None:
    fresh_platform.start()
    supervisor = psutil.Process(_running(fresh_platform)["pid"])
    assert os.getsid(supervisor.pid) == supervisor.pid
    assert supervisor.cwd() == "/"


def _running(platform: Platform) -> dict[str, Any]:
    return json.loads((platform.home / "running.json").read_text())


def _ready(platform: Platform) -> bool:
    return (platform.home / "running.json").exists() and bool(_running(platform)["ready"])


def _parts(platform: Platform) -> list[dict[str, Any]]:
    return _running(platform)["parts"]
