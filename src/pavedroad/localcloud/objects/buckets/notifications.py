"""Notifications: who wants to hear what of a bucket, and what they are told."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Any
from urllib.parse import quote_plus

from pavedroad.localcloud.objects.call import Call, Event
from pavedroad.localcloud.objects.model import Bucket, Version
from pavedroad.localcloud.objects.owners import canonical_id
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, malformed

_KINDS: Mapping[str, tuple[str, str]] = {
    "TopicConfigurations": ("TopicArn", "sns"),
    "QueueConfigurations": ("QueueArn", "sqs"),
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda"),
}
"""Each with the member that names the destination, and the service that this is of."""
_EVENTS: Mapping[str, tuple[str, ...]] = {
    "IntelligentTiering": (),
    "LifecycleExpiration": ("Delete", "DeleteMarkerCreated"),
    "LifecycleTransition": (),
    "ObjectAcl": ("Put",),
    "ObjectAnnotation": ("Delete", "Put"),
    "ObjectCreated": ("CompleteMultipartUpload", "Copy", "Post", "Put"),
    "ObjectRemoved": ("Delete", "DeleteMarkerCreated"),
    "ObjectRestore": ("Completed", "Delete", "Post"),
    "ObjectRetention": ("Put",),
    "ObjectTagging": ("Delete", "Put"),
    "ReducedRedundancyLostObject": (),
    "Replication": (
        "OperationFailedReplication",
        "OperationMissedThreshold",
        "OperationNotTracked",
        "OperationReplicatedAfterThreshold",
    ),
    "TestEvent": (),
}
"""Kinds of events, with those that are of each; `*` is all of a kind."""
_ARN = re.compile(r"arn:aws[a-z-]*:(?P<service>[a-z]+):(?P<region>[a-z0-9-]*):[0-9]{12}:.+")
_EMPTY_ETAG = "d41d8cd98f00b204e9800998ecf8427e"


@dataclass(frozen=True, slots=True)
class _Wish:
    """One configuration, flat."""

    id: str
    arn: str
    service: str
    events: tuple[str, ...]
    prefix: str
    suffix: str

    def wants(self, name: str, key: str) -> bool:
        return (
            key.startswith(self.prefix)
            and key.endswith(self.suffix)
            and any(_covers(it, f"s3:{name}") for it in self.events)
        )

    def overlaps(self, other: _Wish) -> bool:
        """Whether there could be an event that both want."""
        return (
            (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
            and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))
            and any(_covers(mine, its) or _covers(its, mine) for mine in self.events for its in other.events)
        )


def checked(call: Call, bucket: Bucket, document: Any) -> Any:
    """With an id for each, and names of filters as S3 writes them."""
    kept = {
        name: [_checked(it, *kind) for it in document[name]]
        for name, kind in _KINDS.items()
        if document.get(name)
    }
    wishes = list(_wishes(kept))
    if len({it.id for it in wishes}) < len(wishes):
        raise bad_argument("Same ID used for multiple configurations. IDs must be unique.")
    for one, other in combinations(wishes, 2):
        if one.overlaps(other):
            raise bad_argument(
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the "
                "prefixes are overlapping for the same event type."
            )
    for wish in wishes:
        _check_destination(call, bucket, wish)
    if document.get("EventBridgeConfiguration") is not None:
        kept["EventBridgeConfiguration"] = document["EventBridgeConfiguration"]
    return kept


def test_event(bucket: Bucket, now: datetime, request_id: str, host_id: str) -> dict[str, Any]:
    """What a destination hears first of all."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": _time(now),
        "Bucket": bucket.name,
        "RequestId": request_id,
        "HostId": host_id,
    }


def destinations(bucket: Bucket) -> list[str]:
    """Their ARNs, each once."""
    kept = bucket.configured("BucketNotificationConfiguration", "NotificationConfiguration")
    return list(dict.fromkeys(it.arn for it in _wishes(kept)))


