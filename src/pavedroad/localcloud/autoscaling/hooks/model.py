"""What is kept of lifecycle hooks, and of the actions that instances wait for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
TRANSITIONS = (LAUNCHING, TERMINATING)

Place = Literal["EC2", "AutoScalingGroup", "WarmPool"]
"""Where an instance comes from and where it goes to, in AWS's words."""
Verdict = Literal["CONTINUE", "ABANDON"]

LONGEST_WAIT_SECONDS = 172_800
MOST_HEARTBEATS = 100


@dataclass(slots=True)
class Hook:
    """A lifecycle hook of a group. An empty target notifies nobody."""

    name: str
    transition: str
    heartbeat_seconds: int = 3600
    default_result: Verdict = "ABANDON"
    target_arn: str = ""
    role_arn: str | None = None
    metadata: str | None = None

    @property
    def global_seconds(self) -> int:
        """The longest that an instance waits, whatever heartbeats come."""
        return min(LONGEST_WAIT_SECONDS, MOST_HEARTBEATS * self.heartbeat_seconds)


@dataclass(slots=True)
class Action:
    """A lifecycle action: one instance waiting for one hook. Over once it has a result."""

    token: str
    hook_name: str
    began_at: datetime
    heartbeat_seconds: int
    due_at: datetime
    """When the default result comes, unless a heartbeat puts it off."""
    last_at: datetime
    """When it comes in any case."""
    default_result: Verdict
    result: Verdict | None = None
    abandoned_because: str = ""

    def heartbeat(self, now: datetime) -> None:
        self.due_at = min(now + timedelta(seconds=self.heartbeat_seconds), self.last_at)

    def end(self, result: Verdict, abandoned_because: str) -> None:
        self.result = result
        if result == "ABANDON":
            self.abandoned_because = abandoned_because

    def expire(self, now: datetime) -> None:
        if self.result is None and now >= self.due_at:
            self.end(self.default_result, "Heartbeat Timeout")
