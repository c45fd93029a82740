"""How long each controller's look at everything takes at 1,000, 10,000 and 100,000 instances.

    python benchmarks/controllers.py [--sizes 1000,10000,30000]

No process runs: where the host is, a stub says that all is well. EC2's instances are the real ones, and so
are the services that are looked at. Prints the seconds of one look where nothing is to be done, and the
exponent by which they grow from the first size to the last: 1 is linear. `--json` prints the figures for a
machine.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ["PAVED_CLOUD_INSTANCE_LIMIT"] = os.environ["PAVED_CLOUD_VCPU_LIMIT"] = "10000000"

from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.api.ec2.controller import Controller
from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.autoscaling.memory import MemoryBalancers, MemoryCompute
from pavedroad.localcloud.autoscaling.service import AutoScaling
from pavedroad.localcloud.balancing.controller import Controller as BalancingController
from pavedroad.localcloud.balancing.model import (
    Balancer,
    ForwardTo,
    HealthCheck,
    Listener,
    ListenerRule,
    Member,
    Presence,
    Share,
    TargetGroup,
)
from pavedroad.localcloud.balancing.publisher import Publisher
from pavedroad.localcloud.balancing.store import Stores
from pavedroad.localcloud.balancing.targets import enroll
from pavedroad.localcloud.blocks import Block
from pavedroad.localcloud.measured import GuestMeasure, Measurements
from pavedroad.localcloud.monitoring.alarms.actions import Outlets
from pavedroad.localcloud.monitoring.operations.alarms import MOST_ALARMS
from pavedroad.localcloud.monitoring.service import Monitoring
from pavedroad.localcloud.moto_adapter.certificates import MotoCertificates
from pavedroad.localcloud.moto_adapter.ec2_backend import LocalEC2Backend, backend
from pavedroad.localcloud.moto_adapter.ec2_facts import MotoFleet
from pavedroad.localcloud.moto_adapter.ec2_monitored import running_instances
from pavedroad.localcloud.moto_adapter.install import install
from pavedroad.localcloud.moto_adapter.network import MotoNetwork
from pavedroad.localcloud.ports import LaunchData, Sample
from pavedroad.localcloud.publishing.controller import Publishing
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import Guest, GuestStatus

REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
ACCOUNT = "123456789012"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_A_GROUP = 250
_A_TARGET_GROUP = 1000
_SUBNETS = 13


class EveryGuestRuns:
    """The host, by its word alone."""

    def __init__(self) -> None:
        self._said: dict[str, GuestStatus] = {}

    def guest(self, guest_id: str) -> GuestStatus | None:
        return self._said.get(guest_id)

    def want_guests(self, guests: dict[str, Guest | None]) -> int:
        for name, guest in guests.items():
            if guest is None:
                self._said.pop(name, None)
            else:
                self._said[name] = GuestStatus(name, guest.boot, "running", 1, 1.0, None, None, "")
        return 1

    def taken(self, revision: int) -> bool:
        return True


class Instances:
    """Of moto's EC2, in three regions; there are ever more of them."""

    def __init__(self) -> None:
        self._subnets = {region: self._cut(backend(ACCOUNT, region)) for region in REGIONS}

    @staticmethod
    def _cut(ec2: LocalEC2Backend) -> list[str]:
        """Subnets for so many: the default ones are too small."""
        vpc = ec2.get_default_vpc()
        base = vpc.cidr_block.removesuffix(".0.0/16")
        zones = [zone.name for zone in ec2.describe_availability_zones()]
        return [
            ec2.create_subnet(vpc.id, f"{base}.{number * 16}.0/20", zones[number % 3]).id
            for number in range(3, 3 + _SUBNETS)
        ]

    def grow(self, count: int) -> None:
        alive = sum(1 for _ in MotoFleet().instances())
        while alive < count:
            region = REGIONS[alive // 100 % 3]
            ec2 = backend(ACCOUNT, region)
            size = min(100, count - alive)
            ec2.run_instances(
                next(iter(ec2.amis)),
                size,
                None,
                [],
                instance_type="t3.nano",
                is_instance_type_default=False,
                placement=None,
                region_name=region,
                subnet_id=self._subnets[region][alive // 300 % _SUBNETS],
                key_name=None,
                security_group_ids=[],
                nics=[],
                associate_public_ip=None,
                tags={"instance": {"Name": "one"}},
                client_token="",
                instance_market_options={},
                monitoring_state="enabled",
                metadata_options={},
                ebs_optimized=False,
            )
            alive += size


def ec2_controller(host: EveryGuestRuns) -> Callable[[], object]:
    controller = Controller(State(), MotoFleet(), host)
    for _ in range(2):
        controller.step()
    return controller.step


def autoscaling(count: int, group_size: int) -> Callable[[], object]:
    """Groups of a size, at rest, with every member in service."""
    clock = ManualClock(NOW)
    compute = MemoryCompute(clock.now)
    compute.templates["web"] = [LaunchData("ami-1", "t3.micro")]
    balancers = MemoryBalancers({})
    service = AutoScaling(State(), lambda *_: compute, lambda *_: balancers, clock)
    for number in range(count // group_size):
        service.call(
            ACCOUNT,
            REGIONS[0],
            "CreateAutoScalingGroup",
            {
                "AutoScalingGroupName": f"group-{number}",
                "LaunchTemplate": {"LaunchTemplateName": "web"},
                "MinSize": 0,
                "MaxSize": group_size,
                "DesiredCapacity": group_size,
                "AvailabilityZones": list(compute.zone_names),
            },
        )
    while service.step():
        compute.run()
    return service.step


def balancing(folder: Path) -> Callable[[], object]:
    """All instances as targets of as many target groups, behind one balancer a region, as they need."""
    link, stores, clock = HostLink(folder / "no.sock"), Stores(), ManualClock(NOW)
    check = HealthCheck("HTTP", "traffic-port", "/", 5, 2, 2, 2, "200")
    for region in REGIONS:
        ec2, store = backend(ACCOUNT, region), stores.at(ACCOUNT, region)
        presences = tuple(Presence(f"{region}{it}", "", "", f"127.0.0.{it}") for it in "abc")
        store.balancers[region] = Balancer(region, "web", "", "", presences, (), "", "127.0.0.9", NOW)
        store.listeners[region] = Listener(region, region, 80, 8080)
        ids = [one.id for one in ec2.by_id.values()]
        for begin in range(0, len(ids), _A_TARGET_GROUP):
            arn = f"{region}/{begin}"
            store.groups[arn] = TargetGroup(arn, arn, "HTTP", 80, "", "instance", check)
            enroll(store, arn, [Member(arn, it, 80, "") for it in ids[begin : begin + _A_TARGET_GROUP]])
            action = ForwardTo((Share(arn, 1),))
            store.rules[arn] = ListenerRule(arn, region, begin or None, (), action)
    controller = BalancingController(
        state=State(),
        stores=stores,
        publisher=Publisher(link, MotoNetwork, MotoCertificates, lambda _: True),
        link=link,
        network=MotoNetwork,
        clock=clock,
        opening=set(),
    )
    controller.step()
    return controller.step


def monitoring() -> Monitoring:
    nobody: Any = object()
    outlets = Outlets(*[lambda *_: nobody] * 3)
    return Monitoring(State(), ManualClock(NOW), outlets)


def publishing(count: int) -> Callable[[], object]:
    """Every instance's minute: some ten metrics, and those that instances share."""
    clock, cloud = ManualClock(NOW), monitoring()
    names = [one.id for one in MotoFleet().instances()][:count]

    def measure(_since: float) -> Measurements:
        clock.advance(60)
        at = clock.now().timestamp()
        guests = tuple(GuestMeasure(name, 1, 0.0, True, at / 100, 1 << 20, 0, 0) for name in names)
        return Measurements("epoch", at, "cgroup v1", guests, None)

    controller = Publishing(
        State(),
        clock,
        measure,
        cloud.metrics,
        instances_of=running_instances,
        balancers_of=lambda: iter(()),
        groups_of=lambda: iter(()),
    )
    controller.step()
    return controller.step


def alarms(count: int) -> Callable[[], object]:
    """One alarm a metric, each with a new datapoint at every look; so many an account as it may have."""
    clock = ManualClock(NOW)
    nobody: Any = object()
    service = Monitoring(State(), clock, Outlets(*[lambda *_: nobody] * 3))
    accounts = [f"{begin:012d}" for begin in range(0, count, MOST_ALARMS)]
    for number in range(count):
        service.call(
            accounts[number // MOST_ALARMS],
            REGIONS[0],
            "PutMetricAlarm",
            {
                "AlarmName": f"alarm-{number}",
                "Namespace": "Scale",
                "MetricName": f"metric-{number}",
                "Statistic": "Average",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1.0,
                "ComparisonOperator": "GreaterThanThreshold",
            },
        )

    def look() -> None:
        service.step()

    def fill() -> None:
        clock.advance(60)
        at = clock.now().timestamp() - 30
        for account in accounts:
            metrics = service.metrics(account, REGIONS[0])
            for number in range(int(account), min(int(account) + MOST_ALARMS, count)):
                metrics.publish("Scale", [Sample(f"metric-{number}", {}, at, (0.5,))])

    look.prepare = fill  # pyright: ignore[reportFunctionMemberAccess]
    return look


@contextmanager
def undisturbed() -> Iterator[None]:
    """By the garbage collector, which is as slow as all that exists is large."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def seconds_of(look: Callable[[], object], times: int = 3) -> float:
    """The best of some."""
    taken: list[float] = []
    with undisturbed():
        for _ in range(times):
            getattr(look, "prepare", lambda: None)()
            began = time.process_time()
            look()
            taken.append(time.process_time() - began)
    return min(taken)


def measure(sizes: list[int], folder: Path) -> dict[str, dict[int, float]]:
    install(BlobStore(folder / "objects"), Block(60))
    instances, host = Instances(), EveryGuestRuns()
    found: dict[str, dict[int, float]] = {}
    for size in sizes:
        began = time.process_time()
        instances.grow(size)
        _say(f"{size} instances after {time.process_time() - began:.1f} s")
        parts: dict[str, Callable[[], Callable[[], object]]] = {
            "EC2": lambda: ec2_controller(host),
            "Auto Scaling, groups of 250": lambda: autoscaling(size, _A_GROUP),  # noqa: B023
            "Auto Scaling, one group": lambda: autoscaling(size, size),  # noqa: B023
            "balancing": lambda: balancing(folder),
            "publishing": lambda: publishing(size),  # noqa: B023
            "alarms": lambda: alarms(size),  # noqa: B023
        }
        for name, prepare in parts.items():
            look = prepare()
            found.setdefault(name, {})[size] = seconds_of(look)
            _say(f"{size:>7} {name:<30} {found[name][size]:.4f} s")
            del look
    return found


def growth(seconds: dict[int, float]) -> float:
    """The exponent from the first size to the last."""
    sizes = sorted(seconds)
    first, last = sizes[0], sizes[-1]
    return math.log(seconds[last] / seconds[first]) / math.log(last / first)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1000,10000,30000")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure([int(size) for size in options.sizes.split(",")], Path(folder))
    if options.json:
        report = {name: {"seconds": taken, "growth": growth(taken)} for name, taken in found.items()}
        print(json.dumps(report, indent=2))
        return
    for name, taken in found.items():
        figures = "".join(f"{seconds:>12.4f} s" for seconds in taken.values())
        print(f"{name:<30}{figures}   n^{growth(taken):.2f}")


if __name__ == "__main__":
    main()
