"""The alarms of policies that track a target: put with the policy, deleted with it and with its group."""

from __future__ import annotations

import uuid
from dataclasses import replace

from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.policies import tracking
from pavedroad.localcloud.autoscaling.scaling import Policy
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import Metrics


def keep(group: Group, policy: Policy, metrics: Metrics) -> Policy:
    """The policy with its alarms. Those that its predecessor has are kept where they watch the same."""
    earlier = group.scaling.policies.get(policy.name)
    if policy.tracking is None or not policy.enabled:
        if earlier:
            drop(earlier, metrics)
        return policy
    if earlier and earlier.tracking and tracking.metric(earlier.tracking) == tracking.metric(policy.tracking):
        names = [name for name, _ in earlier.alarms]
    else:
        names = []
    fresh = names or [f"TargetTracking-{group.name}-Alarm{side}-{uuid.uuid4()}" for side in ("High", "Low")]
    try:
        put = [
            (alarm["AlarmName"], metrics.put_alarm(alarm)) for alarm in tracking.alarms(group, policy, fresh)
        ]
    except ServiceError:
        if not names:
            metrics.delete_alarms(fresh)
        raise
    if earlier and not names:
        drop(earlier, metrics)
    return replace(policy, alarms=tuple(put))


def drop(policy: Policy, metrics: Metrics) -> None:
    if policy.alarms:
        metrics.delete_alarms([name for name, _ in policy.alarms])


def drop_all(group: Group, metrics: Metrics) -> None:
    """The group goes, and with it its policies and the alarms that did nothing else."""
    for policy in group.scaling.policies.values():
        drop(policy, metrics)
        metrics.forget_action(policy.arn, with_alarms=True)
    group.scaling.policies.clear()
    group.scaling.schedule.clear()
