"""Dead letters sent on: to another queue, or each back to where it came from. A move is done at once, however
slow it was asked to be."""

from __future__ import annotations

import base64
import json
import uuid

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.queues.call import Call, Result
from pavedroad.localcloud.queues.model import MoveTask, Queue
from pavedroad.localcloud.queues.receiving import move
from pavedroad.localcloud.queues.refusals import bad_value
from pavedroad.localcloud.queues.settings import sources_of

_MOST_KEPT = 10


def start_message_move_task(call: Call) -> Result:
    source = _source(call)
    if not sources_of(call.region, source):
        raise ServiceError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    speed = call.get("MaxNumberOfMessagesPerSecond")
    if speed is not None and not 1 <= speed <= 500:
        raise bad_value(speed, "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500.")
    destination = call.get("DestinationArn")
    if destination is not None and call.region.by_arn(destination) is None:
        raise _not_found("The resource that you specified for the DestinationArn parameter doesn't exist.")
    ready = call.ready(source)
    waiting = list(ready.visible(call.now))
    moved = 0
    for message in waiting:
        target = call.region.by_arn(destination or message.dead_letter_of or "")
        if target is not None:
            move(message, ready, call.ready(target), None)
            moved += 1
    task_id = json.dumps({"taskId": str(uuid.uuid4()), "sourceArn": source.arn})
    handle = base64.b64encode(task_id.encode()).decode()
    task = MoveTask(handle, source.arn, destination, call.now, moved, len(waiting), speed)
    source.moves = [task, *source.moves][:_MOST_KEPT]
    return {"TaskHandle": handle}


def list_message_move_tasks(call: Call) -> Result:
    source, most = _source(call), call.get("MaxResults", 1)
    if not 1 <= most <= _MOST_KEPT:
        raise bad_value(most, "MaxResults", "Must be between 1 and 10.")
    return {
        "Results": [
            {
                "Status": "COMPLETED" if task.moved == task.to_move else "FAILED",
                "SourceArn": task.source,
                "DestinationArn": task.destination,
                "MaxNumberOfMessagesPerSecond": task.most_per_second,
                "ApproximateNumberOfMessagesMoved": task.moved,
                "ApproximateNumberOfMessagesToMove": task.to_move,
                "StartedTimestamp": task.started_at,
                "FailureReason": None if task.moved == task.to_move else "CouldNotDetermineMessageSource",
            }
            for task in source.moves[:most]
        ]
    }


def cancel_message_move_task(call: Call) -> Result:
    """None runs for longer than its call."""
    handle = call.get("TaskHandle", "")
    known = any(task.handle == handle for queue in call.region.queues.values() for task in queue.moves)
    raise _not_found("Only active tasks can be cancelled." if known else "Task does not exist.")


def _source(call: Call) -> Queue:
    source = call.region.by_arn(str(call.get("SourceArn", "")))
    if source is None:
        raise _not_found("The resource that you specified for the SourceArn parameter doesn't exist.")
    return source


def _not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message, 404)
