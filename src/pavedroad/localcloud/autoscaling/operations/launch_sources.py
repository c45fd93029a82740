"""What a group is to launch from, as a call names it."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling.call import Call, refused
from pavedroad.localcloud.autoscaling.operations import (
    launch_configurations,
    launch_templates,
    mixed_policies,
)
from pavedroad.localcloud.autoscaling.sources import ConfigurationChoice, Source

ALTERNATIVES = ("LaunchTemplate", "LaunchConfigurationName", "InstanceId", "MixedInstancesPolicy")


def required(call: Call) -> Source:
    """The source of a new group."""
    found = named(call, None)
    if found is None:
        raise _one_of_them()
    return found


def named(call: Call, current: Source | None) -> Source | None:
    """The source that the call names, for a group that has `current`; None where it names none."""
    given = [name for name in ALTERNATIVES if call.get(name) is not None]
    if len(given) > 1:
        raise _one_of_them()
    match given:
        case ["LaunchConfigurationName"]:
            return _configuration(call, call.parameters["LaunchConfigurationName"])
        case ["LaunchTemplate"]:
            return launch_templates.choice(call, call.parameters["LaunchTemplate"])
        case ["MixedInstancesPolicy"]:
            return mixed_policies.policy(call, call.parameters["MixedInstancesPolicy"], current)
        case ["InstanceId"]:
            # Made when the group is; for now it is only seen that it could be.
            return ConfigurationChoice(launch_configurations.proposed(call, _group_name(call)).name)
        case _:
            return None


def keep(call: Call) -> None:
    """Make the launch configuration of a group that is created from an instance: it has the group's name."""
    if call.get("InstanceId"):
        launch_configurations.keep(call, launch_configurations.proposed(call, _group_name(call)))


def _configuration(call: Call, name: str) -> ConfigurationChoice:
    if name not in call.region.configurations:
        raise refused(f"Launch configuration name not found - Launch configuration {name} not found")
    return ConfigurationChoice(name)


def _group_name(call: Call) -> str:
    return call.parameters["AutoScalingGroupName"]


def _one_of_them() -> Exception:
    return refused(
        "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or "
        "MixedInstancesPolicy parameter."
    )
