"""The classic load balancers that a group keeps its instances in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.operations import settings
from pavedroad.localcloud.errors import ServiceError

MOST_NAMES = 10
MOST_LOAD_BALANCERS = 50


def attach(call: Call) -> Result:
    group = call.changeable_group()
    names = call.parameters["LoadBalancerNames"]
    _check_number(names)
    attach_all(group, existing(call, names))
    return {}


def detach(call: Call) -> Result:
    group = call.changeable_group()
    names = call.parameters["LoadBalancerNames"]
    _check_number(names)
    detach_all(group, names)
    return {}


def describe(call: Call) -> Result:
    group = call.group()
    shown, token = paging.page(
        sorted(group.load_balancers.items()),
        key=lambda entry: (entry[0],),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=100, most=100),
    )
    return {
        "LoadBalancers": [{"LoadBalancerName": name, "State": state} for name, state in shown],
        "NextToken": token,
    }


def existing(call: Call, names: Iterable[str]) -> list[str]:
    """The same without repetition; all of them must exist."""
    wanted = list(dict.fromkeys(names))
    if not all(not name.startswith("arn:") and call.balancers.exists(name) for name in wanted):
        raise refused("Provided Load Balancers may not be valid. Please ensure they exist and try again.")
    return wanted


def attach_all(group: Group, names: Iterable[str]) -> None:
    """What is attached already stays as it is."""
    fresh = [name for name in names if group.load_balancers.get(name) in (None, "Removing")]
    check_total({*group.load_balancers, *fresh})
    for name in fresh:
        group.load_balancers[name] = "Adding"


def detach_all(group: Group, names: Iterable[str]) -> None:
    wanted = list(dict.fromkeys(names))
    if any(name not in group.load_balancers for name in wanted):
        raise refused("Trying to remove Load Balancers that are not part of the group")
    for name in wanted:
        group.load_balancers[name] = "Removing"


def check_total(attached: Iterable[str]) -> None:
    if len(set(attached)) > MOST_LOAD_BALANCERS:
        raise ServiceError("LimitExceeded", f"A group has at most {MOST_LOAD_BALANCERS} load balancers.")


def _check_number(names: Sequence[str]) -> None:
    if len(names) > MOST_NAMES:
        raise refused(f"You can specify up to {MOST_NAMES} load balancers.")


OPERATIONS: dict[str, Operation] = {
    "AttachLoadBalancers": attach,
    "DetachLoadBalancers": detach,
    "DescribeLoadBalancers": describe,
}
