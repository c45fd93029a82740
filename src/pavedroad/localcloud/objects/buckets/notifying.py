"""Notifications go out: to queues and topics, and not at all to what this cloud does not have."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.api.services import QueuesOf, TopicsOf
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.objects.buckets import notifications
from pavedroad.localcloud.objects.call import Call

_log = logging.getLogger(__name__)
_SUBJECT = "Amazon S3 Notification"


class Notifying:
    def __init__(self, queues: QueuesOf, topics: TopicsOf) -> None:
        self._queues = queues
        self._topics = topics

    def exists(self, arn: str) -> bool:
        """Whether there is a queue or a topic of that ARN."""
        service, region, account = _parts(arn)
        if service == "sqs":
            return self._queues(account, region).exists(arn)
        return service != "sns" or self._topics(account, region).exists(arn)

    def tell(self, call: Call, request_id: str, host_id: str) -> None:
        """Whoever wants to hear of what a call has done. With the state's lock held."""
        if call.operation == "PutBucketNotificationConfiguration":
            bucket = call.bucket()
            test = notifications.test_event(bucket, call.now, request_id, host_id)
            for arn in notifications.destinations(bucket):
                self._deliver(arn, test)
        principal = "Anonymous" if call.anonymous else f"AWS:{call.account}"
        for event in call.events:
            for arn, message in notifications.messages(
                event, now=call.now, principal=principal, request_id=request_id, host_id=host_id
            ):
                self._deliver(arn, message)

    def _deliver(self, arn: str, message: Mapping[str, Any]) -> None:
        service, region, account = _parts(arn)
        text = json.dumps(message)
        try:
            if service == "sqs":
                self._queues(account, region).send(arn, text)
            elif service == "sns":
                self._topics(account, region).publish(arn, _SUBJECT, text)
        except ServiceError as error:
            _log.warning("A notification could not be delivered to %s: %s", arn, error)


def _parts(arn: str) -> tuple[str, str, str]:
    """Service, region and account."""
    parts = arn.split(":")
    return parts[2], parts[3], parts[4]
