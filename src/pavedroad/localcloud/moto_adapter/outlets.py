# pyright: basic, reportAttributeAccessIssue=false
"""Where moto's services send messages to queues, which are not moto's."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Queues

_log = logging.getLogger(__name__)
_places: dict[str, Queues] = {}


def deliver_to(queues: Queues) -> None:
    """From now on."""
    _places["queues"] = queues


def send_to_queue(queue_arn: str, message: str, more: Mapping[str, Any] | None = None) -> bool:
    """Whether it is there. As AWS: whoever sends does not hear of a queue that is gone."""
    queues = _places.get("queues")
    try:
        if queues is not None:
            queues.send(queue_arn, message, more)
    except ServiceError as error:
        _log.warning("A message could not be delivered to %s: %s", queue_arn, error)
        return False
    return queues is not None
