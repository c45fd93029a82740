"""Put composite alarms."""

from __future__ import annotations

from typing import Any

from pavedroad.localcloud.monitoring.alarms import composites, definition, rules
from pavedroad.localcloud.monitoring.call import Call, Operation, Result
from pavedroad.localcloud.monitoring.operations import alarms
from pavedroad.localcloud.monitoring.refusals import refused

_SUPPRESSION = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def put(call: Call) -> Result:
    name: str = call.parameters["AlarmName"]
    definition.check_name(name)
    if call.get("ActionConfiguration") is not None:
        raise refused("The parameter ActionConfiguration is not offered by this cloud yet.")
    text: str = call.parameters["AlarmRule"]
    settings = {"AlarmRule": _checked(call, name, text), **_suppression(call, name)}
    if description := call.get("AlarmDescription"):
        settings["AlarmDescription"] = description
    alarms.store(call, "CompositeAlarm", settings | definition.actions(call.region, call.parameters))
    return None


def _checked(call: Call, name: str, text: str) -> str:
    try:
        rule = rules.parse(text)
    except rules.BadRule as error:
        raise refused(f"AlarmRule is malformed: {error}.") from error
    for child in rule.children:
        found = composites.named(call.region, child)
        if found is None:
            raise refused(f"AlarmRule names an alarm that does not exist: {child}.")
        if found.name == name or composites.descends(call.region, found, name):
            raise refused(f"AlarmRule makes the alarm {name} depend on itself through {child}.")
    return text


def _suppression(call: Call, name: str) -> dict[str, Any]:
    given = {key: call.get(key) for key in _SUPPRESSION}
    if all(value is None for value in given.values()):
        return {}
    if any(value is None for value in given.values()):
        raise refused(f"{', '.join(_SUPPRESSION)} must be specified together.")
    if min(given["ActionsSuppressorWaitPeriod"], given["ActionsSuppressorExtensionPeriod"]) < 0:
        raise refused(
            "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod must not be negative."
        )
    suppressor = composites.named(call.region, given["ActionsSuppressor"])
    if suppressor is None:
        raise refused(f"The ActionsSuppressor {given['ActionsSuppressor']} does not exist.")
    if suppressor.name == name:
        raise refused("An alarm cannot be its own ActionsSuppressor.")
    return given


OPERATIONS: dict[str, Operation] = {"PutCompositeAlarm": put}
