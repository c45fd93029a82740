"""Instances that wait for the hooks of their transition: all of them at once, until each has a result."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pavedroad.localcloud.autoscaling import backoff, leaving, wording
from pavedroad.localcloud.autoscaling.hooks import messages
from pavedroad.localcloud.autoscaling.hooks.messages import Notices
from pavedroad.localcloud.autoscaling.hooks.model import LAUNCHING, TERMINATING, Action, Hook, Place, Verdict
from pavedroad.localcloud.autoscaling.model import Group, Member, Region

COMPLETED = "Lifecycle Action Completed with ABANDON Result"


def begin_launch(notices: Notices, group: Group, member: Member, now: datetime) -> bool:
    """Whether it waits on its way into service."""
    into: Place = "AutoScalingGroup"
    if not _begin(notices, group, member, LAUNCHING, now, origin=member.origin, destination=into):
        return False
    member.state = "Pending:Wait"
    return True


def begin_warming(notices: Notices, group: Group, member: Member, now: datetime) -> bool:
    """Whether it waits on its way into the warm pool."""
    into: Place = "WarmPool"
    if not _begin(notices, group, member, LAUNCHING, now, origin=member.origin, destination=into):
        return False
    member.state = "Warmed:Pending:Wait"
    return True


def begin_end(notices: Notices, group: Group, member: Member, now: datetime) -> bool:
    """Whether it waits on its way to termination."""
    origin: Place = "WarmPool" if member.is_warmed else "AutoScalingGroup"
    if member.unhooked or not _begin(
        notices, group, member, TERMINATING, now, origin=origin, destination=member.destination
    ):
        return False
    if member.activity is not None:
        member.activity.description = wording.terminating(member.id)
    member.state = "Warmed:Terminating:Wait" if member.is_warmed else "Terminating:Wait"
    return True


def give_up(region: Region, group: Group, member: Member, now: datetime) -> None:
    """Its launch was abandoned: it is terminated, and another is launched after a while."""
    why = _why_abandoned(member)
    activity = member.activity
    if activity is not None:
        activity.description = wording.with_reason(activity.description, why)
        activity.end("Cancelled", now, why[: wording.LONGEST_MESSAGE])
        member.activity = None
    group.launch_backoff = backoff.after_failure(group.launch_backoff, now)
    cause = wording.unhealthy(now, "an abandoned lifecycle action.")
    leaving.terminate(region, group, member, cause, now)


def proceed_to_end(group: Group, member: Member, now: datetime) -> None:
    """Abandoning only ends the wait for other hooks, unless the group retains what is abandoned."""
    why = _why_abandoned(member)
    member.actions.clear()
    policy: Mapping[str, Any] = group.described.get("InstanceLifecyclePolicy") or {}
    triggers: Mapping[str, str] = policy.get("RetentionTriggers") or {}
    if not why or triggers.get("TerminateHookAbandon") != "retain":
        member.state = "Terminating:Proceed"
        return
    member.state = "Terminating:Retained"
    if member.activity is not None:
        member.activity.end("Cancelled", now, why[: wording.LONGEST_MESSAGE])
        member.activity = None


def _begin(
    notices: Notices,
    group: Group,
    member: Member,
    transition: str,
    now: datetime,
    *,
    origin: Place,
    destination: Place,
) -> bool:
    """Open an action for each hook of the transition, and tell their targets. False where there is none."""
    hooks = [hook for hook in group.hooks.values() if hook.transition == transition]
    member.actions = [_action(hook, now) for hook in hooks]
    for hook, action in zip(hooks, member.actions, strict=True):
        messages.waiting(
            notices,
            hook,
            action,
            group_name=group.name,
            instance_id=member.id,
            origin=origin,
            destination=destination,
            now=now,
        )
    if hooks and member.activity is not None:
        member.activity.status = "MidLifecycleAction"
    return bool(hooks)


def verdict(member: Member, now: datetime) -> Verdict | None:
    """What the hooks have come to; None while one is still awaited. Abandoning ends the others' wait."""
    for action in member.actions:
        action.expire(now)
    if any(action.result == "ABANDON" for action in member.actions):
        return "ABANDON"
    return None if any(action.result is None for action in member.actions) else "CONTINUE"


def _why_abandoned(member: Member) -> str:
    """In AWS's words."""
    for action in member.actions:
        if action.result == "ABANDON":
            return (
                "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "
                f"{action.token} was abandoned: {action.abandoned_because}"
            )
    return ""


def forget(group: Group, hook: Hook) -> None:
    """The hook is deleted: who waits for it goes on (leaving) or gives up (coming)."""
    result: Verdict = "CONTINUE" if hook.transition == TERMINATING else "ABANDON"
    for action in _open(group.members.values()):
        if action.hook_name == hook.name:
            action.end(result, COMPLETED)


def find(
    members: Iterable[Member], hook_name: str, *, token: str | None, instance_id: str | None
) -> Action | None:
    """The open action that a token or an instance names."""
    return next(
        (
            action
            for member in members
            for action in member.actions
            if action.result is None
            and action.hook_name == hook_name
            and (token is None or action.token == token)
            and (instance_id is None or member.id == instance_id)
        ),
        None,
    )


def _open(members: Iterable[Member]) -> Iterable[Action]:
    return (action for member in members for action in member.actions if action.result is None)


def _action(hook: Hook, now: datetime) -> Action:
    return Action(
        token=str(uuid.uuid4()),
        hook_name=hook.name,
        began_at=now,
        heartbeat_seconds=hook.heartbeat_seconds,
        due_at=now + timedelta(seconds=hook.heartbeat_seconds),
        last_at=now + timedelta(seconds=hook.global_seconds),
        default_result=hook.default_result,
    )
