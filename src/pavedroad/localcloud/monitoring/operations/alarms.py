"""Put, describe, delete, enable, disable and set metric alarms; most serve composite alarms too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from pavedroad.localcloud import paging
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.monitoring.alarms import composites, definition, history, transition, views, wording
from pavedroad.localcloud.monitoring.call import Call, Operation, Result
from pavedroad.localcloud.monitoring.model import STATES, Alarm, AlarmType
from pavedroad.localcloud.monitoring.refusals import refused

MOST_ALARMS = 5000
DEFAULT_PAGE = 50


def put(call: Call) -> Result:
    store(call, "MetricAlarm", definition.settings(call.region, call.parameters))
    return None


def store(call: Call, kind: AlarmType, settings: dict[str, Any]) -> None:
    """An alarm that exists keeps its state and its tags, and gets all of its settings anew."""
    name: str = call.parameters["AlarmName"]
    tags = definition.tags(call.parameters)
    known = call.region.alarms.get(name)
    if known is not None and known.kind != kind:
        raise refused(f"The alarm {name} exists already as a {known.kind}.")
    if known is None and len(call.region.alarms) >= MOST_ALARMS:
        raise ServiceError("LimitExceeded", f"The limit of {MOST_ALARMS} alarms has been reached.")
    call.region.generation += 1
    if known is not None:
        known.settings, known.configured_at, known.judged = settings, call.now, None
        history.configured(call.region, known, "Update", call.now)
        return
    arn = f"arn:aws:cloudwatch:{call.region.name}:{call.region.account}:alarm:{name}"
    alarm = Alarm(kind, name, arn, settings, call.now, call.now, call.now, tags=tags)
    call.region.alarms[name] = alarm
    history.configured(call.region, alarm, "Create", call.now)


def delete(call: Call) -> Result:
    """Names of no alarm are passed over, as on AWS."""
    known = call.region.alarms
    alarms = {name: known[name] for name in call.texts("AlarmNames") if name in known}
    if sum(alarm.kind == "CompositeAlarm" for alarm in alarms.values()) > 1:
        raise refused("No more than one composite alarm can be deleted at a time.")
    staying = (alarm for name, alarm in known.items() if name not in alarms)
    needed = composites.needed(call.region, staying=staying)
    if held := [name for name in alarms if name in needed]:
        them = "it" if len(held) == 1 else "them"
        raise refused(f"Cannot delete {','.join(held)} as there are composite alarm(s) depending on {them}.")
    for alarm in alarms.values():
        del call.region.alarms[alarm.name]
        history.configured(call.region, alarm, "Delete", call.now)
    call.region.generation += 1
    return None


def describe(call: Call) -> Result:
    if call.get("ChildrenOfAlarmName") or call.get("ParentsOfAlarmName"):
        return _family(call)
    if call.get("AlarmNames") and call.get("AlarmNamePrefix"):
        raise refused("AlarmNames and AlarmNamePrefix cannot be specified together.")
    kinds = call.texts("AlarmTypes") or ("MetricAlarm",)
    wanted = [passes for passes in _filters(call) if passes]
    chosen = (
        alarm for alarm in _sorted(call) if alarm.kind in kinds and all(passes(alarm) for passes in wanted)
    )
    return _page(call, chosen, views.described)


def _filters(call: Call) -> Iterable[Callable[[Alarm], bool] | None]:
    names, prefix = frozenset(call.texts("AlarmNames")), call.get("AlarmNamePrefix")
    state, action = call.get("StateValue"), call.get("ActionPrefix")
    yield (lambda alarm: alarm.name in names) if names else None
    yield (lambda alarm: alarm.name.startswith(prefix)) if prefix else None
    yield (lambda alarm: alarm.state == state) if state else None
    yield (
        (lambda alarm: any(arn.startswith(action) for value in STATES for arn in alarm.actions(value)))
        if action
        else None
    )


def _family(call: Call) -> Result:
    """A composite alarm's children, or an alarm's parents, shown in short."""
    allowed = {"ChildrenOfAlarmName", "ParentsOfAlarmName", "MaxRecords", "NextToken"}
    if len(given := {name for name, value in call.parameters.items() if value is not None}) > len(
        given & allowed
    ):
        raise refused("ChildrenOfAlarmName and ParentsOfAlarmName go with MaxRecords and NextToken alone.")
    if {"ChildrenOfAlarmName", "ParentsOfAlarmName"} <= given:
        raise refused("ChildrenOfAlarmName and ParentsOfAlarmName cannot be specified together.")
    if name := call.get("ChildrenOfAlarmName"):
        found = {child.name for child in composites.children(call.region, call.alarm(name))}
        kept = ("AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp")
    else:
        child = call.alarm(call.parameters["ParentsOfAlarmName"])
        found = {one.name for one in _sorted(call) if child in composites.children(call.region, one)}
        kept = ("AlarmName", "AlarmArn")
    chosen = (alarm for alarm in _sorted(call) if alarm.name in found)
    return _page(call, chosen, lambda alarm: {name: views.described(alarm)[name] for name in kept})


def _sorted(call: Call) -> list[Alarm]:
    return [call.region.alarms[name] for name in sorted(call.region.alarms)]


def _page(call: Call, alarms: Iterable[Alarm], view: Callable[[Alarm], dict[str, Any]]) -> Result:
    shown, token = paging.page(
        alarms,
        key=lambda alarm: (alarm.name,),
        token=call.get("NextToken"),
        limit=call.get("MaxRecords", DEFAULT_PAGE),
    )
    return {
        "MetricAlarms": [view(alarm) for alarm in shown if alarm.kind == "MetricAlarm"],
        "CompositeAlarms": [view(alarm) for alarm in shown if alarm.kind == "CompositeAlarm"],
        "NextToken": token,
    }


def describe_for_metric(call: Call) -> Result:
    wanted = _identity(call.parameters)
    given = {name: call.get(name) for name in ("Statistic", "ExtendedStatistic", "Period", "Unit")}

    def watches(alarm: Alarm) -> bool:
        if alarm.kind != "MetricAlarm":
            return False
        for metric, settings in _watched(alarm):
            same = all(value in (None, settings.get(name)) for name, value in given.items())
            if same and _identity(metric) == wanted:
                return True
        return False

    return {"MetricAlarms": [views.described(alarm) for alarm in _sorted(call) if watches(alarm)]}


def _watched(alarm: Alarm) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The alarm's metrics, each with its statistic, period and unit."""
    if "Metrics" not in alarm.settings:
        return [(alarm.settings, alarm.settings)]
    stats = [query["MetricStat"] for query in alarm.settings["Metrics"] if "MetricStat" in query]
    return [(stat["Metric"], {"Statistic": stat["Stat"], **stat}) for stat in stats]


