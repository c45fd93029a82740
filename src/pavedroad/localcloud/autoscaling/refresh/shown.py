"""An instance refresh as DescribeInstanceRefreshes shows it."""

from __future__ import annotations

from typing import Any

from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.refresh.model import Preferences, Progress, Refresh

Shape = dict[str, Any]


def instance_refresh(group: Group, refresh: Refresh) -> Shape:
    back = refresh.rollback
    return {
        "InstanceRefreshId": refresh.id,
        "AutoScalingGroupName": group.name,
        "Status": refresh.status,
        "StatusReason": refresh.reason[:1023] or None,
        "StartTime": refresh.began_at,
        "EndTime": refresh.ended_at,
        "PercentageComplete": refresh.percent,
        "InstancesToUpdate": back.remaining if back else refresh.live.remaining,
        "ProgressDetails": _progress(refresh),
        "Preferences": _preferences(refresh.preferences),
        "DesiredConfiguration": refresh.desired,
        "Strategy": "Rolling",
        "RollbackDetails": {
            "RollbackReason": back.reason,
            "RollbackStartTime": back.began_at,
            "PercentageCompleteOnRollback": back.percent,
            "InstancesToUpdateOnRollback": back.remaining,
        }
        if back
        else None,
    }


def _progress(refresh: Refresh) -> Shape | None:
    """Only of a group with a warm pool."""
    if not refresh.warm.total:
        return None
    return {"LivePoolProgress": _one(refresh.live), "WarmPoolProgress": _one(refresh.warm)}


def _one(progress: Progress) -> Shape:
    return {"PercentageComplete": progress.percent, "InstancesToUpdate": progress.remaining}


def _preferences(preferences: Preferences) -> Shape:
    defaults: Shape = {
        "MinHealthyPercentage": preferences.minimum_percent,
        "MaxHealthyPercentage": preferences.maximum_percent,
        "InstanceWarmup": preferences.warmup_seconds,
        "SkipMatching": preferences.skips_matching,
        "AutoRollback": preferences.rolls_back,
        "ScaleInProtectedInstances": preferences.protected,
        "StandbyInstances": preferences.standby,
    }
    if preferences.checkpoints:
        defaults["CheckpointDelay"] = preferences.checkpoint_delay_seconds
    return {**defaults, **preferences.given}
