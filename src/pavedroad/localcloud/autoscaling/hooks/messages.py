"""What a hook's notification target is told: AWS's JSON, to an SNS topic or an SQS queue."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime

from pavedroad.localcloud.autoscaling.hooks.model import Action, Hook, Place
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Queues, Topics


@dataclass(frozen=True, slots=True)
class Notices:
    """Who can be told, in one account and region."""

    account: str
    topics: Topics
    queues: Queues

    def reaches(self, target_arn: str) -> bool:
        """Whether there is such a topic or queue, that takes messages of hooks."""
        match target_arn.split(":"):
            case ["arn", _, "sns", *_]:
                return self.topics.exists(target_arn)
            case ["arn", _, "sqs", *_]:
                return not target_arn.endswith(".fifo") and self.queues.exists(target_arn)
            case _:
                return False

    def tell(self, target_arn: str, subject: str, message: dict[str, str]) -> None:
        """A target that has gone is told nothing: the hook's time-out decides then."""
        text = json.dumps(message, separators=(",", ":"))
        try:
            if ":sqs:" in target_arn:
                self.queues.send(target_arn, text)
            elif target_arn:
                self.topics.publish(target_arn, subject, text)
        except ServiceError:
            return


def test_message(notices: Notices, hook: Hook, group_name: str, group_arn: str, now: datetime) -> None:
    """What AWS sends when a target is set."""
    notices.tell(
        hook.target_arn,
        f'Auto Scaling: test notification for group "{group_name}"',
        {
            "AccountId": notices.account,
            "RequestId": str(uuid.uuid4()),
            "AutoScalingGroupARN": group_arn,
            "AutoScalingGroupName": group_name,
            "Service": "AWS Auto Scaling",
            "Event": "autoscaling:TEST_NOTIFICATION",
            "Time": _moment(now),
        },
    )


def waiting(
    notices: Notices,
    hook: Hook,
    action: Action,
    *,
    group_name: str,
    instance_id: str,
    origin: Place,
    destination: Place,
    now: datetime,
) -> None:
    """An instance has begun to wait for the hook."""
    message = {
        "Origin": origin,
        "LifecycleHookName": hook.name,
        "Destination": destination,
        "AccountId": notices.account,
        "RequestId": str(uuid.uuid4()),
        "LifecycleTransition": hook.transition,
        "AutoScalingGroupName": group_name,
        "Service": "AWS Auto Scaling",
        "Time": _moment(now),
        "EC2InstanceId": instance_id,
        "LifecycleActionToken": action.token,
    }
    if hook.metadata is not None:
        message["NotificationMetadata"] = hook.metadata
    kind = hook.transition.rpartition("_")[2]
    notices.tell(
        hook.target_arn,
        f"Auto Scaling:  Lifecycle action '{kind}' for instance {instance_id} in progress.",
        message,
    )


def _moment(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z"
