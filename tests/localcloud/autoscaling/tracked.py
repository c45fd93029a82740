"""A policy that tracks a target, put on a bench."""

from __future__ import annotations

from typing import Any

from tests.localcloud.autoscaling.bench import Bench


def track(bench: Bench, metric: str = "ASGAverageCPUUtilization", target: float = 50.0, **more: Any) -> Any:
    tracking: dict[str, Any] = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
        "TargetValue": target,
        **more.pop("tracking", {}),
    }
    return bench.call(
        "PutScalingPolicy",
        **{
            "AutoScalingGroupName": "web",
            "PolicyName": "follow",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingConfiguration": tracking,
            **more,
        },
    )
