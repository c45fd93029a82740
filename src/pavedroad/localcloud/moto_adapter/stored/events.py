# pyright: basic, reportAttributeAccessIssue=false, reportArgumentType=false
"""EventBridge over moto's rules: events match as AWS's guides say, and reach queues and topics.

moto knows some of the patterns, sends to queues of its own, and fails for what it does not know. `install`
puts other functions in those places.
"""

from __future__ import annotations

import copy
import json
import logging
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.events.exceptions import InvalidEventPatternException
from moto.events.models import EventPattern, Rule
from moto.events.responses import EventsHandler

from pavedroad.localcloud import event_patterns
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.event_patterns import PatternError
from pavedroad.localcloud.moto_adapter.outlets import send_to_queue
from pavedroad.localcloud.moto_adapter.stored.inputs import told
from pavedroad.localcloud.moto_adapter.topics import topics_of

_log = logging.getLogger(__name__)
_moto_send = Rule.send_to_targets
_moto_load = EventPattern.load.__func__


def install() -> None:
    EventPattern.load = classmethod(_load)
    EventPattern.matches_event = _matches
    Rule.send_to_targets = _send
    EventsHandler.test_event_pattern = _test


def _load(cls: type[EventPattern], raw_pattern: str | None) -> EventPattern:
    loaded = _moto_load(cls, raw_pattern)
    if raw_pattern:
        try:
            event_patterns.check(loaded.get_pattern())
        except PatternError as error:
            said = str(error).replace("Filter policy", "Event pattern")
            raise InvalidEventPatternException(said) from error
    return loaded


def _matches(self: EventPattern, event: dict[str, Any]) -> bool:
    """A rule without a pattern is of a schedule."""
    return bool(self._pattern) and event_patterns.matches(self._pattern, _shown(event))


def _send(self: Rule, original_event: dict[str, Any], transform_input: bool = True) -> None:
    """As on AWS, whoever puts an event does not hear of targets that fail."""
    if self.state == "DISABLED" or not self.event_pattern.matches_event(original_event):
        return
    for target in self.targets:
        arn = target["Arn"]
        try:
            if arn.startswith("arn:aws:sqs:"):
                group = target.get("SqsParameters", {}).get("MessageGroupId")
                send_to_queue(arn, _said(self, target, original_event), {"MessageGroupId": group})
            elif arn.startswith("arn:aws:sns:"):
                topics_of("", "").publish(arn, "", _said(self, target, original_event))
            else:
                _send_by_moto(self, target, original_event, transform_input)
        except Exception as error:
            _log.warning("An event of the rule %s did not reach %s: %r", self.name, arn, error)


def _send_by_moto(rule: Rule, target: dict[str, Any], event: dict[str, Any], transform_input: bool) -> None:
    one = copy.copy(rule)
    one.targets = [target]
    one.event_pattern = _Any()
    _moto_send(one, copy.deepcopy(event), transform_input)


class _Any:
    def matches_event(self, _: dict[str, Any]) -> bool:
        return True


def _said(rule: Rule, target: dict[str, Any], event: dict[str, Any]) -> str:
    return told(target, _shown(event), {"arn": rule.arn, "name": rule.name})


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    """As AWS has it: moto's times are numbers."""
    shown = {name: value for name, value in event.items() if name != "ingestion-time"}
    if isinstance(when := shown.get("time"), int | float):
        shown["time"] = f"{datetime.fromtimestamp(when, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return shown


def _test(self: EventsHandler) -> ActionResult:
    pattern = EventPattern.load(self._get_param("EventPattern"))
    try:
        event = json.loads(self._get_param("Event"))
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise ServiceError(
            "ValidationException", "Parameter Event is not valid. Reason: it is no JSON object."
        )
    return ActionResult({"Result": pattern.matches_event(event)})
