"""How fast DescribeInstances answers at 1,000 instances: this cloud's endpoint beside moto's own server.

    python -m benchmarks.describe_instances [--instances 1000] [--seconds 20]

Both run as processes of their own and answer the same signed request over HTTP, taking turns. The host
process is not started, so no guest boots: what is measured is the API.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import boto3

from benchmarks.keys import signed, use_key_of

_KIND = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
_BODY = b"Action=DescribeInstances&Version=2016-11-15&MaxResults=1000"


@dataclass
class Side:
    """One of the two servers, and how long its answers took."""

    name: str
    port: int
    seconds: list[float] = field(default_factory=list)
    size: int = 0

    @property
    def rate(self) -> float:
        return len(self.seconds) / sum(self.seconds)

    def client(self) -> Any:
        return boto3.client(
            "ec2",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.port}",
        )

    def fill(self, count: int) -> None:
        ec2 = self.client()
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        tags = [{"Key": f"key-{number}", "Value": f"value-{number}"} for number in range(5)]
        for begin in range(0, count, 10):
            size = min(10, count - begin)
            ec2.run_instances(
                ImageId=image,
                MinCount=size,
                MaxCount=size,
                InstanceType="t3.micro",
                SubnetId=subnet,
                TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
            )

    def ask(self) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        headers = signed("ec2", f"http://127.0.0.1:{self.port}/", _BODY, _KIND)
        began = time.perf_counter()
        connection.request("POST", "/", _BODY, headers)
        answer = connection.getresponse()
        body = answer.read()
        self.seconds.append(time.perf_counter() - began)
        connection.close()
        assert answer.status == 200, body[:500]
        self.size = len(body)
        return body

    def counted(self) -> int:
        """As a client sees it, so that a wrong answer is not a fast one."""
        tree = ElementTree.fromstring(self.ask())
        ids = tree.iterfind(".//{*}instancesSet/{*}item/{*}instanceId")
        self.seconds.clear()
        return len({one.text for one in ids})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--instances", type=int, default=1000, help="at most 1000, which is one page")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _ours(Path(folder)) as ours, _moto() as moto:
        sides = (ours, moto)
        for side in sides:
            side.fill(options.instances)
            assert (count := side.counted()) == options.instances, f"{side.name} has {count}"
        deadline = time.monotonic() + options.seconds
        while time.monotonic() < deadline or len(moto.seconds) < 3:
            moto.ask()
            for _ in range(10):
                ours.ask()
        report = {
            "instances": options.instances,
            **{
                side.name: {
                    "answers": len(side.seconds),
                    "median_ms": round(sorted(side.seconds)[len(side.seconds) // 2] * 1000, 2),
                    "per_second": round(side.rate, 2),
                    "bytes": side.size,
                }
                for side in sides
            },
            "times_faster": round(ours.rate / moto.rate, 1),
        }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


@contextmanager
def _ours(home: Path) -> Iterator[Side]:
    use_key_of(home)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-m", "pavedroad.localcloud.api", "--home", str(home)]
        with _process(
            [*command, "--host-socket", str(home / "no.sock"), "--listen", str(listening.fileno())],
            descriptors=(listening.fileno(),),
        ):
            yield Side("pavedroad", listening.getsockname()[1])


@contextmanager
def _moto() -> Iterator[Side]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with _process([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]):
        side = Side("moto", port)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                break
        yield side


@contextmanager
def _process(command: list[str], descriptors: tuple[int, ...] = ()) -> Iterator[None]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=descriptors
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
