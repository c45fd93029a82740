"""What PutLifecycleHook and a new group's hooks ask for: checked, then kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pavedroad.localcloud.autoscaling.call import refused
from pavedroad.localcloud.autoscaling.hooks.messages import Notices
from pavedroad.localcloud.autoscaling.hooks.model import TRANSITIONS, Hook, Verdict
from pavedroad.localcloud.errors import ServiceError

MOST_HOOKS = 50
SHORTEST_SECONDS, LONGEST_SECONDS = 30, 7200
RESULTS = ("CONTINUE", "ABANDON")


def hook_from(asked: Mapping[str, Any], current: Hook | None, notices: Notices) -> Hook:
    """The hook as asked; what an update leaves out stays. Its target must take messages."""
    transition = asked.get("LifecycleTransition") or (current.transition if current else None)
    if transition is None:
        raise refused("LifecycleTransition is required for new lifecycle hooks")
    if transition not in TRANSITIONS:
        raise refused(
            f"Invalid value for LifecycleTransition: {transition}. "
            f"Valid values are: [{', '.join(TRANSITIONS)}]"
        )
    hook = replace(current) if current else Hook(asked["LifecycleHookName"], transition)
    hook.transition = transition
    hook.heartbeat_seconds = _heartbeat(asked.get("HeartbeatTimeout"), hook.heartbeat_seconds)
    hook.default_result = result_from(asked.get("DefaultResult") or hook.default_result, "DefaultResult")
    hook.role_arn = asked.get("RoleARN") or hook.role_arn
    hook.metadata = asked.get("NotificationMetadata") or hook.metadata
    target: str | None = asked.get("NotificationTargetARN")
    if target is not None:
        hook.target_arn = target
        if target:
            _check_target(hook, notices)
    return hook


def check_number(hooks: Mapping[str, Hook]) -> None:
    if len(hooks) > MOST_HOOKS:
        raise ServiceError(
            "LimitExceeded", f"You have reached the limit of {MOST_HOOKS} lifecycle hooks for this group."
        )


def result_from(result: str, name: str) -> Verdict:
    if result not in RESULTS:
        raise refused(f"Invalid value for {name}: {result}. Valid values are: [{', '.join(RESULTS)}]")
    return result


def _heartbeat(asked: int | None, current: int) -> int:
    if asked is None:
        return current
    if not SHORTEST_SECONDS <= asked <= LONGEST_SECONDS:
        raise refused(
            f"HeartbeatTimeout must be between {SHORTEST_SECONDS} and {LONGEST_SECONDS} seconds, "
            f"and is {asked}."
        )
    return asked


def _check_target(hook: Hook, notices: Notices) -> None:
    if not hook.role_arn:
        raise refused("NotificationTargetARN and RoleARN must be specified together")
    if not notices.reaches(hook.target_arn):
        raise refused(
            f"Unable to publish test message to notification target {hook.target_arn} using IAM role "
            f"{hook.role_arn}. Please check your target and role configuration and try to put lifecycle "
            "hook again."
        )
