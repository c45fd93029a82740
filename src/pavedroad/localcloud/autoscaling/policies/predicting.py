"""Predictive scaling: its configuration is checked and kept; nothing is forecast."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pavedroad.localcloud.autoscaling.call import refused
from pavedroad.localcloud.autoscaling.model import Group
from pavedroad.localcloud.autoscaling.policies import tracking

Prediction = Mapping[str, Any]

_SCALING = ("PredefinedScalingMetricSpecification", "CustomizedScalingMetricSpecification")
_LOAD = ("PredefinedLoadMetricSpecification", "CustomizedLoadMetricSpecification")
_CAPACITY = "CustomizedCapacityMetricSpecification"
_PAIR = "PredefinedMetricPairSpecification"
LONGEST_BUFFER_SECONDS = 3600


def check(asked: Prediction, group: Group) -> None:
    specifications: Sequence[Prediction] = asked.get("MetricSpecifications") or ()
    if len(specifications) != 1:
        raise refused("Exactly one metric specification must be specified for a predictive scaling policy")
    _check_specification(specifications[0], group)
    if (asked.get("SchedulingBufferTime") or 0) >= LONGEST_BUFFER_SECONDS:
        raise refused(f"SchedulingBufferTime must be less than {LONGEST_BUFFER_SECONDS} seconds")
    increases = asked.get("MaxCapacityBreachBehavior") == "IncreaseMaxCapacity"
    if increases != (asked.get("MaxCapacityBuffer") is not None):
        raise refused(
            "MaxCapacityBuffer must be specified if MaxCapacityBreachBehavior is IncreaseMaxCapacity, and "
            "not otherwise"
        )


def with_defaults(asked: Prediction) -> Prediction:
    """What AWS fills in for what was left out."""
    defaults = {"Mode": "ForecastOnly", "SchedulingBufferTime": 300}
    defaults["MaxCapacityBreachBehavior"] = "HonorMaxCapacity"
    return {**defaults, **{name: value for name, value in asked.items() if value is not None}}


def _check_specification(asked: Prediction, group: Group) -> None:
    if not math.isfinite(asked["TargetValue"]) or asked["TargetValue"] <= 0:
        raise refused("Target value must be a positive number")
    scaling = [name for name in _SCALING if asked.get(name)]
    load = [name for name in _LOAD if asked.get(name)]
    pair = [_PAIR] if asked.get(_PAIR) else []
    if (len(pair), len(scaling), len(load)) not in ((1, 0, 0), (0, 1, 1)):
        raise refused(
            "The metric specification is invalid. A policy must have either one scaling metric and one load "
            "metric or one metric pair."
        )
    if asked.get(_CAPACITY) and scaling != [_SCALING[1]]:
        raise refused("A capacity metric can be specified only with a customized scaling metric")
    for name in (*pair, *scaling, *load, *([_CAPACITY] if asked.get(_CAPACITY) else ())):
        specification: Prediction = asked[name]
        if name.startswith("Customized"):
            tracking.check_queries(specification["MetricDataQueries"])
        else:
            tracking.check_predefined(specification, group)