def messages(
    event: Event, *, now: datetime, principal: str, request_id: str, host_id: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each with the ARN of who wants it."""
    kept = event.bucket.configuration.get("BucketNotificationConfiguration")
    for wish in _wishes(kept) if kept else ():
        if wish.wants(event.name, event.key):
            responses = {"x-amz-request-id": request_id, "x-amz-id-2": host_id}
            yield (
                wish.arn,
                {
                    "Records": [
                        {
                            "eventVersion": "2.1",
                            "eventSource": "aws:s3",
                            "awsRegion": event.bucket.region,
                            "eventTime": _time(now),
                            "eventName": event.name,
                            "userIdentity": {"principalId": principal},
                            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
                            "responseElements": responses,
                            "s3": {
                                "s3SchemaVersion": "1.0",
                                "configurationId": wish.id,
                                "bucket": _bucket(event.bucket),
                                "object": _object(event),
                            },
                        }
                    ]
                },
            )


def _bucket(bucket: Bucket) -> dict[str, Any]:
    return {
        "name": bucket.name,
        "ownerIdentity": {"principalId": canonical_id(bucket.account)[:14].upper()},
        "arn": f"arn:aws:s3:::{bucket.name}",
    }


def _object(event: Event) -> dict[str, Any]:
    told: dict[str, Any] = {"key": quote_plus(event.key, safe="/")}
    if isinstance(event.entry, Version):
        if not event.name.startswith("ObjectRemoved"):
            told |= {"size": event.entry.size, "eTag": event.entry.etag}
    else:
        told["eTag"] = _EMPTY_ETAG
    if event.bucket.versioning:
        told["versionId"] = event.entry.id
    return {**told, "sequencer": f"{event.number:018X}"}


def _wishes(kept: Mapping[str, Any]) -> Iterator[_Wish]:
    for name, (member, service) in _KINDS.items():
        for said in kept.get(name, ()):
            rules = {it["Name"].lower(): it.get("Value", "") for it in _rules(said)}
            yield _Wish(
                said.get("Id", ""),
                said[member],
                service,
                tuple(said["Events"]),
                rules.get("prefix", ""),
                rules.get("suffix", ""),
            )


def _rules(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return said.get("Filter", {}).get("Key", {}).get("FilterRules", [])


def _checked(said: Mapping[str, Any], member: str, service: str) -> dict[str, Any]:
    arn = said[member]
    found = _ARN.fullmatch(arn)
    if found is None or found["service"] != service:
        raise bad_argument("The ARN is not well formed", member, arn)
    if not said["Events"]:
        raise malformed()
    for event in said["Events"]:
        if not _is_event(event):
            raise bad_argument(f"The event '{event}' is not supported for notifications", "Event", event)
    seen: set[str] = set()
    for rule in _rules(said):
        name, value = str(rule.get("Name", "")), str(rule.get("Value", ""))
        if name.lower() not in ("prefix", "suffix"):
            raise bad_argument("filter rule name must be either prefix or suffix", "FilterRule.Name", name)
        if name.lower() in seen:
            raise bad_argument(
                f"Cannot specify more than one {name.lower()} rule in a filter.", "FilterRule.Name", name
            )
        if len(value.encode()) > 1024:
            raise bad_argument("The filter value must be at most 1024 bytes.", "FilterRule.Value", value)
        seen.add(name.lower())
    kept = {**said, "Id": said.get("Id") or secrets.token_urlsafe(36)}
    if "Filter" in said:
        rules = [{"Name": it["Name"].capitalize(), "Value": it.get("Value", "")} for it in _rules(said)]
        kept["Filter"] = {"Key": {"FilterRules": rules}}
    return kept


def _is_event(said: str) -> bool:
    kind, colon, name = said.removeprefix("s3:").partition(":")
    known = _EVENTS.get(kind)
    if known is None or not said.startswith("s3:"):
        return False
    return name in (*known, "*") if colon and known else not colon and not known


def _check_destination(call: Call, bucket: Bucket, wish: _Wish) -> None:
    if wish.arn.split(":")[3] != bucket.region:
        raise bad_argument(
            "The notification destination service region is not valid for the bucket location constraint",
            wish.arn,
            bucket.region,
        )
    if wish.service == "sqs" and wish.arn.endswith(".fifo"):
        raise bad_argument("The following queue type isn't supported: FIFO", wish.arn)
    if call.get("SkipDestinationValidation") or wish.service == "lambda":
        return
    if not call.exists(wish.arn):
        kind = "queue" if wish.service == "sqs" else "topic"
        raise Refused(
            "InvalidArgument",
            "Unable to validate the following destination configurations",
            ArgumentName1=wish.arn,
            ArgumentValue1=f"The destination {kind} does not exist",
        )


def _covers(wanted: str, name: str) -> bool:
    return wanted == name or (wanted.endswith("*") and name.startswith(wanted[:-1]))


def _time(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
