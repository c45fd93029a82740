"""What alarms do: scale, tell a topic, stop or reboot a machine."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Literal, Protocol, cast

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.monitoring.alarms import history, message, wording
from pavedroad.localcloud.monitoring.model import Alarm, Region, StateValue
from pavedroad.localcloud.ports import AlarmSignal, Scaling, Topics

_log = logging.getLogger(__name__)

SCALES_AGAIN_AFTER = timedelta(minutes=1)
_SCALING = re.compile(r"arn:aws:autoscaling:[^:]+:[^:]*:scalingPolicy:.+")
_TOPIC = re.compile(r"arn:aws:sns:[^:]+:[^:]+:[^:]+")
_MACHINE = re.compile(
    r"arn:aws:(?:automate:[^:]+:ec2:(stop|terminate|reboot|recover)"
    r"|swf:[^:]+:[^:]+:action/actions/AWS_EC2\.InstanceId\.(Stop|Terminate|Reboot|Recover)/[0-9.]+)"
)

MachineAction = Literal["stop", "terminate", "reboot", "recover"]


class Machines(Protocol):
    """EC2, for alarms. Refusals are raised as `ServiceError`."""

    def act(self, instance_id: str, action: MachineAction) -> None: ...


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where actions go, by account and region."""

    scaling: Callable[[str, str], Scaling]
    topics: Callable[[str, str], Topics]
    machines: Callable[[str, str], Machines]


class Actions:
    """Every call is made with the state lock held, and waits for nothing."""

    def __init__(self, outlets: Outlets) -> None:
        self._outlets = outlets

    def take(self, region: Region, alarm: Alarm, old: StateValue, now: datetime) -> None:
        """All actions of the state that the alarm has come to."""
        alarm.acted_at = now
        if not alarm.actions_enabled:
            return
        for action in alarm.actions(alarm.state):
            self._one(region, alarm, action, old, now)

    def take_again(self, region: Region, alarm: Alarm, now: datetime) -> bool:
        """Scaling policies hear of the alarm every minute while it stays so. Says whether it was time."""
        due = alarm.acted_at is None or now - alarm.acted_at >= SCALES_AGAIN_AFTER
        if not due or not scales(alarm):
            return False
        alarm.acted_at = now
        for action in alarm.actions(alarm.state):
            if _SCALING.fullmatch(action):
                try:
                    self._scale(region, alarm, action)
                except ServiceError as error:
                    history.acted(region, alarm, action, now, error=error.message, published=None)
        return True

    def _one(self, region: Region, alarm: Alarm, action: str, old: StateValue, now: datetime) -> None:
        published: dict[str, Any] | None = None
        error = None
        try:
            if _SCALING.fullmatch(action):
                self._scale(region, alarm, action)
            elif _TOPIC.fullmatch(action):
                published = self._tell(region, alarm, action, old)
            elif match := _MACHINE.fullmatch(action):
                self._machine(region, alarm, cast("MachineAction", (match[1] or match[2]).lower()))
            else:
                error = "This cloud has no such action."
        except ServiceError as refusal:
            error = f"{refusal.message} (Error Code: {refusal.code})"
        except Exception:
            _log.exception("The action %s of the alarm %s failed", action, alarm.name)
            error = "The action failed for a reason of this cloud's own."
        history.acted(region, alarm, action, now, error=error, published=published)

    def _scale(self, region: Region, alarm: Alarm, policy_arn: str) -> None:
        self._outlets.scaling(region.account, region.name).alarmed(policy_arn, _signal(alarm))

    def _tell(self, region: Region, alarm: Alarm, topic_arn: str, old: StateValue) -> dict[str, Any]:
        body = message.body(region, alarm, old)
        topics = self._outlets.topics(region.account, region.name)
        if not topics.exists(topic_arn):
            raise ServiceError("NotFound", f"The topic {topic_arn} does not exist.", 404)
        text = json.dumps(body, separators=(",", ":"))
        topics.publish(topic_arn, message.subject(region, alarm), text)
        return {"default": text}

    def _machine(self, region: Region, alarm: Alarm, action: MachineAction) -> None:
        instance_id = _instance(alarm)
        if instance_id is None:
            raise ServiceError("ValidationError", "The alarm's metric has no dimension InstanceId.")
        self._outlets.machines(region.account, region.name).act(instance_id, action)


def _signal(alarm: Alarm) -> AlarmSignal:
    """With the datapoints of the last judgement, or those that a client has set the state with."""
    values = tuple(value for _, value in reversed(alarm.datapoints)) or _told_by_client(alarm)
    return AlarmSignal(
        alarm.name,
        alarm.arn,
        alarm.state,
        alarm.reason,
        alarm.updated_at,
        values[-1] if alarm.value is None and values else alarm.value,
        alarm.settings.get("Threshold"),
        values,
        datetime.fromtimestamp(alarm.datapoints[0][0], UTC) if alarm.datapoints else None,
    )


def _told_by_client(alarm: Alarm) -> tuple[float, ...]:
    values = (wording.parsed(alarm.reason_data) or {}).get("recentDatapoints")
    found = cast("list[object]", values) if isinstance(values, list) else []
    numbers = [float(value) for value in found if isinstance(value, int | float)]
    return tuple(number for number in numbers if isfinite(number))


def scales(alarm: Alarm) -> bool:
    """Whether the alarm's present state has a scaling policy to tell again."""
    enabled = alarm.actions_enabled and alarm.suppressed_by is None
    return enabled and any(_SCALING.fullmatch(action) for action in alarm.actions(alarm.state))


def _instance(alarm: Alarm) -> str | None:
    metrics: list[dict[str, Any]] = [alarm.settings]
    metrics += [
        query["MetricStat"]["Metric"]
        for query in alarm.settings.get("Metrics") or ()
        if "MetricStat" in query
    ]
    for metric in metrics:
        for one in metric.get("Dimensions") or ():
            if one["Name"] == "InstanceId":
                return one["Value"]
    return None
