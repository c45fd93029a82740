"""A million datapoints in, queries over them, a restart, and what other calls take meanwhile.

    python -m benchmarks.metrics [--datapoints 1000000] [--metrics 1000] [--instances 100]

The API process alone is started: no guest boots. Datapoints go in by PutMetricData in CBOR, gzip-compressed,
a thousand a call, as boto3 sends them, two calls at a time; the calls are made ready before. Seconds of the
processor are the API process's.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import signal
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

from benchmarks.keys import signed, use_key_of
from pavedroad.localcloud import cbor

_TARGET = "GraniteServiceVersion20100801"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_ASKED = {
    "DescribeInstances": ("ec2", "2016-11-15", "&MaxResults=1000"),
    "DescribeAutoScalingGroups": ("autoscaling", "2011-01-01", ""),
}


class Asker:
    """Asks two descriptions in turn, again and again, and notes how long each answer took."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ended = threading.Event()
        self._seconds: dict[str, list[float]] = {}

    @contextmanager
    def asking(self) -> Iterator[dict[str, list[float]]]:
        self._seconds = {name: [] for name in _ASKED}
        self._ended.clear()
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self._seconds
        finally:
            self._ended.set()
            thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._ended.wait(0.02):
            for name, (service, version, more) in _ASKED.items():
                form = f"Action={name}&Version={version}{more}".encode()
                url = f"http://127.0.0.1:{self._port}/"
                headers = signed(service, url, form, {"Content-Type": _FORM})
                began = time.perf_counter()
                connection.request("POST", "/", form, headers)
                answer = connection.getresponse()
                body = answer.read()
                assert answer.status == 200, body[:500]
                self._seconds[name].append(time.perf_counter() - began)
        connection.close()


class Meter:
    """What the API process has taken since it was asked last."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._before = 0.0

    def _processor(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system

    def taken(self) -> float:
        before, self._before = self._before, self._processor()
        return round(self._before - before, 1)

    def memory(self) -> float:
        return round(self._process.memory_info().rss / 2**20, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--datapoints", type=int, default=1_000_000)
    parser.add_argument("--metrics", type=int, default=1000)
    parser.add_argument("--instances", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = _run(Path(folder), options.datapoints, options.metrics, options.instances)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


def _run(home: Path, datapoints: int, metrics: int, instances: int) -> dict[str, Any]:
    report: dict[str, Any] = {"datapoints": datapoints, "metrics": metrics, "load": psutil.getloadavg()[0]}
    end = int(time.time() // 60) * 60
    bodies = _bodies(datapoints, metrics, end)
    minutes = -(-datapoints // metrics)
    began = time.perf_counter()
    with _cloud(home) as (port, process):
        report["started_empty"] = _first_answer(port, process, began)
        _launch(port, instances)
        _alarm(port)
        asker, meter = Asker(port), Meter(process)
        report["memory_mb_before"], _ = meter.memory(), meter.taken()
        with asker.asking() as idle:
            time.sleep(5)
        report["idle"] = _told(idle)
        memory, _ = meter.memory(), meter.taken()
        began = time.perf_counter()
        with asker.asking() as meanwhile, _alarm_seconds(port) as alarm_took:
            _ingest(port, bodies)
            took = time.perf_counter() - began
        report["ingest"] = {
            "seconds": round(took, 1),
            "datapoints_per_second": round(datapoints / took),
            "processor_seconds": meter.taken(),
            "memory_mb": round(meter.memory() - memory, 1),
            "alarm_seconds": alarm_took,
            **_told(meanwhile),
        }
        with asker.asking() as meanwhile:
            report["queries"] = {
                **_query(port, metrics, end, minutes),
                "processor_seconds": meter.taken(),
                **_told(meanwhile),
            }
        report["memory_mb"] = meter.memory()
        process.send_signal(signal.SIGKILL)
    report["on_disk_mb"] = round(sum(one.stat().st_size for one in (home / "metrics").iterdir()) / 2**20, 1)
    began = time.perf_counter()
    with _cloud(home) as (port, process):
        report["killed_and_started"] = _first_answer(port, process, began)
        _check(port, datapoints, metrics, end, minutes)
        report["killed_and_started"]["every_datapoint_is_there_seconds"] = round(
            time.perf_counter() - began, 2
        )
    return report


def _first_answer(port: int, process: psutil.Process, began: float) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/_pavedroad/health")
    assert connection.getresponse().status == 200
    answered = time.perf_counter() - began
    return {"first_answer_seconds": round(answered, 2), "processor_seconds": Meter(process).taken()}


def _launch(port: int, count: int) -> None:
    ec2 = _client(port, "ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    for begin in range(0, count, 10):
        size = min(10, count - begin)
        ec2.run_instances(
            ImageId=image, MinCount=size, MaxCount=size, InstanceType="t3.micro", SubnetId=subnet
        )


def _alarm(port: int) -> None:
    """One that a single datapoint sets off at once."""
    _client(port, "cloudwatch").put_metric_alarm(
        AlarmName="watch",
        Namespace="Watched",
        MetricName="Fire",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0.5,
        ComparisonOperator="GreaterThanThreshold",
    )


@contextmanager
def _alarm_seconds(port: int) -> Iterator[dict[str, float]]:
    """How long after a datapoint of the last minute the alarm on it goes off, while the body runs."""
    found: dict[str, float] = {}
    client = _client(port, "cloudwatch")

    def watch() -> None:
        time.sleep(2)
        data = [{"MetricName": "Fire", "Value": 1.0, "Timestamp": time.time() - 60}]
        began = time.perf_counter()
        client.put_metric_data(Namespace="Watched", MetricData=data)
        while time.perf_counter() - began < 120:
            (alarm,) = client.describe_alarms(AlarmNames=["watch"])["MetricAlarms"]
            if alarm["StateValue"] == "ALARM":
                found["after_its_datapoint"] = round(time.perf_counter() - began, 2)
                return
            time.sleep(0.1)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        thread.join()


def _bodies(datapoints: int, metrics: int, end: int) -> list[bytes]:
    """The calls' bodies: datapoints of all metrics minute by minute, the newest in the one before `end`."""
    minutes = -(-datapoints // metrics)
    return [
        _packed({"Namespace": "Benchmark", "MetricData": _data(minute, begin, metrics, end - 60 * minutes)})
        for minute in range(minutes)
        for begin in range(0, metrics, 1000)
    ]


def _data(minute: int, begin: int, metrics: int, first: int) -> list[dict[str, Any]]:
    return [
        {
            "MetricName": "Latency",
            "Dimensions": [{"Name": "Host", "Value": f"host-{metric}"}],
            "Timestamp": cbor.Timestamp(first + 60 * minute),
            "Value": float((minute * 31 + metric) % 997),
            "Unit": "Milliseconds",
        }
        for metric in range(begin, min(begin + 1000, metrics))
    ]


def _ingest(port: int, bodies: list[bytes]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda body: _sent(port, "PutMetricData", body), bodies))


