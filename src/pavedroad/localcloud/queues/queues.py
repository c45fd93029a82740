"""Queues made, set, listed, emptied and deleted; who may use them, and their tags."""

from __future__ import annotations

import json
import re
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.paging import page
from pavedroad.localcloud.queues import settings
from pavedroad.localcloud.queues.call import Call, Result
from pavedroad.localcloud.queues.model import Queue
from pavedroad.localcloud.queues.refusals import bad_value, invalid, missing, no_queue

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
_MOST_LISTED = 1000
_MOST_TAGS = 50
_MOST_ACTIONS = 7
_ACTIONS = frozenset(
    {
        *("*", "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl"),
        *("ListDeadLetterSourceQueues", "PurgeQueue", "ReceiveMessage", "SendMessage"),
    }
)


def create_queue(call: Call) -> Result:
    name, given = str(call.get("QueueName", "")), call.get("Attributes", {})
    if not _NAME.fullmatch(name):
        raise invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    known = call.region.queues.get(name)
    arn = f"arn:aws:sqs:{call.region.name}:{call.region.account}:{name}"
    made = Queue(name, arn, call.now, call.now)
    if given.get("FifoQueue", "").lower() == "true" and not made.is_fifo:
        raise invalid(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            "must end with .fifo suffix and be 1 to 80 in length."
        )
    if made.is_fifo and given.get("FifoQueue", "").lower() != "true" and known is None:
        raise invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    settings.check(call.region, known or made, given)
    if known is not None:
        for attribute, value in given.items():
            if settings.setting(known, attribute) not in (value, value.lower()):
                raise ServiceError(
                    "QueueAlreadyExists",
                    "A queue already exists with the same name and a different value for attribute "
                    f"{attribute}",
                )
        return {"QueueUrl": call.url(known)}
    settings.change(made, given)
    add_tags(made, call.get("tags", {}))
    call.region.queues[name] = made
    return {"QueueUrl": call.url(made)}


def delete_queue(call: Call) -> Result:
    queue = call.queue()
    del call.region.queues[queue.name]
    call.forget(queue)
    return {}


def purge_queue(call: Call) -> Result:
    call.ready(call.queue()).clear()
    return {}


def get_queue_url(call: Call) -> Result:
    if call.get("QueueOwnerAWSAccountId", call.region.account) != call.region.account:
        raise no_queue()
    return {"QueueUrl": call.url(call.named(str(call.get("QueueName", ""))))}


def list_queues(call: Call) -> Result:
    prefix = call.get("QueueNamePrefix", "")
    urls, token = _listed(call, [it for it in call.region.queues.values() if it.name.startswith(prefix)])
    return {"QueueUrls": urls or None, "NextToken": token}


def list_dead_letter_source_queues(call: Call) -> Result:
    urls, token = _listed(call, settings.sources_of(call.region, call.queue()))
    return {"queueUrls": urls, "NextToken": token}


def get_queue_attributes(call: Call) -> Result:
    queue = call.queue()
    counts = call.ready(queue).counts(call.now)
    counted = {
        "ApproximateNumberOfMessages": counts.visible,
        "ApproximateNumberOfMessagesDelayed": counts.delayed,
        "ApproximateNumberOfMessagesNotVisible": counts.in_flight,
    }
    return {"Attributes": settings.told(queue, call.get("AttributeNames", ()), counted) or None}


def set_queue_attributes(call: Call) -> Result:
    queue, given = call.queue(), call.get("Attributes", {})
    if not given:
        raise missing("Attribute.Name")
    settings.check(call.region, queue, given)
    settings.change(queue, given)
    queue.changed_at = call.now
    # Hidden for shorter, or kept for longer: who waits looks again.
    call.ready(queue).line.call()
    return {}


def tag_queue(call: Call) -> Result:
    queue, tags = call.queue(), call.get("Tags", {})
    if not tags:
        raise missing("Tags")
    add_tags(queue, tags)
    return {}


def untag_queue(call: Call) -> Result:
    queue, keys = call.queue(), call.get("TagKeys", ())
    if not keys:
        raise invalid("Tag keys must be between 1 and 128 characters in length.")
    for key in keys:
        queue.tags.pop(key, None)
    return {}


def list_queue_tags(call: Call) -> Result:
    return {"Tags": call.queue().tags or None}


def add_permission(call: Call) -> Result:
    queue, label = call.queue(), call.get("Label", "")
    accounts, actions = call.get("AWSAccountIds", ()), call.get("Actions", ())
    if not actions:
        raise missing("Actions")
    if not accounts:
        raise bad_value("[]", "PrincipalId", "Unable to verify.")
    if len(actions) > _MOST_ACTIONS:
        raise ServiceError("OverLimit", f"{len(actions)} Actions were found, maximum allowed is 7.", 403)
    if unknown := sorted(set(actions) - _ACTIONS):
        reason = "Only the queue owner is allowed to invoke this action."
        raise bad_value(f"SQS:{unknown[0]}", "ActionName", reason)
    policy = _policy(queue)
    if any(it.get("Sid") == label for it in policy["Statement"]):
        raise bad_value(label, "Label", "Already exists.")
    principals = [f"arn:aws:iam::{account}:root" for account in accounts]
    statement = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_more(principals)},
        "Action": _one_or_more([f"SQS:{action}" for action in actions]),
        "Resource": queue.arn,
    }
    _set_policy(queue, {**policy, "Statement": [*policy["Statement"], statement]})
    return {}


def remove_permission(call: Call) -> Result:
    queue, label = call.queue(), call.get("Label", "")
    policy = _policy(queue)
    rest = [it for it in policy["Statement"] if it.get("Sid") != label]
    if len(rest) == len(policy["Statement"]):
        raise bad_value(label, "Label", "can't find label on existing policy.")
    _set_policy(queue, {**policy, "Statement": rest})
    return {}


def _listed(call: Call, queues: list[Queue]) -> tuple[list[str], str | None]:
    """Without a limit there is one page."""
    limit = call.get("MaxResults")
    if limit is not None and not 1 <= limit <= _MOST_LISTED:
        raise bad_value(limit, "MaxResults", "MaxResults must be an integer between 1 and 1000.")
    shown, token = page(
        sorted(queues, key=lambda queue: queue.name),
        key=lambda queue: (queue.name,),
        token=call.get("NextToken"),
        limit=limit or _MOST_LISTED,
    )
    return [call.url(queue) for queue in shown], token if limit else None


def add_tags(queue: Queue, tags: dict[str, str]) -> None:
    """To those that it has, all or none."""
    wanted = {**queue.tags, **tags}
    if len(wanted) > _MOST_TAGS:
        raise invalid(f"Too many tags added for queue {queue.name}.")
    if not all(1 <= len(key) <= 128 and len(value) <= 256 for key, value in tags.items()):
        raise invalid("Tag keys must be between 1 and 128 characters in length, tag values at most 256.")
    queue.tags = wanted


def _policy(queue: Queue) -> dict[str, Any]:
    text = queue.settings.get("Policy")
    policy = json.loads(text) if text else {"Version": "2012-10-17", "Id": f"{queue.arn}/SQSDefaultPolicy"}
    statements = policy.get("Statement", [])
    return {**policy, "Statement": statements if isinstance(statements, list) else [statements]}


def _set_policy(queue: Queue, policy: dict[str, Any]) -> None:
    if policy["Statement"]:
        queue.settings["Policy"] = json.dumps(policy, separators=(",", ":"))
    else:
        queue.settings.pop("Policy", None)


def _one_or_more(items: list[str]) -> str | list[str]:
    return items[0] if len(items) == 1 else items
