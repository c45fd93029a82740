"""Auto Scaling on a bench: in-memory EC2 and ELBv2, a clock that stands, and calls by parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pavedroad.core.clock import ManualClock
from pavedroad.localcloud.autoscaling.memory import MemoryBalancers, MemoryCompute
from pavedroad.localcloud.autoscaling.memory_messages import MemoryQueues, MemoryTopics
from pavedroad.localcloud.autoscaling.memory_metrics import MemoryMetrics
from pavedroad.localcloud.autoscaling.model import Activity, Group, Member
from pavedroad.localcloud.autoscaling.service import AutoScaling
from pavedroad.localcloud.ports import LaunchData
from pavedroad.localcloud.state import State
from tests.localcloud.serving import ACCOUNT, REGION

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"
OTHER_ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/other/0123456789abcdef"
TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:told"
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:told"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


class Bench:
    """One account in one region."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        self.compute = MemoryCompute(self.clock.now)
        self.compute.templates["web"] = [LaunchData("ami-1", "t3.micro", tags={"from": "template"})]
        self.balancers = MemoryBalancers({ARN: {}, OTHER_ARN: {}})
        self.topics = MemoryTopics({TOPIC_ARN: []})
        self.queues = MemoryQueues({QUEUE_ARN: []})
        self.metrics = MemoryMetrics()
        self.state = State()
        self.service = AutoScaling(
            self.state,
            lambda _account, _region: self.compute,
            lambda _account, _region: self.balancers,
            self.clock,
            metrics=lambda _account, _region: self.metrics,
            topics=lambda _account, _region: self.topics,
            queues=lambda _account, _region: self.queues,
        )

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.service.call(ACCOUNT, REGION, operation, parameters) or {}

    def create(self, name: str = "web", desired: int = 3, **more: Any) -> Group:
        """A group over three zones; whatever is given replaces the defaults."""
        parameters: dict[str, Any] = {
            "AutoScalingGroupName": name,
            "LaunchTemplate": {"LaunchTemplateName": "web"},
            "MinSize": 0,
            "MaxSize": 20,
            "DesiredCapacity": desired,
            "AvailabilityZones": list(ZONES),
        }
        self.call("CreateAutoScalingGroup", **(parameters | more))
        return self.group(name)

    def group(self, name: str = "web") -> Group:
        return self.service.region(ACCOUNT, REGION).groups[name]

    def exists(self, name: str = "web") -> bool:
        return name in self.service.region(ACCOUNT, REGION).groups

    def members(self, name: str = "web", state: str = "InService") -> list[Member]:
        return [member for member in self.group(name).members.values() if member.state == state]

    def zones(self, name: str = "web") -> dict[str, int]:
        counts: dict[str, int] = {}
        for member in self.group(name).members.values():
            if member.in_capacity:
                counts[member.zone] = counts.get(member.zone, 0) + 1
        return counts

    def activities(self, name: str = "web") -> list[Activity]:
        """Of groups that live or lived under the name, oldest first."""
        return [
            activity
            for activities in self.service.region(ACCOUNT, REGION).activities.values()
            for activity in activities
            if activity.group_name == name
        ]

    def settle(self, steps: int = 50) -> None:
        """Machines run, drains end, and the controller looks until nothing changes any more."""
        for _ in range(steps):
            changed = self.service.step()
            self.compute.run()
            self.compute.finish()
            self.balancers.drained()
            if not changed and not self.service.step():
                return
        raise AssertionError("the controller never comes to rest")

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.settle()
