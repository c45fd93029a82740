"""Warm pools: put, describe, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling import views
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.autoscaling.refresh import asked
from pavedroad.localcloud.autoscaling.warm.model import WarmPool
from pavedroad.localcloud.errors import ServiceError

NO_LIMIT = -1


def put(call: Call) -> Result:
    group = call.changeable_group()
    asked.refuse_second(group)
    pool = group.warm_pool or WarmPool()
    if pool.deleting:
        raise refused(f"The warm pool of the Auto Scaling group {group.name} is pending delete.")
    prepared = call.get("MaxGroupPreparedCapacity", pool.max_prepared)
    prepared = None if prepared == NO_LIMIT else prepared
    minimum = call.get("MinSize", pool.minimum)
    if prepared is not None and prepared < minimum:
        raise refused(
            f"MaxGroupPreparedCapacity, {prepared}, must be greater than or equal to the warm pool's "
            f"MinSize, {minimum}."
        )
    reuse: Mapping[str, Any] = call.get("InstanceReusePolicy") or {}
    group.warm_pool = WarmPool(
        max_prepared=prepared,
        minimum=minimum,
        state=call.get("PoolState", pool.state),
        reuses=reuse.get("ReuseOnScaleIn", pool.reuses),
    )
    group.forget_failures()
    return {}


def describe(call: Call) -> Result:
    group = call.group()
    members = sorted(
        (member for member in group.members.values() if member.is_warmed), key=lambda member: member.id
    )
    shown, token = paging.page(
        members,
        key=lambda member: (member.id,),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=50),
    )
    return {
        "WarmPoolConfiguration": views.warm_pool(group),
        "Instances": [views.instance(member) for member in shown],
        "NextToken": token,
    }


def delete(call: Call) -> Result:
    group = call.group()
    pool = _pool(group)
    warmed = [member for member in group.members.values() if member.is_warmed]
    if call.get("ForceDelete"):
        for member in warmed:
            member.unhooked = True
            member.actions.clear()
    elif any(member.activity is not None for member in warmed):
        raise ServiceError(
            "ScalingActivityInProgress",
            "You cannot delete a warm pool while there are scaling activities in progress for it.",
        )
    elif warmed:
        raise ServiceError(
            "ResourceInUse", "You cannot delete a warm pool while there are instances still in it."
        )
    pool.deleting = True
    if not warmed:
        group.warm_pool = None
    return {}


def _pool(group: Group) -> WarmPool:
    if group.warm_pool is None:
        raise refused(f"No warm pool found for Auto Scaling group {group.name}.")
    return group.warm_pool


OPERATIONS: dict[str, Operation] = {
    "PutWarmPool": put,
    "DescribeWarmPool": describe,
    "DeleteWarmPool": delete,
}
