"""Traffic sources: another way to say which target groups and classic load balancers a group keeps its
instances in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.operations import load_balancers, settings, target_groups

TYPES = ("elb", "elbv2", "vpc-lattice")
MOST_AT_A_TIME = 10


def attach(call: Call) -> Result:
    group = call.changeable_group()
    groups, balancers = asked(call)
    target_groups.attach_all(group, groups)
    load_balancers.attach_all(group, balancers)
    return {}


def detach(call: Call) -> Result:
    group = call.changeable_group()
    wanted = _by_type(call)
    if any(it not in group.target_groups and it not in group.load_balancers for it in wanted):
        raise refused("Trying to remove Traffic Sources that are not part of the group")
    for identifier in wanted:
        table = group.target_groups if identifier in group.target_groups else group.load_balancers
        table[identifier] = "Removing"
    return {}


def describe(call: Call) -> Result:
    group = call.group()
    kind: str | None = call.get("TrafficSourceType")
    if kind is not None and kind not in TYPES:
        raise _unknown_type(kind)
    found = [
        *((name, state, "elb") for name, state in group.load_balancers.items() if kind in (None, "elb")),
        *((arn, state, "elbv2") for arn, state in group.target_groups.items() if kind in (None, "elbv2")),
    ]
    shown, token = paging.page(
        sorted(found),
        key=lambda entry: (entry[0],),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=50),
    )
    return {
        "TrafficSources": [
            {"TrafficSource": it, "Identifier": it, "Type": type_, "State": state}
            for it, state, type_ in shown
        ],
        "NextToken": token,
    }


def asked(call: Call) -> tuple[list[str], list[str]]:
    """The target groups and the classic load balancers among the traffic sources; all of them exist."""
    kinds = _by_type(call)
    groups = target_groups.existing(call, [it for it, kind in kinds.items() if kind == "elbv2"])
    return groups, load_balancers.existing(call, [it for it, kind in kinds.items() if kind == "elb"])


def _by_type(call: Call) -> dict[str, str]:
    entries = call.entries("TrafficSources")
    if len(entries) > MOST_AT_A_TIME:
        raise refused(f"At most {MOST_AT_A_TIME} traffic sources can be specified at a time")
    return dict(_typed(entries))


def _typed(entries: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for entry in entries:
        identifier: str = entry["Identifier"]
        kind: str = entry.get("Type") or _type_of(identifier)
        if kind not in TYPES:
            raise _unknown_type(kind)
        if kind == "vpc-lattice" or _type_of(identifier) != kind:
            raise refused(
                "Provided Traffic Sources may not be valid. Please ensure they exist and try again."
            )
        yield identifier, kind


def _type_of(identifier: str) -> str:
    if identifier.startswith("arn:aws:vpc-lattice:"):
        return "vpc-lattice"
    return "elbv2" if identifier.startswith("arn:") else "elb"


def _unknown_type(kind: str) -> Exception:
    return refused(f"{kind} is not a valid traffic source type. Valid types are: {', '.join(TYPES)}")


OPERATIONS: dict[str, Operation] = {
    "AttachTrafficSources": attach,
    "DetachTrafficSources": detach,
    "DescribeTrafficSources": describe,
}
