"""A thousand instances in nine zones: how soon they run, how soon they are gone, and what they cost us.

    python benchmarks/scale.py [--instances 1000] [--rest 20]

A group over three zones in each of three regions launches instances that only sleep, then is brought to
zero. Memory is proportional (PSS) and that of our own processes: launcher, API, host, nursery with its shims,
Envoy; never the instances' own. Latency is what a boto3 client sees that asks all the while. `--json` prints
the figures for a machine.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import statistics
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import psutil

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.zone_loss import cloud

REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
SLEEP = base64.b64encode(b"#!/bin/sh\nexec sleep 100000\n").decode()
NAME = "scale"
_PATIENCE = 900.0
_PARTS = ("nursery", "localcloud.api", "localcloud.host", "envoy", "localcloud")


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one operation while one thing went on, in milliseconds."""

    calls: int
    p50: float
    p99: float
    failed: int


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds, and kilobytes an instance."""

    instances: int
    load_before: float
    launched_after: float
    spread: dict[str, int]
    terminated_after: float
    empty_mb: dict[str, float]
    full_mb: dict[str, float]
    rss_kb_an_instance: float
    kb_an_instance: float
    cpu_idle_percent: dict[str, float]
    cpu_seconds: dict[str, dict[str, float]]
    """Of our own processes, while one thing went on."""
    latency: dict[str, dict[str, Latency]]


@dataclass
class Asking:
    """Calls three operations in turn until it is stopped, and notes how long each took under its phase."""

    phase: str = "launching"
    """Nothing is asked while it is empty."""
    taken: dict[str, dict[str, list[float]]] = field(default_factory=dict[str, dict[str, list[float]]])
    failed: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    instance: str = ""
    clients: tuple[Any, ...] = ()
    """Of EC2, Auto Scaling and CloudWatch."""
    _over: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> threading.Thread:
        thread = threading.Thread(target=self._go, daemon=True)
        thread.start()
        return thread

    def end(self) -> None:
        self._over.set()

    def figures(self) -> dict[str, dict[str, Latency]]:
        return {
            phase: {
                name: Latency(
                    len(took),
                    round(statistics.median(took) * 1000, 1),
                    round(sorted(took)[int(len(took) * 0.99)] * 1000, 1),
                    self.failed[phase, name],
                )
                for name, took in calls.items()
            }
            for phase, calls in self.taken.items()
        }

    def _go(self) -> None:
        ec2, groups, metrics = self.clients
        calls: dict[str, Callable[[], Any]] = {
            "DescribeInstances of one": lambda: ec2.describe_instances(InstanceIds=[self.instance]),
            "DescribeAutoScalingGroups of one": lambda: groups.describe_auto_scaling_groups(
                AutoScalingGroupNames=[NAME]
            ),
            "PutMetricData of one": lambda: metrics.put_metric_data(
                Namespace="Scale",
                MetricData=[{"MetricName": "Tick", "Value": 1, "Timestamp": datetime.now(UTC)}],
            ),
        }
        while not self._over.wait(0.05):
            for name, call in calls.items():
                phase, began = self.phase, time.perf_counter()
                if not phase:
                    break
                try:
                    call()
                except Exception:
                    self.failed[phase, name] += 1
                self.taken.setdefault(phase, {}).setdefault(name, []).append(time.perf_counter() - began)


class Memory:
    """Of the cloud's own processes, by what they are."""

    def __init__(self, endpoint: str) -> None:
        with urllib.request.urlopen(f"{endpoint}/_pavedroad/health", timeout=30) as answer:
            api = psutil.Process(json.load(answer)["pid"])
        launcher = api.parent()
        assert launcher is not None
        self._launcher = launcher

    def megabytes(self) -> tuple[dict[str, float], float]:
        """Proportional by part, and the resident sum of all."""
        shares: dict[str, float] = {}
        resident = 0.0
        for process in [self._launcher, *self._launcher.children(recursive=True)]:
            try:
                part = part_of(process)
                if part:
                    used = process.memory_full_info()
                    shares[part] = shares.get(part, 0.0) + used.pss / 2**20
                    resident += used.rss / 2**20
            except psutil.Error:
                continue  # it has just ended
        return {name: round(size, 1) for name, size in shares.items()}, resident

    def cpu_seconds(self) -> dict[str, float]:
        """What each part has taken of the processor so far."""
        taken: dict[str, float] = {}
        for process in [self._launcher, *self._launcher.children(recursive=True)]:
            try:
                if part := part_of(process):
                    times = process.cpu_times()
                    taken[part] = taken.get(part, 0.0) + times.user + times.system
            except psutil.Error:
                continue
        return taken

    def processor(self, seconds: float) -> dict[str, float]:
        """Per cent of one processor that the API and the host take while nothing is asked."""
        measured = [it for it in self._launcher.children() if part_of(it)]
        for process in measured:
            process.cpu_percent()
        time.sleep(seconds)
        return {part_of(process): round(process.cpu_percent(), 1) for process in measured}