def _query(port: int, metrics: int, end: int, minutes: int) -> dict[str, Any]:
    window = {"StartTime": cbor.Timestamp(end - 60 * minutes), "EndTime": cbor.Timestamp(end)}

    def stats(count: int, how: str, period: int) -> list[dict[str, Any]]:
        named = {"Namespace": "Benchmark", "MetricName": "Latency"}
        return [
            {
                "Id": f"m{metric}",
                "MetricStat": {
                    "Metric": {**named, "Dimensions": [{"Name": "Host", "Value": f"host-{metric}"}]},
                    "Period": period,
                    "Stat": how,
                },
            }
            for metric in range(min(count, metrics))
        ]

    summed = "SUM(SEARCH('{Benchmark,Host} Latency', 'Sum', 3600))"
    asked: dict[str, list[dict[str, Any]]] = {
        "one metric, p99 by the minute": stats(1, "p99", 60),
        "500 metrics, average by the hour": stats(500, "Average", 3600),
        "500 metrics, p99 by the hour": stats(500, "p99", 3600),
        "500 metrics by the minute, the first page of 100,800 datapoints": stats(500, "Maximum", 60),
        "the sum of a search for 500 metrics, by the hour": [
            {"Id": "all", "Expression": summed, "Period": 3600}
        ],
    }
    found: dict[str, Any] = {}
    for name, queries in asked.items():
        found[name] = _spread(
            [_timed(port, "GetMetricData", {"MetricDataQueries": queries, **window}) for _ in range(5)]
        )
    found["ListMetrics, a page of 500"] = _spread(
        [_timed(port, "ListMetrics", {"Namespace": "Benchmark"}) for _ in range(5)]
    )
    return found


def _timed(port: int, operation: str, parameters: dict[str, Any]) -> float:
    body = _packed(parameters)
    began = time.perf_counter()
    _sent(port, operation, body)
    return time.perf_counter() - began


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
    return cbor.loads(_sent(port, operation, _packed(parameters)))


def _packed(parameters: dict[str, Any]) -> bytes:
    return gzip.compress(cbor.dumps(parameters), 1)


def _sent(port: int, operation: str, body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {
        "smithy-protocol": "rpc-v2-cbor",
        "content-type": "application/cbor",
        "content-encoding": "gzip",
    }
    path = f"/service/{_TARGET}/operation/{operation}"
    headers = signed("monitoring", f"http://127.0.0.1:{port}{path}", body, headers)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status == 200, content[:500]
    return content


def _told(asked: dict[str, list[float]]) -> dict[str, Any]:
    return {f"{name} ms": _spread(seconds) for name, seconds in asked.items()}


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
    )


@contextmanager
def _cloud(home: Path) -> Iterator[tuple[int, psutil.Process]]:
    use_key_of(home)
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
