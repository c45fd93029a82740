"""Months of launches and terminations in minutes: EC2, groups and alarms in this process, on a clock that
is put forward, with a host that does at once what it is told.

    python -m tests.localcloud.whole.fast_forward 100000

Prints what there is halfway and at the end, as JSON: what a test of its own process compares.
"""

from __future__ import annotations

import gc
import json
import sys
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import psutil

from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.api.ec2 import controller as ec2_controller
from pavedroad.localcloud.autoscaling.memory import MemoryBalancers
from pavedroad.localcloud.autoscaling.memory_messages import MemoryQueues, MemoryTopics
from pavedroad.localcloud.autoscaling.memory_metrics import MemoryMetrics
from pavedroad.localcloud.autoscaling.service import AutoScaling
from pavedroad.localcloud.blocks import Block
from pavedroad.localcloud.monitoring.alarms.actions import Outlets
from pavedroad.localcloud.monitoring.service import Monitoring
from pavedroad.localcloud.moto_adapter.compute import MotoCompute
from pavedroad.localcloud.moto_adapter.ec2_backend import backend
from pavedroad.localcloud.moto_adapter.ec2_facts import MotoFleet
from pavedroad.localcloud.moto_adapter.install import install
from pavedroad.localcloud.ports import Sample
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import Guest, GuestStatus

ACCOUNT, REGION = "123456789012", "us-east-1"
A_ROUND = 200
_DAY = 86400.0


class PromptHost:
    """Whoever is wanted runs, and nobody else does."""

    def __init__(self) -> None:
        self.boots: dict[str, int] = {}
        self.ended: set[str] = set()

    def guest(self, guest_id: str) -> GuestStatus | None:
        boot = self.boots.get(guest_id)
        if boot is None and guest_id not in self.ended:
            return None
        state = "exited" if boot is None else "running"
        return GuestStatus(guest_id, boot or 1, state, 1, 1.0, None, None, "")

    def want_guests(self, guests: dict[str, Guest | None]) -> int:
        for name, guest in guests.items():
            if guest is None or not guest.running:
                self.boots.pop(name, None)
                self.ended.add(name)
            else:
                self.boots[name] = guest.boot
        return 1

    def taken(self, revision: int) -> bool:
        return True


class FastForward:
    def __init__(self) -> None:
        install(Block(59))
        self.clock = ManualClock(datetime.now(UTC))
        self.host, self.state = PromptHost(), State()
        self.instances = ec2_controller.Controller(self.state, MotoFleet(), self.host, self.clock.now)
        self.ec2 = backend(ACCOUNT, REGION)
        balancers, metrics, nobody = MemoryBalancers({}), MemoryMetrics(), object()
        self.groups = AutoScaling(
            self.state,
            MotoCompute,
            lambda *_: balancers,
            self.clock,
            metrics=lambda *_: metrics,
            topics=lambda *_: MemoryTopics(),
            queues=lambda *_: MemoryQueues(),
        )
        outlets: Any = [lambda *_: nobody] * 3
        self.alarms = Monitoring(self.state, self.clock, Outlets(*outlets))
        self.launched = 0
        self._begin()

    def _begin(self) -> None:
        image = next(iter(self.ec2.amis))
        self._call(
            "CreateLaunchConfiguration", LaunchConfigurationName="c", ImageId=image, InstanceType="t3.nano"
        )
        self._call(
            "CreateAutoScalingGroup",
            AutoScalingGroupName="g",
            LaunchConfigurationName="c",
            MinSize=0,
            MaxSize=A_ROUND,
            AvailabilityZones=[f"{REGION}{letter}" for letter in "abc"],
            Tags=[{"Key": "Name", "Value": "one", "PropagateAtLaunch": True}],
        )
        alarm = {"AlarmName": "busy", "Namespace": "Test", "MetricName": "Load", "Statistic": "Average"}
        rule = {"Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0}
        parameters = {**alarm, **rule, "ComparisonOperator": "GreaterThanThreshold"}
        self.alarms.call(ACCOUNT, REGION, "PutMetricAlarm", parameters)

    def a_day(self) -> None:
        """The group grows and shrinks, the alarm goes on and off, and what has ended is forgotten."""
        for desired in (A_ROUND, 0):
            self._call("SetDesiredCapacity", AutoScalingGroupName="g", DesiredCapacity=desired)
            while not self._at_rest(desired):
                self.groups.step()
                self.instances.step()
            at = self.clock.now().timestamp()
            metrics = self.alarms.metrics(ACCOUNT, REGION)
            metrics.publish("Test", [Sample("Load", {}, at, (float(desired),))])
            self.clock.advance(180)
            self.alarms.step()
        self.launched += A_ROUND
        self.host.ended.clear()
        self.clock.advance(_DAY - 360)
        with patch.object(ec2_controller, "_FORGET_EVERY", 0.0):
            self.instances.step()
        self.groups.step()

    def _at_rest(self, desired: int) -> bool:
        members = self.groups.region(ACCOUNT, REGION).groups["g"].members.values()
        return len(members) == desired and all(member.state == "InService" for member in members)

    def there_is(self) -> dict[str, Any]:
        gc.collect()
        region = self.groups.region(ACCOUNT, REGION)
        return {
            "launched": self.launched,
            "rss": psutil.Process().memory_info().rss,
            "objects": len(gc.get_objects()),
            "ec2": {
                name: len(held)
                for name, held in vars(self.ec2).items()
                if isinstance(held, dict | list) and (held or not name.startswith("_"))
            },
            "used addresses": sum(
                len(subnet._subnet_ips)
                for of_zone in self.ec2.subnets.values()
                for subnet in of_zone.values()
            ),
            "activities": sum(map(len, region.activities.values())),
            "alarm history": sum(map(len, self.alarms.region(ACCOUNT, REGION).history.values())),
            "guests": len(self.host.boots),
        }

    def _call(self, operation: str, **parameters: Any) -> None:
        self.groups.call(ACCOUNT, REGION, operation, parameters)


def main() -> None:
    count = int(sys.argv[1])
    cloud = FastForward()
    found: list[dict[str, Any]] = [cloud.there_is()]
    for half in (1, 2):
        while cloud.launched < count * half // 2:
            cloud.a_day()
        found.append(cloud.there_is())
    json.dump(dict(zip(("first", "halfway", "last"), found, strict=True)), sys.stdout)


if __name__ == "__main__":
    main()
