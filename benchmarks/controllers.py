"""How long each controller's look at everything takes at 1,000, 10,000 and 100,000 instances.

    python benchmarks/controllers.py [--sizes 1000,10000,100000] [--only NAME]

No process runs: where the host is, a stub says that all is well. EC2's instances are the real ones, and so
are the services that are looked at. Prints the processor seconds of one look where nothing is to be done, the
longest time for which it holds the state's lock, and the exponent by which its seconds grow between the last
two sizes: 1 is linear, and over 1.15 is a failure. `--json` prints the figures for a machine.
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
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ["PAVED_CLOUD_INSTANCE_LIMIT"] = os.environ["PAVED_CLOUD_VCPU_LIMIT"] = "10000000"

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.crowd import ACCOUNT, REGIONS, TURNS, EveryGuestRuns, Instances, describing
from benchmarks.holds import TimedState
from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.api.ec2.controller import Controller
from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.autoscaling.memory import MemoryBalancers, MemoryCompute
from pavedroad.localcloud.autoscaling.memory_messages import MemoryQueues, MemoryTopics
from pavedroad.localcloud.autoscaling.memory_metrics import MemoryMetrics
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
from pavedroad.localcloud.moto_adapter.ec2_backend import backend
from pavedroad.localcloud.moto_adapter.ec2_facts import MotoFleet
from pavedroad.localcloud.moto_adapter.ec2_monitored import running_instances
from pavedroad.localcloud.moto_adapter.install import install
from pavedroad.localcloud.moto_adapter.network import MotoNetwork
from pavedroad.localcloud.ports import LaunchData, Sample
from pavedroad.localcloud.publishing.controller import Publishing
from pavedroad.localcloud.state import State

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_A_GROUP = 250
_A_TARGET_GROUP = 1000
_STEEPEST = 1.15
"""Of a look's seconds over the number of instances, as an exponent: a little over linear, for caches."""
_PATIENCE = 10.0
"""Processor seconds after which a look is not repeated."""

Look = Callable[[], object]
Prepare = Callable[[TimedState], Look]


def ec2_controller(state: State, host: EveryGuestRuns) -> Look:
    controller = Controller(state, MotoFleet(), host)
    for _ in range(2):
        controller.step()
    return controller.step


def autoscaling(state: State, count: int, group_size: int) -> Look:
    """Groups of a size, at rest, with every member in service."""
    clock = ManualClock(NOW)
    compute = MemoryCompute(clock.now)
    compute.templates["web"] = [LaunchData("ami-1", "t3.micro")]
    balancers = MemoryBalancers({})
    metrics = MemoryMetrics()
    service = AutoScaling(
        state,
        lambda *_: compute,
        lambda *_: balancers,
        clock,
        metrics=lambda *_: metrics,
        topics=lambda *_: MemoryTopics(),
        queues=lambda *_: MemoryQueues(),
    )
    for number in range(max(1, count // group_size)):
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


def balancing(state: State, folder: Path) -> Look:
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
        state=state,
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


def publishing(state: State, count: int) -> Look:
    """Every instance's minute: some ten metrics, and those that instances share."""
    clock, cloud = ManualClock(NOW), monitoring()
    names = [one.id for one in MotoFleet().instances()][:count]

    def measure(_since: float) -> Measurements:
        clock.advance(60)
        at = clock.now().timestamp()
        guests = tuple(GuestMeasure(name, 1, 0.0, True, at / 100, 1 << 20, 0, 0) for name in names)
        return Measurements("epoch", at, "cgroup v1", guests, None)

    controller = Publishing(
        state,
        clock,
        measure,
        cloud.metrics,
        instances_of=running_instances,
        balancers_of=lambda: iter(()),
        groups_of=lambda: iter(()),
    )
    controller.step()
    return controller.step


def alarms(state: State, count: int) -> Look:
    """One alarm a metric, each with a new datapoint at every look; so many an account as it may have."""
    clock = ManualClock(NOW)
    nobody: Any = object()
    service = Monitoring(state, clock, Outlets(*[lambda *_: nobody] * 3))
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


@dataclass
class Figures:
    """By the number of instances."""

    seconds: dict[int, float] = field(default_factory=dict[int, float])
    """Of a look."""
    held: dict[int, float] = field(default_factory=dict[int, float])
    """For how long it held the state's lock at once, at most."""

    def growth(self) -> float | None:
        """The exponent between the last two sizes."""
        if len(self.seconds) < 2:
            return None
        *_, before, last = sorted(self.seconds)
        return math.log(self.seconds[last] / self.seconds[before]) / math.log(last / before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """By the garbage collector, which is as slow as all that exists is large."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def seconds_of(look: Look, times: int = 3) -> float:
    """The best of some, where they do not take long."""
    taken: list[float] = []
    with undisturbed():
        while len(taken) < times and sum(taken) < _PATIENCE:
            getattr(look, "prepare", lambda: None)()
            began = time.process_time()
            look()
            taken.append(time.process_time() - began)
    return min(taken)


def measure(sizes: list[int], folder: Path, only: str = "") -> dict[str, Figures]:
    install(BlobStore(folder / "objects"), Block(60))
    instances, host = Instances(), EveryGuestRuns()
    found: dict[str, Figures] = {}
    for size in sizes:
        began = time.process_time()
        instances.grow(size)
        ec2_controller(State(), host)  # so that they run
        _say(f"{size} instances after {time.process_time() - began:.1f} s")
        parts: dict[str, Prepare] = {
            "EC2": lambda state: ec2_controller(state, host),
            "Auto Scaling, groups of 250": lambda state: autoscaling(state, size, _A_GROUP),  # noqa: B023
            "Auto Scaling, one group": lambda state: autoscaling(state, size, size),  # noqa: B023
            "balancing": lambda state: balancing(state, folder),
            "publishing": lambda state: publishing(state, size),  # noqa: B023
            "alarms": lambda state: alarms(state, size),  # noqa: B023
            f"{TURNS} launches and ends": lambda _: instances.come_and_go,
            f"{TURNS} DescribeInstances of one": lambda _: describing(),
        }
        for name, prepare in parts.items():
            if only not in name:
                continue
            state = TimedState()
            look = prepare(state)
            state.timed.longest = 0.0
            figures = found.setdefault(name, Figures())
            figures.seconds[size] = seconds_of(look)
            figures.held[size] = state.timed.longest
            _say(f"{size:>7} {name:<30} {figures.seconds[size]:.4f} s, {figures.held[size]:.4f} s at once")
            del look
    return found


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--only", default="", help="what has this in its name")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure([int(size) for size in options.sizes.split(",")], Path(folder), options.only)
    if options.json:
        print(
            json.dumps({name: {**asdict(it), "growth": it.growth()} for name, it in found.items()}, indent=2)
        )
    for name, it in found.items() if not options.json else ():
        seconds = "".join(f"{seconds:>10.3f} s" for seconds in it.seconds.values())
        growth = it.growth()
        power = "" if growth is None else f"   n^{growth:.2f}"
        print(f"{name:<30}{seconds}{power}   held {1000 * max(it.held.values()):.0f} ms at most")
    if steep := [name for name, it in found.items() if (it.growth() or 0) > _STEEPEST]:
        sys.exit(f"worse than linear: {', '.join(steep)}")


if __name__ == "__main__":
    main()
