"""What StartInstanceRefresh asks for: checked, and filled in with AWS's defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pavedroad.localcloud.autoscaling.call import Call, refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.operations import launch_sources
from pavedroad.localcloud.autoscaling.refresh.model import Preferences
from pavedroad.localcloud.autoscaling.sources import MixedPolicy, Source, TemplateChoice
from pavedroad.localcloud.errors import ServiceError

MINIMUM_PERCENT = 90
CHECKPOINT_SECONDS = 3600
MOST_ALARMS = 10
WIDEST_PERCENT = 100


def target(call: Call, group: Group) -> Source | None:
    """The desired configuration, resolved once to see that it would launch."""
    wanted: Mapping[str, Any] | None = call.get("DesiredConfiguration")
    if wanted is None:
        return None
    found = launch_sources.named(replace(call, parameters=wanted), group.source)
    if found is None:
        raise refused("Desired configuration must contain either LaunchTemplate or MixedInstancesPolicy.")
    return found


def check_strategy(call: Call) -> None:
    """Only Rolling is carried out: a root volume cannot be swapped under a running process."""
    if call.get("Strategy", "Rolling") != "Rolling":
        raise refused("The ReplaceRootVolume strategy is not offered by this cloud. Use Rolling.")


def preferences(call: Call, group: Group, wanted: Source | None) -> Preferences:
    given: Mapping[str, Any] = call.get("Preferences") or {}
    minimum, maximum = _percents(given, group)
    checkpoints = _checkpoints(given)
    if given.get("AutoRollback"):
        if wanted is None:
            raise refused("AutoRollback requires a desired configuration.")
        if cannot_return_to(group.source):
            raise refused(
                "AutoRollback cannot be used while the Auto Scaling group's launch template version is "
                "$Latest or $Default."
            )
    warmup = given.get("InstanceWarmup")
    if warmup is None:
        default = group.default_warmup_seconds
        warmup = group.grace_seconds if default is None else default
    return Preferences(
        given=given,
        minimum_percent=minimum,
        maximum_percent=maximum,
        warmup_seconds=warmup,
        checkpoints=checkpoints,
        checkpoint_delay_seconds=_delay(given),
        skips_matching=bool(given.get("SkipMatching")),
        rolls_back=bool(given.get("AutoRollback")),
        protected=given.get("ScaleInProtectedInstances") or "Wait",
        standby=given.get("StandbyInstances") or "Wait",
        alarms=_alarms(call, given),
        bake_seconds=given.get("BakeTime") or 0,
    )


def cannot_return_to(source: Source) -> bool:
    """What it stands for may have changed meanwhile."""
    choices = [source] if isinstance(source, TemplateChoice) else []
    if isinstance(source, MixedPolicy):
        choices = [source.template, *(one.template for one in source.overrides if one.template)]
    return any(choice.version in ("", "$Latest", "$Default") for choice in choices)


def refuse_other_source(group: Group) -> None:
    """While a refresh brings the group to another configuration, nobody else may."""
    if group.refresh is not None and group.refresh.target is not None:
        raise refused(
            "An active instance refresh with a desired configuration exists. All configuration options "
            "derived from the desired configuration are not available for update while the instance "
            "refresh is active."
        )


def refuse_second(group: Group) -> None:
    if group.refresh is not None:
        raise ServiceError(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
        )


def _percents(given: Mapping[str, Any], group: Group) -> tuple[int, int | None]:
    minimum: int | None = given.get("MinHealthyPercentage")
    maximum: int | None = given.get("MaxHealthyPercentage")
    if maximum is not None and minimum is None:
        raise refused("MinHealthyPercentage must be specified when MaxHealthyPercentage is specified.")
    if minimum is not None and maximum is not None and maximum - minimum > WIDEST_PERCENT:
        raise refused(
            "The difference between MinHealthyPercentage and MaxHealthyPercentage cannot be greater than "
            f"{WIDEST_PERCENT}."
        )
    if minimum is None and group.maintenance is not None:
        return group.maintenance.least, group.maintenance.most
    return (MINIMUM_PERCENT if minimum is None else minimum), maximum


def _checkpoints(given: Mapping[str, Any]) -> tuple[int, ...]:
    percents = tuple(given.get("CheckpointPercentages") or ())
    if any(later <= earlier for earlier, later in pairwise(percents)):
        raise refused("CheckpointPercentages must be unique and in ascending order.")
    if given.get("CheckpointDelay") is not None and not percents:
        raise refused("CheckpointDelay can only be specified together with CheckpointPercentages.")
    return percents


def _delay(given: Mapping[str, Any]) -> int:
    delay: int | None = given.get("CheckpointDelay")
    return CHECKPOINT_SECONDS if delay is None else delay


def _alarms(call: Call, given: Mapping[str, Any]) -> tuple[str, ...]:
    specification: Mapping[str, Sequence[str]] = given.get("AlarmSpecification") or {}
    names = tuple(dict.fromkeys(specification.get("Alarms") or ()))
    if len(names) > MOST_ALARMS:
        raise refused(f"AlarmSpecification can name up to {MOST_ALARMS} alarms.")
    states: Mapping[str, str] = call.metrics.alarm_states(names) if names else {}
    missing = [name for name in names if name not in states]
    if missing:
        raise refused(f"The following CloudWatch alarms do not exist: [{', '.join(missing)}]")
    return names
