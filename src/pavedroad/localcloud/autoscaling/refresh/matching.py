"""Whether an instance is what a configuration would launch anyway."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling.model import Group, Member
from pavedroad.localcloud.autoscaling.sources import (
    ConfigurationChoice,
    MixedPolicy,
    Source,
    TemplateChoice,
)
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Compute, LaunchTemplateVersion


def matching(group: Group, source: Source, compute: Compute) -> set[str]:
    """The members that need no replacement: of that launch template version, and an instance type of it."""
    ways = _ways(source, compute)
    return {member.id for member in group.members.values() if any(_fits(member, way) for way in ways)}


Way = tuple[str, str, str]
"""The launch template's id and version, or the launch configuration's name; and an instance type."""


def _fits(member: Member, way: Way) -> bool:
    by, version, instance_type = way
    if instance_type not in ("", member.instance_type):
        return False
    if member.template is not None:
        return (member.template.id, member.template.version) == (by, version)
    return member.configuration is not None and (member.configuration, "") == (by, version)


def _ways(source: Source, compute: Compute) -> list[Way]:
    if isinstance(source, ConfigurationChoice):
        return [(source.name, "", "")]
    try:
        if isinstance(source, TemplateChoice):
            found = _resolved(source, compute)
            return [(found.template_id, found.version, found.data.instance_type)]
        return _mixed(source, compute)
    except ServiceError:
        return []  # The launch template has gone: nothing can match it.


def _mixed(policy: MixedPolicy, compute: Compute) -> list[Way]:
    common = _resolved(policy.template, compute)
    ways: list[Way] = []
    for override in policy.overrides:
        found = _resolved(override.template, compute) if override.template else common
        own = "" if override.requirements is not None else found.data.instance_type
        ways.append((found.template_id, found.version, override.instance_type or own))
    return ways or [(common.template_id, common.version, common.data.instance_type)]


def _resolved(choice: TemplateChoice, compute: Compute) -> LaunchTemplateVersion:
    return compute.launch_template(choice.id, choice.version or "$Default")
