"""Operations on listener rules."""

from __future__ import annotations

from dataclasses import replace

from pavedroad.localcloud.balancing.actions import read_action, write_action
from pavedroad.localcloud.balancing.asked import Parameters, arn, invalid, number, page, tags
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.balancing.conditions import read_conditions, write_conditions
from pavedroad.localcloud.balancing.model import ListenerRule
from pavedroad.localcloud.balancing.transforms import read_transforms, write_transforms
from pavedroad.localcloud.errors import ServiceError

_MOST = 100
_LAST_PRIORITY = 50_000


def create_rule(call: Call) -> Parameters:
    asked, store = call.parameters, call.store
    listener = call.listener(asked["ListenerArn"])
    priority = number(asked["Priority"], 1, _LAST_PRIORITY, "Priority")
    if listener.protocol not in ("HTTP", "HTTPS"):
        raise ServiceError(
            "OperationNotPermitted", "Listeners of network load balancers have their default rule alone"
        )
    transforms = read_transforms(asked.get("Transforms", []))
    there = store.rules_of(listener.arn)
    if any(rule.priority == priority for rule in there):
        raise ServiceError("PriorityInUse", f"Priority '{priority}' is currently in use")
    if len(there) > _MOST:
        raise ServiceError("TooManyRules", f"A listener can have at most {_MOST} rules beside its default")
    new_arn = call.new_arn(f"listener-rule/{listener.path}")
    rule = ListenerRule(
        new_arn,
        listener.arn,
        priority,
        read_conditions(asked["Conditions"]),
        read_action(call, asked["Actions"], listener.balancer_arn),
        transforms,
    )
    store.put(store.rules, new_arn, rule)
    store.put(store.tags, new_arn, tags(asked.get("Tags", [])))
    return {"Rules": [write_rule(rule)]}


def describe_rules(call: Call) -> Parameters:
    listener_arn, arns = call.parameters.get("ListenerArn"), call.parameters.get("RuleArns")
    if bool(listener_arn) == bool(arns):
        raise invalid("You must specify either listener rules or a listener")
    if listener_arn:
        found = call.store.rules_of(call.listener(arn(listener_arn, "listener", "listener")).arn)
    else:
        found = [call.rule(arn(it, "listener-rule", "listener rule")) for it in dict.fromkeys(arns or [])]
    shown, more = page(found, lambda rule: f"{rule.order:05} {rule.arn}", call.parameters)
    return {"Rules": [write_rule(rule) for rule in shown], **more}


def modify_rule(call: Call) -> Parameters:
    asked = call.parameters
    rule = call.rule(asked["RuleArn"])
    _not_default(rule, "modified")
    if not {"Conditions", "Actions", "Transforms", "ResetTransforms"} & asked.keys():
        raise invalid("You must specify conditions, actions or transforms")
    if asked.get("Transforms") and asked.get("ResetTransforms"):
        raise invalid("Transforms cannot be specified together with ResetTransforms")
    if asked.get("Transforms") or asked.get("ResetTransforms"):
        rule = replace(rule, transforms=read_transforms(asked.get("Transforms", [])))
    if "Conditions" in asked:
        rule = replace(rule, conditions=read_conditions(asked["Conditions"]))
    if "Actions" in asked:
        balancer = call.store.balancer_of(rule)
        rule = replace(rule, action=read_action(call, asked["Actions"], balancer.arn))
    call.store.put(call.store.rules, rule.arn, rule)
    return {"Rules": [write_rule(rule)]}


def delete_rule(call: Call) -> Parameters:
    rule = call.rule(call.parameters["RuleArn"])
    _not_default(rule, "deleted")
    call.store.drop(call.store.rules, rule.arn)
    call.store.drop(call.store.tags, rule.arn)
    return {}


def set_rule_priorities(call: Call) -> Parameters:
    """All at once, so that rules can change places."""
    moved: dict[str, ListenerRule] = {}
    for pair in call.parameters["RulePriorities"]:
        rule = call.rule(pair.get("RuleArn", ""))
        _not_default(rule, "given a priority")
        if rule.arn in moved:
            raise invalid(f"Rule '{rule.arn}' is given two priorities")
        priority = number(pair.get("Priority", 0), 1, _LAST_PRIORITY, "Priority")
        moved[rule.arn] = replace(rule, priority=priority)
    for listener_arn in {rule.listener_arn for rule in moved.values()}:
        after = [moved.get(rule.arn, rule).priority for rule in call.store.rules_of(listener_arn)]
        for priority in after:
            if after.count(priority) > 1:
                raise ServiceError("PriorityInUse", f"Priority '{priority}' is currently in use")
    for rule in moved.values():
        call.store.put(call.store.rules, rule.arn, rule)
    return {"Rules": [write_rule(rule) for rule in moved.values()]}


def _not_default(rule: ListenerRule, done: str) -> None:
    if rule.priority is None:
        raise ServiceError("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be {done}")


def write_rule(rule: ListenerRule) -> Parameters:
    return {
        "RuleArn": rule.arn,
        "Priority": "default" if rule.priority is None else str(rule.priority),
        "Conditions": write_conditions(rule.conditions),
        "Actions": write_action(rule.action),
        "IsDefault": rule.priority is None,
        "Transforms": write_transforms(rule.transforms),
    }
