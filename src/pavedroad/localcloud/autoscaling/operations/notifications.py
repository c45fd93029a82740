"""Which topics are told what of a group."""

from __future__ import annotations

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.notifying import EVENTS, Notifier
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.errors import ServiceError

MOST_TOPICS = 10


def put(call: Call) -> Result:
    group = call.changeable_group()
    topic: str = call.parameters["TopicARN"]
    wanted = frozenset(call.texts("NotificationTypes"))
    if not wanted:
        raise refused("At least one notification type must be specified")
    for event in wanted:
        if event not in EVENTS:
            raise refused(f'"{event}" is not a valid Notification Type')
    if topic not in group.notifications and len(group.notifications) >= MOST_TOPICS:
        raise ServiceError("LimitExceeded", f"A group notifies at most {MOST_TOPICS} topics.")
    if not call.topics.exists(topic):
        raise _unreachable(topic)
    try:
        Notifier(call.region.account, call.topics).test(group, topic, call.now)
    except ServiceError as refusal:
        raise _unreachable(topic) from refusal
    group.notifications[topic] = tuple(event for event in EVENTS if event in wanted)
    return None


def delete(call: Call) -> Result:
    call.group().notifications.pop(call.parameters["TopicARN"], None)
    return None


def describe(call: Call) -> Result:
    names = frozenset(call.texts("AutoScalingGroupNames"))
    shown, token = paging.page(
        sorted(
            (group.name, topic, event)
            for group in call.region.groups.values()
            if not names or group.name in names
            for topic, events in group.notifications.items()
            for event in events
        ),
        key=lambda found: found,
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=100),
    )
    return {
        "NotificationConfigurations": [
            {"AutoScalingGroupName": name, "TopicARN": topic, "NotificationType": event}
            for name, topic, event in shown
        ],
        "NextToken": token,
    }


def _unreachable(topic: str) -> ServiceError:
    return refused(
        f"Unable to publish test message to notification target {topic}. Please check your target and try "
        "to put the notification configuration again."
    )


OPERATIONS: dict[str, Operation] = {
    "PutNotificationConfiguration": put,
    "DeleteNotificationConfiguration": delete,
    "DescribeNotificationConfigurations": describe,
}
