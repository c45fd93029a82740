"""Traffic sources: another way to say which target groups a group keeps its instances in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pavedroad.localcloud import paging
from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.operations import settings, target_groups

TYPES = ("elb", "elbv2", "vpc-lattice")
MOST_AT_A_TIME = 10


def attach(call: Call) -> Result:
    group = call.changeable_group()
    target_groups.attach_all(group, target_groups.existing(call, asked(call)))
    return {}


def detach(call: Call) -> Result:
    group = call.changeable_group()
    wanted = asked(call)
    if any(arn not in group.target_groups for arn in wanted):
        raise refused("Trying to remove Traffic Sources that are not part of the group")
    for arn in wanted:
        group.target_groups[arn] = "Removing"
    return {}


def describe(call: Call) -> Result:
    group = call.group()
    kind: str | None = call.get("TrafficSourceType")
    if kind is not None and kind not in TYPES:
        raise _unknown_type(kind)
    found = sorted(group.target_groups.items()) if kind in (None, "elbv2") else []
    shown, token = paging.page(
        found,
        key=lambda entry: (entry[0],),
        token=call.get("NextToken"),
        limit=settings.page_size(call, default=50, most=50),
    )
    return {
        "TrafficSources": [
            {"TrafficSource": arn, "Identifier": arn, "Type": "elbv2", "State": state} for arn, state in shown
        ],
        "NextToken": token,
    }


def asked(call: Call) -> list[str]:
    """The target groups among the traffic sources; there are no sources of other types to be had."""
    entries = call.entries("TrafficSources")
    if len(entries) > MOST_AT_A_TIME:
        raise refused(f"At most {MOST_AT_A_TIME} traffic sources can be specified at a time")
    return list(dict.fromkeys(_target_groups(entries)))


def _target_groups(entries: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for entry in entries:
        identifier: str = entry["Identifier"]
        kind: str = entry.get("Type") or _type_of(identifier)
        if kind not in TYPES:
            raise _unknown_type(kind)
        if kind == "elb":
            raise refused("Provided Load Balancers may not be valid. Please ensure they exist and try again.")
        if kind == "vpc-lattice" or _type_of(identifier) != "elbv2":
            raise refused(
                "Provided Traffic Sources may not be valid. Please ensure they exist and try again."
            )
        yield identifier


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
