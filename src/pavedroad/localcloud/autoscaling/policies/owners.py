"""Whose a scaling policy is, by its ARN."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pavedroad.localcloud.autoscaling.call import refused
from pavedroad.localcloud.autoscaling.model import Group, Region
from pavedroad.localcloud.autoscaling.scaling import Policy

_ARN = re.compile(
    r"arn:aws:autoscaling:(?P<region>[^:]+):(?P<account>[0-9]+):scalingPolicy:[^:]+"
    r":autoScalingGroupName/(?P<group>[^:]+):policyName/(?P<policy>.+)",
    re.DOTALL,
)


def of_policy(regions: Mapping[tuple[str, str], Region], arn: str) -> tuple[Group, Policy]:
    found = _ARN.fullmatch(arn)
    region = regions.get((found["account"], found["region"])) if found else None
    group = region.groups.get(found["group"]) if region and found else None
    policy = group.scaling.policies.get(found["policy"]) if group and found else None
    if group is None or policy is None or policy.arn != arn:
        raise refused(f"Policy name not found - Scaling policy {arn} not found")
    return group, policy