def part_of(process: psutil.Process) -> str:
    """Empty for what an instance runs."""
    words = " ".join(process.cmdline()[:6])
    return next((part for part in _PARTS if part in words), "")


@cache
def client(endpoint: str, service: str, region: str) -> Any:
    """Made once: making one is so much work that it would slow down what is measured."""
    return fresh(endpoint, service, region)


def fresh(endpoint: str, service: Any, region: str) -> Any:
    """One that no other thread uses."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
    )


def seconds_since(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """By part; what shims took that have ended since is not known."""
    return {part: round(max(0.0, after[part] - before.get(part, 0.0)), 1) for part in after}


def in_service(endpoint: str) -> Counter[str]:
    """By zone."""
    zones: Counter[str] = Counter()
    for region in REGIONS:
        found = client(endpoint, "autoscaling", region).describe_auto_scaling_groups()["AutoScalingGroups"]
        zones.update(
            one["AvailabilityZone"]
            for group in found
            for one in group["Instances"]
            if one["LifecycleState"] == "InService"
        )
    return zones


def left(endpoint: str) -> int:
    """Instances that are not terminated."""
    alive = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "shutting-down"]}]
    return sum(
        len(reservation["Instances"])
        for region in REGIONS
        for page in client(endpoint, "ec2", region)
        .get_paginator("describe_instances")
        .paginate(Filters=alive, PaginationConfig={"PageSize": 1000})
        for reservation in page["Reservations"]
    )


def launch(endpoint: str, instances: int) -> None:
    for number, region in enumerate(REGIONS):
        ec2 = client(endpoint, "ec2", region)
        image = ec2.describe_images(MaxResults=5)["Images"][0]["ImageId"]
        data = {"ImageId": image, "InstanceType": "t3.nano", "UserData": SLEEP}
        ec2.create_launch_template(LaunchTemplateName=NAME, LaunchTemplateData=data)
        share = instances // 3 + (number < instances % 3)
        client(endpoint, "autoscaling", region).create_auto_scaling_group(
            AutoScalingGroupName=NAME,
            LaunchTemplate={"LaunchTemplateName": NAME},
            MinSize=0,
            MaxSize=share,
            DesiredCapacity=share,
            AvailabilityZones=[f"{region}{letter}" for letter in "abc"],
        )


def seconds_until(began: float, condition: Callable[[], bool]) -> float:
    while not condition():
        if time.monotonic() - began > _PATIENCE:
            raise TimeoutError(f"it did not come true in {_PATIENCE:g} s")
        time.sleep(1)
    return round(time.monotonic() - began, 1)


def measure(endpoint: str, instances: int, rest: float) -> Result:
    """`rest`: the seconds for which the whole group is asked at rest; half as long it is left alone."""
    memory = Memory(endpoint)
    ec2 = client(endpoint, "ec2", REGIONS[0])
    image = ec2.describe_images(MaxResults=5)["Images"][0]["ImageId"]
    for region in REGIONS:  # so that what each backend takes by itself counts as ours, not the instances'
        client(endpoint, "ec2", region).describe_subnets()
    [own] = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, UserData=SLEEP)["Instances"]
    time.sleep(5)
    empty, empty_resident = memory.megabytes()
    load = os.getloadavg()[0]
    services = ("ec2", "autoscaling", "cloudwatch")
    asking = Asking(
        instance=own["InstanceId"], clients=tuple(fresh(endpoint, it, REGIONS[0]) for it in services)
    )
    thread = asking.begin()
    spent, began = memory.cpu_seconds(), time.monotonic()
    launch(endpoint, instances)
    launched = seconds_until(began, lambda: in_service(endpoint).total() == instances)
    cpu = {"launching": seconds_since(spent, memory.cpu_seconds())}
    spread = dict(sorted(in_service(endpoint).items()))
    asking.phase = "at rest"
    time.sleep(rest)
    asking.phase = ""
    full, resident = memory.megabytes()
    processor = memory.processor(rest / 2)
    asking.phase = "terminating"
    spent, began = memory.cpu_seconds(), time.monotonic()
    for region in REGIONS:
        groups = client(endpoint, "autoscaling", region)
        groups.set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=0)
    terminated = seconds_until(began, lambda: left(endpoint) == 1)
    cpu["terminating"] = seconds_since(spent, memory.cpu_seconds())
    asking.end()
    thread.join()
    return Result(
        instances,
        round(load, 1),
        launched,
        spread,
        terminated,
        empty,
        full,
        round((resident - empty_resident) * 1024 / instances, 1),
        round((sum(full.values()) - sum(empty.values())) * 1024 / instances, 1),
        processor,
        cpu,
        asking.figures(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--rest", type=float, default=20.0, help="seconds")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with cloud() as endpoint:
        result = measure(endpoint, options.instances, options.rest)
    if options.json:
        print(json.dumps(asdict(result)))
        return
    for name, value in asdict(result).items():
        print(f"{name}: {json.dumps(value)}")


if __name__ == "__main__":
    main()