def _identity(metric: Mapping[str, Any]) -> tuple[object, ...]:
    pairs = sorted((one["Name"], one["Value"]) for one in metric.get("Dimensions") or ())
    return metric["Namespace"], metric["MetricName"], tuple(pairs)


def set_state(call: Call) -> Result:
    """The actions follow as for any transition; the next judgement may bring the alarm back."""
    alarm = call.alarm(call.parameters["AlarmName"])
    data: str | None = call.get("StateReasonData")
    if data is not None and wording.parsed(data) is None:
        raise ServiceError("InvalidFormat", "StateReasonData is not a JSON object.")
    before = transition.enter(
        call.region,
        alarm,
        call.parameters["StateValue"],
        call.now,
        reason=call.parameters["StateReason"],
        data=data,
    )
    if before.state != alarm.state:
        alarm.value = None
        alarm.datapoints = ()
        call.actions.take(call.region, alarm, before.state, call.now)
    return None


def enable(call: Call) -> Result:
    return _switch(call, enabled=True)


def disable(call: Call) -> Result:
    return _switch(call, enabled=False)


def _switch(call: Call, *, enabled: bool) -> Result:
    for name in dict.fromkeys(call.texts("AlarmNames")):
        alarm = call.region.alarms.get(name)
        if alarm is not None and alarm.actions_enabled != enabled:
            alarm.settings["ActionsEnabled"] = enabled
            alarm.configured_at = call.now
            history.configured(call.region, alarm, "Update", call.now)
    return None


def describe_history(call: Call) -> Result:
    ascending = call.get("ScanBy") == "TimestampAscending"
    kinds = call.texts("AlarmTypes") or ("MetricAlarm",)
    name, kind = call.get("AlarmName"), call.get("HistoryItemType")
    start: datetime | None = call.get("StartDate")
    end: datetime | None = call.get("EndDate")
    logs = call.region.history.values() if name is None else [call.region.history.get(name, ())]
    found = [
        item
        for log in logs
        for item in log
        if item.kind in kinds
        and kind in (None, item.type)
        and (start is None or item.at >= start)
        and (end is None or item.at <= end)
    ]
    found.sort(key=lambda item: item.number, reverse=not ascending)
    shown, token = paging.page(
        found,
        key=lambda item: (f"{item.number:012d}",),
        token=call.get("NextToken"),
        limit=call.get("MaxRecords", DEFAULT_PAGE),
        descending=not ascending,
    )
    return {"AlarmHistoryItems": [views.history_item(item) for item in shown], "NextToken": token}


OPERATIONS: dict[str, Operation] = {
    "PutMetricAlarm": put,
    "DeleteAlarms": delete,
    "DescribeAlarms": describe,
    "DescribeAlarmsForMetric": describe_for_metric,
    "SetAlarmState": set_state,
    "EnableAlarmActions": enable,
    "DisableAlarmActions": disable,
    "DescribeAlarmHistory": describe_history,
}
