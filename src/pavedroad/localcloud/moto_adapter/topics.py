# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false, reportReturnType=false
"""SNS over moto's topics: subscribers are reached for real, and nobody waits for them.

moto posts to HTTP endpoints inside the call, confirms them unasked, makes an RSA key for each subscription,
and keeps every message that was ever published. `install` puts other functions in those places.
"""

from __future__ import annotations

import base64
import json
import logging
import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.sns.exceptions import SNSInvalidParameter, SNSNotFoundError
from moto.sns.models import SNSBackend, Subscription, Topic, sns_backends
from moto.sns.responses import SNSResponse
from moto.sns.utils import FilterPolicyMatcher

from pavedroad.localcloud import event_patterns
from pavedroad.localcloud.deliveries import Deliveries, Delivery
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.event_patterns import Limits, PatternError
from pavedroad.localcloud.moto_adapter.outlets import send_to_queue

_log = logging.getLogger(__name__)
_deliveries = Deliveries()
_HTTP = ("http", "https")
_ATTRIBUTES, _BODY = "MessageAttributes", "MessageBody"
_SETTABLE = frozenset(
    {
        *("RawMessageDelivery", "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"),
        *("SubscriptionRoleArn", "ReplayPolicy"),
    }
)
_PROTOCOLS = frozenset({*_HTTP, "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"})
_AGENT = "Amazon Simple Notification Service Agent"

_moto_subscribe = SNSResponse.subscribe
_moto_publish = Subscription.publish


class MotoTopics:
    """`pavedroad.localcloud.ports.Topics`. A topic is where its ARN says, whoever asks."""

    def exists(self, topic_arn: str) -> bool:
        return _topic(topic_arn) is not None

    def publish(self, topic_arn: str, subject: str, message: str) -> None:
        topic = _topic(topic_arn)
        if topic is None:
            raise ServiceError("NotFound", "Topic does not exist", 404)
        try:
            topic.publish(message, subject=subject or None)
        except ServiceException as error:
            raise ServiceError(error.code, str(error.message)) from error


def topics_of(_account: str, _region: str) -> MotoTopics:
    return MotoTopics()


def install() -> None:
    Topic.publish = _publish_to_all
    Subscription.publish = _publish_to_one
    Subscription.get_post_data = _notification
    SNSBackend.set_subscription_attributes = _set_attribute
    FilterPolicyMatcher.matches = _wants
    SNSResponse.subscribe = _subscribe
    SNSResponse.confirm_subscription = _confirm


def _topic(arn: str) -> Topic | None:
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sns" or parts[3] not in sns_backends[parts[4]]:
        return None
    return sns_backends[parts[4]][parts[3]].topics.get(arn)


def _publish_to_all(self: Topic, message: str, subject: str | None = None, **more) -> str:
    message_id = str(mock_random.uuid4())
    for subscription in self.sns_backend._get_topic_subscriptions(self):
        try:
            subscription.publish(message, message_id, subject=subject, **more)
        except Exception as error:
            # AWS too answers the publisher before it knows of its subscribers.
            _log.warning("A message could not be delivered to %s: %r", subscription.arn, error)
    return message_id


def _publish_to_one(
    self: Subscription, message: str, message_id: str, subject: str | None = None, **more
) -> None:
    raw = str(self.attributes.get("RawMessageDelivery")).lower() == "true"
    self.attributes["RawMessageDelivery"] = raw
    if self.protocol not in (*_HTTP, "sqs"):
        _moto_publish(self, message, message_id, subject=subject, **more)
        return
    if is_pending(self):
        return
    attributes, structure = more.get("message_attributes"), more.get("message_structure")
    if self._filter_policy_matcher and not _wants(self._filter_policy_matcher, attributes, message):
        return
    text = self._parse_message_structure(message, self.protocol) if structure == "json" else message
    if self.protocol == "sqs":
        order = {"MessageGroupId": more.get("group_id")}
        if self.endpoint.endswith(".fifo"):
            order["MessageDeduplicationId"] = more.get("deduplication_id")
        if raw:
            _put(self, text, {**order, "MessageAttributes": _of_queues(attributes or {})})
        else:
            told = self.get_post_data(text, message_id, subject, message_attributes=attributes)
            _put(self, json.dumps(told, indent=2), order)
        return
    if raw:
        _send(self, "Notification", message_id, text, raw=True)
    else:
        told = self.get_post_data(text, message_id, subject, message_attributes=attributes)
        _send(self, "Notification", message_id, json.dumps(told))


