"""A network that is made to fail does so for all that an instance sends and is sent, and is well after."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import psutil
import pytest
from botocore.exceptions import ClientError

from tests.localcloud.machines import console, instance, run
from tests.localcloud.network.reaching import let_in, new_group
from tests.localcloud.network.test_real_walls import left_of
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PORT = 8080
PROGRAM = f"""#!{sys.executable}
import json, os, socket, threading, time, urllib.parse
neighbour = "%s"
here = os.environ["HOST"]
def address_of(name):
    found = urllib.parse.urlsplit(os.environ[name])
    return found.hostname, found.port
places = {{
    "neighbour": (neighbour, {PORT}),
    "endpoint": address_of("AWS_ENDPOINT_URL"),
    "metadata": address_of("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
}}
def serve():
    server = socket.create_server((here, {PORT}), backlog=64)
    while True:
        server.accept()[0].close()
def echo():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((here, {PORT}))
    while True:
        text, sender = sock.recvfrom(2048)
        sock.sendto(text, sender)
for part in (serve, echo):
    threading.Thread(target=part, daemon=True).start()
def connect(place):
    began = time.monotonic()
    try:
        socket.create_connection(place, 2).close()
    except OSError:
        return None
    return time.monotonic() - began
def datagrams():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(0.3)
    for number in range(100):
        sock.sendto(b"ping", (neighbour, {PORT}))
    heard = 0
    try:
        while heard < 100:
            sock.recv(100)
            heard += 1
    except OSError:
        pass
    return heard
while True:
    found = {{name: connect(place) for name, place in places.items() if place[0]}}
    if neighbour:
        found["heard"] = datagrams()
    print(json.dumps({{"at": time.time(), **found}}), flush=True)
    time.sleep(0.2)
"""


class Reporting:
    """An instance that writes to its console, again and again, what it reaches and how fast."""

    def __init__(self, cloud: RunningCloud, group: str, neighbour: str = "") -> None:
        self._cloud = cloud
        [self.id] = run(cloud, UserData=PROGRAM % neighbour, SecurityGroupIds=[group])
        eventually(lambda: self.reports(0), within=60)
        self.address: str = instance(cloud, self.id)["PrivateIpAddress"]

    def reports(self, since: float) -> list[dict[str, Any]]:
        try:
            text = console(self._cloud, self.id)
        except ClientError:  # its host has just been killed
            return []
        return [it for line in text.splitlines() if (it := _report(line)) and it["at"] > since]

    def comes_to(self, told: Callable[[dict[str, Any]], bool], since: float = 0) -> None:
        eventually(lambda: any(map(told, self.reports(since)[-1:])), within=60)


def _report(line: str) -> dict[str, Any] | None:
    with suppress(ValueError):
        return json.loads(line) if line.startswith("{") else None
    return None


@contextmanager
def failing(
    cloud: RunningCloud, kind: str, target: str, seconds: float = 120, **parameters: Any
) -> Generator[str]:
    url = f"{cloud.endpoint}/_pavedroad/faults"
    asked = {"kind": kind, "target": target, "seconds": seconds, "parameters": parameters}
    answer = httpx.post(url, json=asked, auth=cloud.signed)
    assert answer.status_code == 201, answer.text
    try:
        yield answer.json()["reason"]
    finally:
        httpx.delete(f"{url}/{answer.json()['id']}", auth=cloud.signed).raise_for_status()


@pytest.fixture(scope="module")
def two(walled: RunningCloud) -> tuple[Reporting, Reporting]:
    """The one that asks, and whom it asks."""
    return pair(walled)


def pair(cloud: RunningCloud) -> tuple[Reporting, Reporting]:
    group = new_group(cloud, "reports")
    for protocol in ("tcp", "udp"):
        let_in(cloud, group, PORT, protocol=protocol, IpRanges=[{"CidrIp": "127.0.0.0/8"}])
    asked = Reporting(cloud, group)
    asking = Reporting(cloud, group, asked.address)
    asking.comes_to(is_well)
    return asking, asked


def is_well(it: dict[str, Any]) -> bool:
    return it["heard"] == 100 and all(
        it[name] is not None and it[name] < 0.3 for name in ("neighbour", "endpoint")
    )


def skip_without_tunnels(reason: str) -> None:
    if "all traffic" not in reason:
        pytest.skip("This user may not have tunnels here. Type: sudo chmod 666 /dev/net/tun")


def test_who_is_cut_off_is_reached_by_nobody_and_reaches_its_metadata_alone(
    walled: RunningCloud, two: tuple[Reporting, Reporting]
) -> None:
    asking, asked = two
    with failing(walled, "network", asked.id, cut=True) as reason:
        assert "all traffic" in reason
        asking.comes_to(
            lambda it: it["neighbour"] is None and it["heard"] == 0 and it["endpoint"] is not None
        )
        asked.comes_to(lambda it: it["endpoint"] is None and it["metadata"] is not None)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://{asked.address}:{PORT}", timeout=1)
    asking.comes_to(is_well)


def test_a_cut_ends_by_itself(walled: RunningCloud, two: tuple[Reporting, Reporting]) -> None:
    _, asked = two
    answer = httpx.post(
        f"{walled.endpoint}/_pavedroad/faults",
        json={"kind": "network", "target": asked.id, "seconds": 10, "parameters": {"cut": True}},
        auth=walled.signed,
    )
    assert answer.status_code == 201
    asked.comes_to(lambda it: it["endpoint"] is None)
    asked.comes_to(lambda it: it["endpoint"] is not None)


def test_what_a_slow_instance_sends_is_late_wherever_it_goes(
    walled: RunningCloud, two: tuple[Reporting, Reporting]
) -> None:
    asking, asked = two
    with failing(walled, "network", asked.id, delay_ms=500) as reason:
        skip_without_tunnels(reason)
        asking.comes_to(lambda it: it["neighbour"] is not None and 0.5 <= it["neighbour"] < 2)
        asked.comes_to(
            lambda it: it["endpoint"] is not None and it["endpoint"] >= 0.5 and it["metadata"] < 0.4
        )
        asking.comes_to(lambda it: it["endpoint"] < 0.4)  # its neighbour alone is slow
    with failing(walled, "network", asked.id, delay_ms=300):
        asking.comes_to(lambda it: it["neighbour"] is not None and 0.3 <= it["neighbour"] < 0.5)
    asking.comes_to(is_well)
    asked.comes_to(lambda it: it["endpoint"] < 0.3)


def test_packets_are_lost_both_ways(walled: RunningCloud, two: tuple[Reporting, Reporting]) -> None:
    asking, asked = two
    with failing(walled, "network", asked.id, loss_percent=30):
        asking.comes_to(lambda it: 20 < it["heard"] < 75)  # 49 are to be expected
    asking.comes_to(is_well)


def test_a_zone_out_of_reach_is_so_for_everybody(
    walled: RunningCloud, two: tuple[Reporting, Reporting]
) -> None:
    _, asked = two
    zone = instance(walled, asked.id)["Placement"]["AvailabilityZone"]
    with failing(walled, "zone-down", zone, unreachable=True):
        asked.comes_to(lambda it: it["endpoint"] is None)
    asked.comes_to(lambda it: it["endpoint"] is not None)


def late_processes(asked: Reporting) -> list[int]:
    """Those that make it slow."""
    found: list[int] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = " ".join(process.cmdline())
            if "faults.late" in words and f'"{asked.address}"' in words:
                found.append(process.pid)
    return found


def test_a_fault_outlives_its_host_and_nothing_outlives_its_cloud(fresh_walled: RunningCloud) -> None:
    asking, asked = pair(fresh_walled)
    with failing(fresh_walled, "network", asked.id, delay_ms=300) as reason:
        skip_without_tunnels(reason)
        asking.comes_to(lambda it: it["neighbour"] is not None and it["neighbour"] >= 0.3)
        assert late_processes(asked)
        before = fresh_walled.part("host")
        before.kill()
        fresh_walled.part("host", other_than=before)
        since = time.time()
        asking.comes_to(lambda it: it["neighbour"] is not None and it["neighbour"] >= 0.3, since)
    fresh_walled.stop()
    assert not late_processes(asked)
    assert not left_of(fresh_walled)
