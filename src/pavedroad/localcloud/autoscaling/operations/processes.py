"""Suspending and resuming what a group does by itself."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused

PROCESSES = (
    "AZRebalance",
    "AddToLoadBalancer",
    "AlarmNotification",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
)


def suspend(call: Call) -> Result:
    group = call.changeable_group()
    for process in _named(call):
        group.suspended.setdefault(process, f"User suspended at {call.now:%Y-%m-%dT%H:%M:%SZ}")
    return None


def resume(call: Call) -> Result:
    group = call.changeable_group()
    for process in _named(call):
        group.suspended.pop(process, None)
    group.forget_failures()
    return None


def describe_types(_call: Call) -> Result:
    return {"Processes": [{"ProcessName": process} for process in PROCESSES]}


def _named(call: Call) -> tuple[str, ...]:
    """All of them where none is named."""
    named = tuple(call.texts("ScalingProcesses"))
    for process in named:
        if process not in PROCESSES:
            raise refused(f"{process} is not a valid scaling process. Valid are: {', '.join(PROCESSES)}")
    return named or PROCESSES


OPERATIONS: dict[str, Operation] = {
    "SuspendProcesses": suspend,
    "ResumeProcesses": resume,
    "DescribeScalingProcessTypes": describe_types,
}
