"""Lifecycle hooks: put, delete, describe; and the answers of those that instances wait for."""

from __future__ import annotations

from typing import Any

from pavedroad.localcloud.autoscaling import views
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, find_group, refused
from pavedroad.localcloud.autoscaling.hooks import hooked, messages
from pavedroad.localcloud.autoscaling.hooks.model import TRANSITIONS, Action, Hook
from pavedroad.localcloud.autoscaling.hooks.settings import check_number, hook_from, result_from
from pavedroad.localcloud.autoscaling.model import Group


def put(call: Call) -> Result:
    group = call.changeable_group()
    name: str = call.parameters["LifecycleHookName"]
    hook = hook_from(call.parameters, group.hooks.get(name), call.notices)
    check_number({**group.hooks, name: hook})
    group.hooks[name] = hook
    if call.get("NotificationTargetARN"):
        messages.test_message(call.notices, hook, group.name, group.arn, call.now)
    return {}


def delete(call: Call) -> Result:
    group = call.group()
    hook = _hook(group, call.parameters["LifecycleHookName"])
    hooked.forget(group, hook)
    del group.hooks[hook.name]
    return {}


def describe(call: Call) -> Result:
    group = call.group()
    wanted = frozenset(call.texts("LifecycleHookNames"))
    return {
        "LifecycleHooks": [
            views.lifecycle_hook(group, group.hooks[name])
            for name in sorted(group.hooks)
            if not wanted or name in wanted
        ]
    }


def describe_types(_call: Call) -> Result:
    return {"LifecycleHookTypes": list(TRANSITIONS)}


def complete(call: Call) -> Result:
    result = result_from(call.parameters["LifecycleActionResult"], "LifecycleActionResult")
    _action(call).end(result, hooked.COMPLETED)
    return {}


def heartbeat(call: Call) -> Result:
    _action(call).heartbeat(call.now)
    return {}


def of_new_group(call: Call) -> dict[str, Hook]:
    """The hooks that a group is created with."""
    hooks: dict[str, Hook] = {}
    for asked in call.entries("LifecycleHookSpecificationList"):
        name: str = asked["LifecycleHookName"]
        if name in hooks:
            raise refused(f"The lifecycle hook {name} is specified more than once.")
        hooks[name] = hook_from(asked, None, call.notices)
    check_number(hooks)
    return hooks


def greet_targets(call: Call, group: Group) -> None:
    """A new group's hooks send their test messages."""
    for hook in group.hooks.values():
        if hook.target_arn:
            messages.test_message(call.notices, hook, group.name, group.arn, call.now)


def _hook(group: Group, name: str) -> Hook:
    hook = group.hooks.get(name)
    if hook is None:
        raise refused(f"No Lifecycle Hook found for Auto Scaling group {group.name} with name {name}")
    return hook


def _action(call: Call) -> Action:
    group = find_group(call.region, _group_name(call.parameters["AutoScalingGroupName"]))
    hook_name: str = call.parameters["LifecycleHookName"]
    token: str | None = call.get("LifecycleActionToken")
    instance_id: str | None = call.get("InstanceId")
    if token is None and instance_id is None:
        raise refused("Either LifecycleActionToken or InstanceId must be specified.")
    _hook(group, hook_name)
    action = hooked.find(group.members.values(), hook_name, token=token, instance_id=instance_id)
    if action is None or call.now >= action.due_at:
        named: Any = f"token {token}" if token else f"instance ID {instance_id}"
        raise refused(f"No active Lifecycle Action found with {named}")
    return action


def _group_name(name_or_arn: str) -> str:
    """These operations take a group's ARN too."""
    return name_or_arn.rpartition("autoScalingGroupName/")[2]


OPERATIONS: dict[str, Operation] = {
    "PutLifecycleHook": put,
    "DeleteLifecycleHook": delete,
    "DescribeLifecycleHooks": describe,
    "DescribeLifecycleHookTypes": describe_types,
    "CompleteLifecycleAction": complete,
    "RecordLifecycleActionHeartbeat": heartbeat,
}
