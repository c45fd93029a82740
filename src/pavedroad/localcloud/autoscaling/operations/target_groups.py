"""The target groups that a group keeps its instances in."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.errors import ServiceError

MOST_TARGET_GROUPS = 50


def attach(call: Call) -> Result:
    group = call.changeable_group()
    attach_all(group, existing(call, call.parameters["TargetGroupARNs"]))
    return {}


def detach(call: Call) -> Result:
    group = call.changeable_group()
    wanted = list(dict.fromkeys(call.parameters["TargetGroupARNs"]))
    unknown = [arn for arn in wanted if arn not in group.target_groups]
    if unknown:
        raise refused("Trying to remove Target Groups that are not part of the group")
    for arn in wanted:
        group.target_groups[arn] = "Removing"
    return {}


def describe(call: Call) -> Result:
    group = call.group()
    shown, token = paging.page(
        sorted(group.target_groups.items()),
        key=lambda entry: (entry[0],),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=100, most=100),
    )
    return {
        "LoadBalancerTargetGroups": [
            {"LoadBalancerTargetGroupARN": arn, "State": state} for arn, state in shown
        ],
        "NextToken": token,
    }


def attach_all(group: Group, arns: Iterable[str]) -> None:
    """What is attached already stays as it is."""
    fresh = [arn for arn in arns if group.target_groups.get(arn) in (None, "Removing")]
    check_number({*group.target_groups, *fresh})
    for arn in fresh:
        group.target_groups[arn] = "Adding"


def check_number(attached: Collection[str]) -> None:
    if len(attached) > MOST_TARGET_GROUPS:
        raise ServiceError("LimitExceeded", f"A group has at most {MOST_TARGET_GROUPS} target groups.")


def existing(call: Call, arns: Iterable[str]) -> list[str]:
    """The same without repetition; all of them must exist."""
    wanted = list(dict.fromkeys(arns))
    if not all(call.balancers.exists(arn) for arn in wanted):
        raise refused("Provided Target Groups may not be valid. Please ensure they exist and try again.")
    return wanted


OPERATIONS: dict[str, Operation] = {
    "AttachLoadBalancerTargetGroups": attach,
    "DetachLoadBalancerTargetGroups": detach,
    "DescribeLoadBalancerTargetGroups": describe,
}
