"""Create, update, delete and describe groups."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling import journal, leaving, views, wording
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.notifying import Notifier
from pavedroad.localcloud.autoscaling.operations import (
    catalogues,
    launch_sources,
    lifecycle_hooks,
    load_balancers,
    options,
    settings,
    tags,
    target_groups,
    traffic_sources,
)
from pavedroad.localcloud.autoscaling.policies import owned_alarms
from pavedroad.localcloud.autoscaling.refresh import asked
from pavedroad.localcloud.errors import ServiceError


def create(call: Call) -> Result:
    name: str = call.parameters["AutoScalingGroupName"]
    settings.refuse_what_is_not_offered(call)
    settings.check_name(name)
    if name in call.region.groups:
        pending = " and is pending delete" if call.region.groups[name].deleting else ""
        raise ServiceError(
            "AlreadyExists",
            f"AutoScalingGroup by this name already exists{pending} - "
            f"A group with the name {name} already exists",
        )
    if len(call.region.groups) >= catalogues.MOST_GROUPS:
        raise ServiceError(
            "LimitExceeded", f"At most {catalogues.MOST_GROUPS} Auto Scaling groups are allowed."
        )
    minimum, maximum = call.parameters["MinSize"], call.parameters["MaxSize"]
    desired = call.get("DesiredCapacity", minimum)
    settings.check_bounds(minimum, maximum, desired)
    source = launch_sources.required(call)
    zones, subnets = settings.places(call, required=True)
    options.check(call, source)
    groups, balancers = traffic_sources.asked(call)
    attached = [*dict.fromkeys((*target_groups.existing(call, call.texts("TargetGroupARNs")), *groups))]
    target_groups.check_number(attached)
    classics = [*load_balancers.existing(call, call.texts("LoadBalancerNames")), *balancers]
    load_balancers.check_total(classics)
    hooks = lifecycle_hooks.of_new_group(call)
    group = Group(
        name=name,
        arn=_arn(call, name),
        created_at=call.now,
        source=source,
        minimum=minimum,
        maximum=maximum,
        desired=desired,
        zones=zones,
        subnets=subnets,
        service_role_arn=(
            f"arn:aws:iam::{call.region.account}:role/aws-service-role/autoscaling.amazonaws.com/"
            "AWSServiceRoleForAutoScaling"
        ),
        target_groups=dict.fromkeys(attached, "Adding"),
        load_balancers=dict.fromkeys(classics, "Adding"),
        tags=tags.of_new_group(call, name),
        hooks=hooks,
        request=wording.created(call.now, desired),
    )
    settings.apply(call, group)
    options.apply(call, group)
    group.zone_ids = settings.zone_ids(call, zones)
    launch_sources.keep(call)
    call.region.groups[name] = group
    lifecycle_hooks.greet_targets(call, group)
    return None


def update(call: Call) -> Result:
    if call.parameters["AutoScalingGroupName"] not in call.region.groups:
        raise refused("AutoScalingGroup name not found - null")  # AWS does not say which, here alone.
    group = call.changeable_group()
    settings.refuse_what_is_not_offered(call)
    minimum, maximum = call.get("MinSize", group.minimum), call.get("MaxSize", group.maximum)
    desired: int | None = call.get("DesiredCapacity")
    if desired is None:
        # New bounds move the desired capacity with them when it was not named.
        desired = min(max(group.desired, minimum), max(maximum, minimum))
    settings.check_bounds(minimum, maximum, desired)
    source = launch_sources.named(call, group.source)
    if source is not None:
        asked.refuse_other_source(group)
    zones, subnets = settings.places(call, required=False)
    options.check(call, source or group.source)
    settings.apply(call, group)
    options.apply(call, group)
    if desired != group.desired:
        group.request = wording.updated(call.now, minimum, maximum, group.desired, desired)
    group.minimum, group.maximum, group.desired = minimum, maximum, desired
    group.source = source or group.source
    if zones:
        group.zones, group.subnets = zones, subnets
        group.zone_ids |= settings.zone_ids(call, zones)
    group.forget_failures()
    return None


def delete(call: Call) -> Result:
    group = call.group()
    options.refuse_deletion(group, forced=bool(call.get("ForceDelete")))
    if call.get("ForceDelete"):
        if not group.deleting:
            group.request = wording.force_deleted(call.now, group.capacity)
        group.minimum = group.maximum = group.desired = 0
        group.deleting = True
        group.suspended.clear()
        if group.warm_pool is not None:
            group.warm_pool.deleting = True
        owned_alarms.drop_all(group, call.metrics)
        for member in group.members.values():
            member.protected = False
            member.unhooked = True
            member.actions.clear()
            if member.state in ("Standby", "EnteringStandby", "Terminating:Retained"):
                leaving.cancel(member, call.now)
                member.state = "InService"
        if group.members:
            return None
    elif any(
        member.in_capacity or member.is_warmed or member.state in ("Standby", "Terminating:Retained")
        for member in group.members.values()
    ):
        raise ServiceError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance "
            "request(s) still in the group.",
        )
    elif journal.has_open(call.region, group) or group.members:
        raise ServiceError(
            "ScalingActivityInProgress",
            "You cannot delete an AutoScalingGroup while there are scaling activities in progress for "
            "that group.",
        )
    owned_alarms.drop_all(group, call.metrics)
    Notifier(call.region.account, call.topics).tell_ended(group)
    del call.region.groups[group.name]
    return None


def describe(call: Call) -> Result:
    named = call.texts("AutoScalingGroupNames")
    groups = call.region.groups
    chosen = (
        (groups[name] for name in sorted(set(named)) if name in groups)
        if named
        else (groups[name] for name in sorted(groups))
    )
    filters = [_filter(entry.get("Name", ""), entry.get("Values") or ()) for entry in call.entries("Filters")]
    shown, token = paging.page(
        (group for group in chosen if all(passes(group) for passes in filters)),
        key=lambda group: (group.name,),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=100),
    )
    with_instances = call.get("IncludeInstances", True)
    return {
        "AutoScalingGroups": [views.group(group, with_instances=with_instances) for group in shown],
        "NextToken": token,
    }


def _filter(name: str, values: Iterable[str]) -> Callable[[Group], bool]:
    wanted = frozenset(values)
    if name == "tag-key":
        return lambda group: not wanted.isdisjoint(group.tags)
    if name == "tag-value":
        return lambda group: any(tag.value in wanted for tag in group.tags.values())
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda group: key in group.tags and group.tags[key].value in wanted
    raise refused(f"Filter type {name} is not correct. Allowed Filter types are: tag-key tag-value tag:<key>")


def _arn(call: Call, name: str) -> str:
    return (
        f"arn:aws:autoscaling:{call.region.name}:{call.region.account}:autoScalingGroup:{uuid.uuid4()}"
        f":autoScalingGroupName/{name}"
    )


OPERATIONS: dict[str, Operation] = {
    "CreateAutoScalingGroup": create,
    "UpdateAutoScalingGroup": update,
    "DeleteAutoScalingGroup": delete,
    "DescribeAutoScalingGroups": describe,
}
