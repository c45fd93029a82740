"""Which metrics of a group itself are published."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling.call import Call, Operation, Result, refused
from pavedroad.localcloud.autoscaling.collecting import METRICS

GRANULARITY = "1Minute"


def enable(call: Call) -> Result:
    group = call.changeable_group()
    granularity: str = call.parameters["Granularity"]
    if granularity != GRANULARITY:
        raise refused(f"{granularity} is not a valid Granularity. The only valid value is {GRANULARITY}")
    wanted = {*group.collected_metrics, *_named(call)}
    group.collected_metrics = tuple(metric for metric in METRICS if metric in wanted)
    return None


def disable(call: Call) -> Result:
    group = call.changeable_group()
    unwanted = _named(call)
    group.collected_metrics = tuple(metric for metric in group.collected_metrics if metric not in unwanted)
    return None


def _named(call: Call) -> frozenset[str]:
    """All of them where none is named."""
    named = frozenset(call.texts("Metrics"))
    for metric in sorted(named):
        if metric not in METRICS:
            raise refused(f"{metric} is not a valid metric type. Valid are: {', '.join(METRICS)}")
    return named or frozenset(METRICS)


OPERATIONS: dict[str, Operation] = {
    "EnableMetricsCollection": enable,
    "DisableMetricsCollection": disable,
}
