"""Composite alarms' states, from their children's, and the suppression of what they would do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from pavedroad.localcloud.monitoring.alarms import rules, transition
from pavedroad.localcloud.monitoring.alarms.actions import Actions
from pavedroad.localcloud.monitoring.alarms.wording import spoken, stamp
from pavedroad.localcloud.monitoring.model import Alarm, Region, StateValue

_rule = lru_cache(maxsize=4096)(rules.parse)


def settle(region: Region, actions: Actions, now: datetime) -> bool:
    """Bring all composite alarms to their states. With the state lock held. Says whether any changed."""
    changed = False
    composites = [alarm for alarm in region.alarms.values() if alarm.kind == "CompositeAlarm"]
    # A parent may come before its child: as many rounds as the longest chain, however they are ordered.
    for _ in range(len(composites)):
        moved = [alarm for alarm in composites if _judge(region, alarm, actions, now)]
        changed |= bool(moved)
        if not moved:
            break
    for alarm in composites:
        changed |= _release(region, alarm, actions, now)
    return changed


def children(region: Region, alarm: Alarm) -> list[Alarm]:
    """The alarms that the rule names, and that there are."""
    if alarm.kind != "CompositeAlarm":
        return []
    found = (named(region, name) for name in _rule(alarm.settings["AlarmRule"]).children)
    return [child for child in found if child is not None]


def needed(region: Region, *, staying: Iterable[Alarm]) -> set[str]:
    """The names of the alarms that the rules of `staying` name."""
    return {child.name for alarm in staying for child in children(region, alarm)}


def named(region: Region, name_or_arn: str) -> Alarm | None:
    if name_or_arn.startswith("arn:"):
        prefix = f"arn:aws:cloudwatch:{region.name}:{region.account}:alarm:"
        return region.alarms.get(name_or_arn.removeprefix(prefix)) if name_or_arn.startswith(prefix) else None
    return region.alarms.get(name_or_arn)


def descends(region: Region, start: Alarm, wanted: str) -> bool:
    """Whether `wanted` is among the children of `start`, or theirs."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        alarm = waiting.pop()
        for child in children(region, alarm):
            if child.name == wanted:
                return True
            if child.name not in seen:
                seen.add(child.name)
                waiting.append(child)
    return False


def _judge(region: Region, alarm: Alarm, actions: Actions, now: datetime) -> bool:
    """Anew only where a child has moved: until then a state that was set by hand stays."""
    seen: tuple[tuple[str, StateValue], ...]
    seen = tuple((child.name, child.state) for child in children(region, alarm))
    if alarm.judged == seen:
        return False
    alarm.judged = seen

    def is_in(name: str, state: StateValue) -> bool:
        child = named(region, name)
        return child is not None and child.state == state

    state: StateValue = "ALARM" if _rule(alarm.settings["AlarmRule"]).holds(is_in) else "OK"
    if state == alarm.state:
        return False
    triggers = sorted(_triggering(region, alarm), key=lambda child: child.transitioned_at)
    reason, data = _told(triggers, alarm)
    before = transition.enter(region, alarm, state, now, reason=reason, data=data)
    if alarm.pending is None:
        alarm.pending = before.state
    _perform_or_wait(region, alarm, actions, now)
    return True


def _triggering(region: Region, alarm: Alarm) -> Iterator[Alarm]:
    """Those that have moved since the composite did; all of them where none has."""
    all_of_them = children(region, alarm)
    moved = [child for child in all_of_them if child.transitioned_at >= alarm.transitioned_at]
    return iter(moved or all_of_them)


def _told(triggers: list[Alarm], alarm: Alarm) -> tuple[str, str]:
    told = [
        {"arn": child.arn, "state": {"value": child.state, "timestamp": stamp(child.transitioned_at)}}
        for child in triggers
    ]
    data = json.dumps({"triggeringAlarms": told}, separators=(",", ":"))
    if not triggers:
        return f"The rule {alarm.settings['AlarmRule']} was evaluated", data
    last = triggers[-1]
    return f"{last.arn} transitioned to {last.state} at {spoken(last.transitioned_at)}", data


def _perform_or_wait(region: Region, alarm: Alarm, actions: Actions, now: datetime) -> None:
    suppressor = _suppressor(region, alarm)
    if suppressor is None:
        _perform(region, alarm, actions, now)
    elif suppressor.state == "ALARM":
        _suppress(alarm, suppressor)
    elif alarm.suppressed_by is None:
        seconds: int = alarm.settings["ActionsSuppressorWaitPeriod"]
        alarm.suppressed_by = "WaitPeriod"
        alarm.suppressed_reason = f"{suppressor.arn} may go into ALARM within {seconds} seconds"
        alarm.waiting_until = now + timedelta(seconds=seconds)


def _release(region: Region, alarm: Alarm, actions: Actions, now: datetime) -> bool:
    """Go on to what time and the suppressor allow."""
    if alarm.suppressed_by is None:
        return False
    suppressor = _suppressor(region, alarm)
    if suppressor is not None and suppressor.state == "ALARM":
        if alarm.suppressed_by == "Alarm":
            return False
        _suppress(alarm, suppressor)
        return True
    if alarm.suppressed_by == "Alarm" and suppressor is not None:
        seconds: int = alarm.settings["ActionsSuppressorExtensionPeriod"]
        alarm.suppressed_by = "ExtensionPeriod"
        alarm.suppressed_reason = f"{suppressor.arn} left ALARM less than {seconds} seconds ago"
        alarm.waiting_until = now + timedelta(seconds=seconds)
        return True
    if suppressor is None or alarm.waiting_until is None or now >= alarm.waiting_until:
        _perform(region, alarm, actions, now)
        return True
    return False


def _suppress(alarm: Alarm, suppressor: Alarm) -> None:
    alarm.suppressed_by = "Alarm"
    alarm.suppressed_reason = f"{suppressor.arn} is in ALARM"
    alarm.waiting_until = None


def _perform(region: Region, alarm: Alarm, actions: Actions, now: datetime) -> None:
    """The actions of the present state, unless it is the one that they were last taken for."""
    was, alarm.pending = alarm.pending, None
    alarm.suppressed_by = alarm.suppressed_reason = alarm.waiting_until = None
    if was is not None and was != alarm.state:
        actions.take(region, alarm, was, now)


def _suppressor(region: Region, alarm: Alarm) -> Alarm | None:
    name: str | None = alarm.settings.get("ActionsSuppressor")
    return named(region, name) if name else None