def _put(subscription: Subscription, text: str, more: dict[str, Any]) -> None:
    """Into its queue, or, where that cannot be, among its dead letters."""
    redrive = subscription.attributes.get("RedrivePolicy")
    if not send_to_queue(subscription.endpoint, text, more) and redrive:
        send_to_queue(json.loads(redrive)["deadLetterTargetArn"], text, more)


def _of_queues(attributes: dict[str, Any]) -> dict[str, Any]:
    """Message attributes as SQS has them."""
    return {
        name: {"DataType": it["Type"], "BinaryValue": _bytes(it["Value"])}
        if it["Type"].startswith("Binary")
        else {"DataType": it["Type"], "StringValue": str(it["Value"])}
        for name, it in attributes.items()
    }


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else base64.b64decode(value)


def _notification(
    self: Subscription,
    message: str,
    message_id: str,
    subject: str | None,
    message_attributes: dict | None = None,
) -> dict[str, object]:
    """Unsigned: there is no certificate that anybody would trust."""
    told = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": self.topic.arn,
        **({"Subject": subject} if subject else {}),
        "Message": message,
        "Timestamp": _stamp(),
        "UnsubscribeURL": _link(self, Action="Unsubscribe", SubscriptionArn=self.arn),
    }
    return {**told, "MessageAttributes": message_attributes} if message_attributes else told


def _wants(self: FilterPolicyMatcher, attributes: dict[str, Any] | None, message: str) -> bool:
    """Whether the filter policy lets a message through."""
    if self.filter_policy_scope == _BODY:
        try:
            told = json.loads(message)
        except ValueError:
            return False
        return isinstance(told, dict | list) and event_patterns.matches(self.filter_policy, told)
    told = {name: _told(it["Type"], it["Value"]) for name, it in (attributes or {}).items()}
    return event_patterns.matches(
        self.filter_policy, {name: it for name, it in told.items() if it is not None}
    )


def _told(kind: str, value: Any) -> Any:
    """A message attribute as patterns see it; None for what they do not."""
    match kind.split(".", 1):
        case ["String", "Array"]:
            try:
                found = json.loads(value)
            except ValueError:
                return None
            return found if isinstance(found, list) else [found]
        case ["String", *_]:
            return value
        case ["Number", *_]:
            return float(value)
        case _:
            return None


def _set_attribute(self: SNSBackend, arn: str, name: str, value: Any) -> None:
    if name not in _SETTABLE:
        raise SNSInvalidParameter("AttributeName")
    subscription = self.subscriptions.get(arn)
    if subscription is None:
        raise SNSNotFoundError("Subscription does not exist")
    changed = {**subscription.attributes, name: value}
    policy = _filter_policy(changed, "")
    _check_redrive(changed, "")
    if name in ("FilterPolicy", "RedrivePolicy") and not value:
        subscription.attributes.pop(name, None)
    else:
        subscription.attributes[name] = value
    subscription._filter_policy = policy
    scope = changed.get("FilterPolicyScope")
    subscription._filter_policy_matcher = FilterPolicyMatcher(policy, scope) if policy else None


def _filter_policy(attributes: dict[str, Any], where: str) -> dict[str, Any] | None:
    """What the text says, if it may be one with that scope."""
    scope = attributes.get("FilterPolicyScope") or _ATTRIBUTES
    if scope not in (_ATTRIBUTES, _BODY):
        raise SNSInvalidParameter(f"Invalid parameter: {where}FilterPolicyScope: Invalid value [{scope}]. ")
    text = attributes.get("FilterPolicy")
    if not text:
        return None
    try:
        policy = json.loads(text)
        event_patterns.check(policy, Limits(names=5, combinations=150, nested=scope == _BODY))
    except PatternError as error:
        raise SNSInvalidParameter(f"Invalid parameter: {where}FilterPolicy: {error}") from error
    except (ValueError, RecursionError) as error:
        raise SNSInvalidParameter(f"Invalid parameter: {where}FilterPolicy: failed to parse JSON.") from error
    return policy


