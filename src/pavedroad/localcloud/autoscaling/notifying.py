"""Telling SNS topics what has become of a group's launches and terminations, in AWS's JSON."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pavedroad.localcloud.autoscaling.model import Activity, Group
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Topics

LAUNCH = "autoscaling:EC2_INSTANCE_LAUNCH"
LAUNCH_ERROR = "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"
TERMINATE = "autoscaling:EC2_INSTANCE_TERMINATE"
TERMINATE_ERROR = "autoscaling:EC2_INSTANCE_TERMINATE_ERROR"
TEST = "autoscaling:TEST_NOTIFICATION"
EVENTS = (LAUNCH, LAUNCH_ERROR, TERMINATE, TERMINATE_ERROR, TEST)

_DEEDS = {
    LAUNCH: "launch",
    LAUNCH_ERROR: "failed launch",
    TERMINATE: "termination",
    TERMINATE_ERROR: "failed termination",
    TEST: "test notification",
}
_LAUNCHES = ("Launching a new EC2 instance", "Attaching an existing EC2 instance")
_TERMINATIONS = ("Terminating EC2 instance", "Returning EC2 instance to warm pool")
_INSTANCE = re.compile(r"\bi-[0-9a-f]+\b")


@dataclass(frozen=True, slots=True)
class Notifier:
    """Tells the topics of an account's groups."""

    account: str
    topics: Topics

    def tell_ended(self, group: Group) -> None:
        """Every activity of the group that has ended since, once."""
        if not group.untold:
            return
        ended = [activity for activity in group.untold if activity.ended_at is not None]
        group.untold = [activity for activity in group.untold if activity.ended_at is None]
        for activity in ended:
            event = event_of(activity)
            for topic, events in group.notifications.items():
                if event is not None and event in events:
                    self._tell(topic, group, event, _told(activity, event, self.account))

    def test(self, group: Group, topic: str, now: datetime) -> None:
        """Raises where the topic takes nothing."""
        self.topics.publish(topic, _subject(group, TEST), json.dumps(self._head(group, TEST, now)))

    def _tell(self, topic: str, group: Group, event: str, message: Mapping[str, Any]) -> None:
        try:
            self.topics.publish(topic, _subject(group, event), json.dumps(message, separators=(",", ":")))
        except ServiceError:
            return  # The topic has gone: there is nobody to tell.

    def _head(self, group: Group, event: str, now: datetime) -> dict[str, Any]:
        return {
            "AccountId": self.account,
            "RequestId": str(uuid.uuid4()),
            "AutoScalingGroupARN": group.arn,
            "AutoScalingGroupName": group.name,
            "Service": "AWS Auto Scaling",
            "Event": event,
            "Time": _moment(now),
        }


def event_of(activity: Activity) -> str | None:
    """The event that the end of an activity is; None where it is nobody's business."""
    if activity.description.startswith(_LAUNCHES):
        return LAUNCH if activity.status == "Successful" else LAUNCH_ERROR
    if activity.description.startswith(_TERMINATIONS):
        return {"Successful": TERMINATE, "Failed": TERMINATE_ERROR}.get(activity.status)
    return None


def _told(activity: Activity, event: str, account: str) -> dict[str, Any]:
    """As AWS has it, where a success is told as still in progress."""
    failed = event in (LAUNCH_ERROR, TERMINATE_ERROR)
    ended = _moment(activity.ended_at or activity.started_at)
    found = _INSTANCE.search(activity.description)
    origin, destination = _way(activity, event)
    return {
        "Origin": origin,
        "Destination": destination,
        "Progress": 100 if failed else 50,
        "AccountId": account,
        "Description": activity.description,
        "RequestId": activity.id,
        "EndTime": ended,
        "AutoScalingGroupARN": activity.group_arn,
        "ActivityId": activity.id,
        "StartTime": _moment(activity.started_at),
        "Service": "AWS Auto Scaling",
        "Time": ended,
        "EC2InstanceId": found[0] if found else "",
        "StatusCode": "Failed" if failed else "InProgress",
        "StatusMessage": activity.status_message or "",
        "Details": json.loads(activity.details),
        "AutoScalingGroupName": activity.group_name,
        "Cause": activity.cause,
        "Event": event,
    }


def _way(activity: Activity, event: str) -> tuple[str, str]:
    """Where the instance came from and went to."""
    if event in (LAUNCH, LAUNCH_ERROR):
        if "into warm pool" in activity.description:
            return "EC2", "WarmPool"
        return ("WarmPool" if "from warm pool" in activity.description else "EC2"), "AutoScalingGroup"
    if "to warm pool" in activity.description:
        return "AutoScalingGroup", "WarmPool"
    return ("WarmPool" if "from warm pool" in activity.description else "AutoScalingGroup"), "EC2"


def _subject(group: Group, event: str) -> str:
    return f'Auto Scaling: {_DEEDS[event]} for group "{group.name}"'


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
