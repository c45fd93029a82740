"""Classic load balancers, of which this cloud has none: every name is unknown, as AWS says of such."""

from __future__ import annotations

from collections.abc import Sequence

from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.operations import settings

MOST_NAMES = 10


def attach(call: Call) -> Result:
    call.changeable_group()
    _check_number(call.parameters["LoadBalancerNames"])
    if call.parameters["LoadBalancerNames"]:
        raise refused("Provided Load Balancers may not be valid. Please ensure they exist and try again.")
    return {}


def detach(call: Call) -> Result:
    call.changeable_group()
    _check_number(call.parameters["LoadBalancerNames"])
    if call.parameters["LoadBalancerNames"]:
        raise refused("Trying to remove Load Balancers that are not part of the group")
    return {}


def describe(call: Call) -> Result:
    call.group()
    settings.page_size(call, default=100, most=100)
    return {"LoadBalancers": []}


def _check_number(names: Sequence[str]) -> None:
    if len(names) > MOST_NAMES:
        raise refused(f"You can specify up to {MOST_NAMES} load balancers.")


OPERATIONS: dict[str, Operation] = {
    "AttachLoadBalancers": attach,
    "DetachLoadBalancers": detach,
    "DescribeLoadBalancers": describe,
}
