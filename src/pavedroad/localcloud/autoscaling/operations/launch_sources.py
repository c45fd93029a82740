"""What a group is to launch from, as a call names it; resolved once, to see that it would launch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.autoscaling.call import Call, refused
from pavedroad.localcloud.autoscaling.operations import launch_configurations
from pavedroad.localcloud.autoscaling.sources import ConfigurationChoice, Source, TemplateChoice
from pavedroad.localcloud.errors import ServiceError

ALTERNATIVES = ("LaunchTemplate", "LaunchConfigurationName", "InstanceId", "MixedInstancesPolicy")


def required(call: Call) -> Source:
    """The source of a new group."""
    found = named(call, None)
    if found is None:
        raise refused(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or "
            "MixedInstancesPolicy parameter."
        )
    return found


def named(call: Call, _current: Source | None) -> Source | None:
    """The source that the call names; None where it names none."""
    given = [name for name in ALTERNATIVES if call.get(name)]
    if len(given) > 1:
        raise refused(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or "
            "MixedInstancesPolicy parameter."
        )
    if call.get("LaunchConfigurationName"):
        return configuration(call, call.parameters["LaunchConfigurationName"])
    if call.get("InstanceId"):
        # Made when the group is; for now it is only seen that it could be.
        return ConfigurationChoice(launch_configurations.proposed(call, _group_name(call)).name)
    asked: Mapping[str, Any] | None = call.get("LaunchTemplate")
    return None if asked is None else template(call, asked)


def keep(call: Call) -> None:
    """Make the launch configuration of a group that is created from an instance: it has the group's name."""
    if call.get("InstanceId"):
        launch_configurations.keep(call, launch_configurations.proposed(call, _group_name(call)))


def configuration(call: Call, name: str) -> ConfigurationChoice:
    if name not in call.region.configurations:
        raise refused(f"Launch configuration name not found - Launch configuration {name} not found")
    return ConfigurationChoice(name)


def template(call: Call, asked: Mapping[str, Any]) -> TemplateChoice:
    """A launch template and a version of it that can be launched."""
    by_name: str = asked.get("LaunchTemplateName") or ""
    by_id: str = asked.get("LaunchTemplateId") or ""
    if bool(by_name) == bool(by_id):
        raise refused("Valid requests must contain either launchTemplateId or LaunchTemplateName")
    version: str = asked.get("Version") or ""
    try:
        found = call.compute.launch_template(by_id or by_name, version or "$Default")
    except ServiceError as unknown:
        raise _ill_formed(unknown.message) from unknown
    if not found.data.image_id:
        raise _ill_formed("The request must contain the parameter ImageId")
    if not call.compute.image_exists(found.data.image_id):
        raise _ill_formed(f"The image id '[{found.data.image_id}]' does not exist")
    return TemplateChoice(found.template_id, found.template_name, version)


def _group_name(call: Call) -> str:
    return call.parameters["AutoScalingGroupName"]


def _ill_formed(why: str) -> ServiceError:
    return refused(f"You must use a valid fully-formed launch template. {why}")
