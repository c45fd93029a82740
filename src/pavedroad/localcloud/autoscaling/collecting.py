"""What is measured of a group itself, each minute while it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pavedroad.localcloud.autoscaling.model import Group, Member
from pavedroad.localcloud.ports import Metrics, Sample

NAMESPACE = "AWS/AutoScaling"
METRICS = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupInServiceCapacity",
    "GroupPendingInstances",
    "GroupPendingCapacity",
    "GroupTerminatingInstances",
    "GroupTerminatingCapacity",
    "GroupStandbyInstances",
    "GroupStandbyCapacity",
    "GroupTotalInstances",
    "GroupTotalCapacity",
    "WarmPoolDesiredCapacity",
    "WarmPoolWarmedCapacity",
    "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity",
    "WarmPoolTotalCapacity",
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
)
_STATES = {
    "InService": ("InService",),
    "Pending": ("Pending",),
    "Terminating": ("Terminating",),
    "Standby": ("Standby",),
    "Total": ("InService", "Pending", "Terminating"),
}
_WARM_STATES = {
    "Warmed": ("Warmed:Stopped", "Warmed:Hibernated", "Warmed:Running"),
    "Pending": ("Warmed:Pending",),
    "Terminating": ("Warmed:Terminating",),
    "Total": ("Warmed:",),
}


def publish(group: Group, metrics: Metrics, now: datetime) -> bool:
    """The group's metrics of this minute, where they have not been published yet."""
    minute = now.replace(second=0, microsecond=0)
    if not group.collected_metrics or group.collected_at == minute:
        return False
    group.collected_at = minute
    found = measured(group)
    metrics.publish(
        NAMESPACE,
        [
            Sample(name, {"AutoScalingGroupName": group.name}, now.timestamp(), (float(found[name]),))
            for name in group.collected_metrics
        ],
    )
    return True


def measured(group: Group) -> dict[str, int]:
    """Every metric's value now. Instances are counted; capacity is in the group's units."""
    found = {
        "GroupMinSize": group.minimum,
        "GroupMaxSize": group.maximum,
        "GroupDesiredCapacity": group.desired,
    }
    members = group.members.values()
    for what, states in _STATES.items():
        those = _in_states(members, states)
        found[f"Group{what}Instances"] = len(those)
        found[f"Group{what}Capacity"] = sum(member.units for member in those)
    for what, states in _WARM_STATES.items():
        found[f"WarmPool{what}Capacity"] = sum(member.units for member in _in_states(members, states))
    warm = found["WarmPoolDesiredCapacity"] = (
        group.warm_pool.size(group.desired, group.maximum) if group.warm_pool else 0
    )
    found["GroupAndWarmPoolDesiredCapacity"] = group.desired + warm
    found["GroupAndWarmPoolTotalCapacity"] = found["GroupTotalCapacity"] + found["WarmPoolTotalCapacity"]
    return found


def _in_states(members: Iterable[Member], states: tuple[str, ...]) -> list[Member]:
    return [member for member in members if member.state.startswith(states)]
