"""A million datapoints in, queries over them, and what DescribeInstances takes meanwhile.

    python -m benchmarks.metrics [--datapoints 1000000] [--metrics 1000] [--instances 100]

The API process alone is started: no guest boots. Datapoints go in by PutMetricData in CBOR, gzip-compressed,
a thousand a call, as boto3 sends them.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psutil

from pavedroad.localcloud import cbor

_SCOPE = (
    "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=any"
)
_TARGET = "GraniteServiceVersion20100801"
_DESCRIBE = "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Asker:
    """Asks DescribeInstances again and again, and notes how long each answer took."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ended = threading.Event()
        self.seconds: list[float] = []

    @contextmanager
    def asking(self) -> Iterator[list[float]]:
        self.seconds = []
        self._ended.clear()
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self.seconds
        finally:
            self._ended.set()
            thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {"Authorization": _SCOPE.format("ec2"), "Content-Type": _FORM}
        while not self._ended.wait(0.05):
            began = time.perf_counter()
            connection.request("POST", "/", _DESCRIBE, headers)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body[:500]
            self.seconds.append(time.perf_counter() - began)
        connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--datapoints", type=int, default=1_000_000)
    parser.add_argument("--metrics", type=int, default=1000)
    parser.add_argument("--instances", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _cloud(Path(folder)) as (port, process):
        _launch(port, options.instances)
        asker = Asker(port)
        with asker.asking() as idle:
            time.sleep(3)
        before = process.memory_info().rss
        end = int(time.time() // 60) * 60
        began = time.perf_counter()
        with asker.asking() as ingesting:
            minutes = _ingest(port, options.datapoints, options.metrics, end)
        ingested = time.perf_counter() - began
        with asker.asking() as querying:
            queries = _query(port, options.metrics, end, minutes)
        report = {
            "datapoints": options.datapoints,
            "metrics": options.metrics,
            "ingest_seconds": round(ingested, 1),
            "datapoints_per_second": round(options.datapoints / ingested),
            "memory_mb": round((process.memory_info().rss - before) / 2**20, 1),
            "queries": queries,
            "describe_instances_ms": {
                "idle": _spread(idle),
                "while_ingesting": _spread(ingesting),
                "while_querying": _spread(querying),
            },
        }
        _check(port, options.datapoints, options.metrics, end, minutes)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


def _launch(port: int, count: int) -> None:
    ec2 = _client(port, "ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    for begin in range(0, count, 10):
        size = min(10, count - begin)
        ec2.run_instances(
            ImageId=image, MinCount=size, MaxCount=size, InstanceType="t3.micro", SubnetId=subnet
        )


def _ingest(port: int, datapoints: int, metrics: int, end: int) -> int:
    """Gives over how many minutes they are spread, the newest in the minute before `end`."""
    rounds = -(-datapoints // metrics)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda number: _put(port, number, metrics, end, rounds), range(rounds)))
    return rounds


def _put(port: int, number: int, metrics: int, end: int, rounds: int) -> None:
    for begin in range(0, metrics, 1000):
        data = [
            {
                "MetricName": "Latency",
                "Dimensions": [{"Name": "Host", "Value": f"host-{metric}"}],
                "Timestamp": cbor.Timestamp(end - 60 * (rounds - number)),
                "Value": float((number * 31 + metric) % 997),
                "Unit": "Milliseconds",
            }
            for metric in range(begin, min(begin + 1000, metrics))
        ]
        _call(port, "PutMetricData", {"Namespace": "Benchmark", "MetricData": data})


def _query(port: int, metrics: int, end: int, minutes: int) -> dict[str, dict[str, float]]:
    window = {"StartTime": cbor.Timestamp(end - 60 * minutes), "EndTime": cbor.Timestamp(end)}

    def stat(metric: int, how: str, period: int) -> dict[str, Any]:
        named = {"Namespace": "Benchmark", "MetricName": "Latency"}
        host = [{"Name": "Host", "Value": f"host-{metric}"}]
        return {
            "Id": f"m{metric}",
            "MetricStat": {"Metric": {**named, "Dimensions": host}, "Period": period, "Stat": how},
        }

    asked: dict[str, list[dict[str, Any]]] = {
        "one metric, p99 by the minute": [stat(1, "p99", 60)],
        "100 metrics, average by the hour": [
            stat(metric, "Average", 3600) for metric in range(min(100, metrics))
        ],
        "the sum of all metrics by the hour": [
            {
                "Id": "all",
                "Expression": "SUM(SEARCH('{Benchmark,Host} Latency', 'Sum', 3600))",
                "Period": 3600,
            }
        ],
    }
    found: dict[str, dict[str, float]] = {}
    for name, queries in asked.items():
        seconds: list[float] = []
        for _ in range(5):
            began = time.perf_counter()
            _call(port, "GetMetricData", {"MetricDataQueries": queries, **window})
            seconds.append(time.perf_counter() - began)
        found[name] = _spread(seconds)
    return found


def _check(port: int, datapoints: int, metrics: int, end: int, minutes: int) -> None:
    """Nothing that was put is missing."""
    counted = "SUM(SEARCH('{Benchmark,Host} Latency', 'SampleCount', 86400))"
    answer = _call(
        port,
        "GetMetricData",
        {
            "MetricDataQueries": [{"Id": "all", "Expression": counted, "Period": 86400}],
            "StartTime": cbor.Timestamp(end - 60 * minutes),
            "EndTime": cbor.Timestamp(end),
        },
    )
    total = sum(answer["MetricDataResults"][0]["Values"])
    # SEARCH finds at most 500 metrics, and all have as many datapoints.
    assert total == datapoints // metrics * min(500, metrics), total


def _call(port: int, operation: str, parameters: dict[str, Any]) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {
        "Authorization": _SCOPE.format("monitoring"),
        "smithy-protocol": "rpc-v2-cbor",
        "content-type": "application/cbor",
        "content-encoding": "gzip",
    }
    body = gzip.compress(_encoded(parameters), 1)
    connection.request("POST", f"/service/{_TARGET}/operation/{operation}", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status == 200, content[:500]
    return cbor.loads(content)


def _encoded(parameters: dict[str, Any]) -> bytes:
    return cbor.dumps(parameters)


def _spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "median": round(ordered[len(ordered) // 2] * 1000, 1),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000, 1),
        "most": round(ordered[-1] * 1000, 1),
    }


def _client(port: int, service: str) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )


@contextmanager
def _cloud(home: Path) -> Iterator[tuple[int, psutil.Process]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-m", "pavedroad.localcloud.api", "--home", str(home)]
        command += ["--host-socket", str(home / "no.sock"), "--listen", str(listening.fileno())]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(listening.fileno(),)
        )
        try:
            yield listening.getsockname()[1], psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    main()