def _check_redrive(attributes: dict[str, Any], where: str) -> None:
    text = attributes.get("RedrivePolicy")
    if not text:
        return
    try:
        target = json.loads(text)["deadLetterTargetArn"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise SNSInvalidParameter(
            f"Invalid parameter: {where}RedrivePolicy: failed to parse JSON."
        ) from error
    if not str(target).startswith("arn:") or ":sqs:" not in str(target):
        raise SNSInvalidParameter(
            f"Invalid parameter: {where}RedrivePolicy: deadLetterTargetArn is an invalid arn"
        )


def _check_endpoint(protocol: str, topic_arn: str, endpoint: str) -> None:
    if protocol not in _PROTOCOLS:
        raise SNSInvalidParameter(
            f"Invalid parameter: Amazon SNS does not support this protocol string: {protocol}"
        )
    if protocol == "sqs" and endpoint.endswith(".fifo") and not topic_arn.endswith(".fifo"):
        raise SNSInvalidParameter(
            "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to "
            "standard SNS topics"
        )


def _is_as(subscription: Subscription, attributes: dict[str, Any]) -> bool:
    """Whether each that is given is what it has."""
    return all(
        str(subscription.attributes.get(name) or "").lower() == str(value or "").lower()
        if isinstance(value, bool)
        else (subscription.attributes.get(name) or "") == value
        for name, value in attributes.items()
    )


def _subscribe(self: SNSResponse) -> ActionResult:
    backend: SNSBackend = self.backend
    known = set(backend.subscriptions)
    attributes = self._get_attributes()
    if unknown := set(attributes) - _SETTABLE:
        raise SNSInvalidParameter(f"Invalid parameter: Attributes Reason: Unknown attribute: {min(unknown)}")
    _filter_policy(attributes, "Attributes Reason: ")
    _check_redrive(attributes, "Attributes Reason: ")
    protocol, topic_arn, endpoint = (
        str(self._get_param(name) or "") for name in ("Protocol", "TopicArn", "Endpoint")
    )
    _check_endpoint(protocol, topic_arn, endpoint)
    there = backend._find_subscription(topic_arn, endpoint, protocol)
    if there is not None and not _is_as(there, attributes):
        raise SNSInvalidParameter(
            "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
        )
    result = _moto_subscribe(self)
    said: Any = result.result
    subscription = backend.subscriptions[said["SubscriptionArn"]]
    if subscription.protocol not in _HTTP:
        return result
    if subscription.arn not in known:
        host = self.headers.get("Host") or "localhost"
        subscription.cloud_url = f"http://{host}"
        subscription.token = secrets.token_hex(64)
        subscription.attributes |= {"PendingConfirmation": True, "ConfirmationWasAuthenticated": False}
    if is_pending(subscription):
        _ask(subscription)
        if str(self._get_param("ReturnSubscriptionArn")).lower() != "true":
            return ActionResult({"SubscriptionArn": "pending confirmation"})
    return result


def _confirm(self: SNSResponse) -> ActionResult:
    topic_arn, token = self._get_param("TopicArn"), self._get_param("Token")
    if _topic(topic_arn or "") is None:
        raise ServiceError("NotFound", "Topic does not exist", 404)
    for subscription in self.backend.subscriptions.values():
        if subscription.topic.arn == topic_arn and getattr(subscription, "token", "") == token:
            subscription.attributes["PendingConfirmation"] = False
            subscription.confirmed = True
            return ActionResult({"SubscriptionArn": subscription.arn})
    raise ServiceError("InvalidParameter", "Invalid parameter: Token")


def is_pending(subscription: Subscription) -> bool:
    return str(subscription.attributes.get("PendingConfirmation")).lower() == "true"


def _ask(subscription: Subscription) -> None:
    """The endpoint is to say that it wants the messages, by visiting the address that it is told."""
    message_id, topic = str(mock_random.uuid4()), subscription.topic.arn
    told = {
        "Type": "SubscriptionConfirmation",
        "MessageId": message_id,
        "Token": subscription.token,
        "TopicArn": topic,
        "Message": (
            f"You have chosen to subscribe to the topic {topic}.\n"
            "To confirm the subscription, visit the SubscribeURL included in this message."
        ),
        "SubscribeURL": _link(
            subscription, Action="ConfirmSubscription", TopicArn=topic, Token=subscription.token
        ),
        "Timestamp": _stamp(),
    }
    _send(subscription, "SubscriptionConfirmation", message_id, json.dumps(told))


def _send(subscription: Subscription, kind: str, message_id: str, text: str, *, raw: bool = False) -> None:
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": _AGENT,
        "x-amz-sns-message-type": kind,
        "x-amz-sns-message-id": message_id,
        "x-amz-sns-topic-arn": subscription.topic.arn,
        **({"x-amz-sns-subscription-arn": subscription.arn} if kind == "Notification" else {}),
        **({"x-amz-sns-rawdelivery": "true"} if raw else {}),
    }
    _deliveries.send(Delivery(subscription.endpoint, headers, text.encode()))


def _link(subscription: Subscription, **parameters: str) -> str:
    base = getattr(subscription, "cloud_url", "http://localhost")
    return f"{base}/?{urlencode({**parameters, 'Version': '2010-03-31'})}"


def _stamp() -> str:
    now = datetime.now(UTC)
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
