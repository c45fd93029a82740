"""Simple and step policies: what they add and take, when they wait, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.autoscaling.policies import adjusting
from pavedroad.localcloud.autoscaling.scaling import Step
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import AlarmSignal
from tests.localcloud.autoscaling.bench import Bench

OUT = [
    {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 0},
    {"MetricIntervalLowerBound": 10.0, "MetricIntervalUpperBound": 20.0, "ScalingAdjustment": 10},
    {"MetricIntervalLowerBound": 20.0, "ScalingAdjustment": 30},
]
IN = [
    {"MetricIntervalLowerBound": -10.0, "MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -10},
    {"MetricIntervalUpperBound": -10.0, "ScalingAdjustment": -30},
]


def simple(bench: Bench, name: str = "one more", adjustment: int = 1, **more: Any) -> str:
    asked = {"AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": adjustment, **more}
    return bench.call("PutScalingPolicy", AutoScalingGroupName="web", PolicyName=name, **asked)["PolicyARN"]


def stepped(bench: Bench, name: str = "steps", steps: list[dict[str, Any]] = OUT, **more: Any) -> str:
    asked = {
        "PolicyType": "StepScaling",
        "AdjustmentType": "PercentChangeInCapacity",
        "StepAdjustments": steps,
        **more,
    }
    return bench.call("PutScalingPolicy", AutoScalingGroupName="web", PolicyName=name, **asked)["PolicyARN"]


def alarm(bench: Bench, arn: str, *values: float, threshold: float = 50.0) -> None:
    value = values[-1] if values else None
    found = AlarmSignal("hot", "arn", "ALARM", "crossed", bench.clock.now(), value, threshold, values)
    bench.service.alarmed(arn, found)


def execute(bench: Bench, name: str, **more: Any) -> None:
    bench.call("ExecutePolicy", AutoScalingGroupName="web", PolicyName=name, **more)


@pytest.mark.parametrize(
    ("capacity", "kind", "amount", "magnitude", "after"),
    [
        (5, "ChangeInCapacity", 3, None, 8),
        (5, "ChangeInCapacity", -9, None, 0),
        (5, "ExactCapacity", 2, None, 2),
        (10, "PercentChangeInCapacity", 10, None, 11),
        (10, "PercentChangeInCapacity", 127, None, 22),
        (10, "PercentChangeInCapacity", 5, None, 11),
        (10, "PercentChangeInCapacity", -5, None, 9),
        (10, "PercentChangeInCapacity", -67, None, 4),
        (4, "PercentChangeInCapacity", 25, 2, 6),
        (4, "PercentChangeInCapacity", -25, 2, 2),
        (4, "PercentChangeInCapacity", 0, 2, 4),
        (0, "PercentChangeInCapacity", 50, None, 0),
        (0, "PercentChangeInCapacity", 50, 3, 3),
    ],
)
def test_adjustments_round_as_aws_does(
    capacity: int, kind: Any, amount: int, magnitude: int | None, after: int
) -> None:
    assert adjusting.adjusted(capacity, kind, amount, magnitude) == after


@pytest.mark.parametrize(
    ("breach", "adjustment"),
    [
        (0, 0),
        (9.9, 0),
        (10, 10),
        (19.9, 10),
        (20, 30),
        (1e9, 30),
        (-0.1, -10),
        (-9.9, -10),
        (-10, -30),
        (-99, -30),
    ],
)
def test_bounds_are_inclusive_on_the_side_of_the_threshold(breach: float, adjustment: int) -> None:
    steps = [
        Step(
            one.get("MetricIntervalLowerBound"), one.get("MetricIntervalUpperBound"), one["ScalingAdjustment"]
        )
        for one in OUT + IN
    ]
    found = adjusting.step_for(steps, breach)
    assert found
    assert found.adjustment == adjustment


def test_a_simple_policy_adds_and_tells_which_alarm_made_it(bench: Bench) -> None:
    bench.create(desired=1, DefaultCooldown=60)
    bench.settle()
    arn = simple(bench)
    bench.clock.advance(61)
    alarm(bench, arn, 60.0)
    bench.settle()
    assert len(bench.members()) == 2
    assert bench.activities()[-1].cause.startswith(
        "At 2026-01-02T03:05:06Z a monitor alarm hot in state ALARM triggered policy one more changing the "
        "desired capacity from 1 to 2."
    )


def test_a_simple_policy_waits_for_the_activity_and_then_for_the_cooldown(bench: Bench) -> None:
    bench.create(desired=1, DefaultCooldown=60)
    bench.settle()
    arn = simple(bench, Cooldown=100)
    with pytest.raises(ServiceError, match="ScalingActivityInProgress"):
        alarm(bench, arn, 60.0)
    bench.clock.advance(60)
    alarm(bench, arn, 60.0)
    bench.service.step()
    with pytest.raises(ServiceError, match=r"Scaling activity .* is in progress"):
        alarm(bench, arn, 60.0)
    bench.settle()
    bench.clock.advance(99)
    with pytest.raises(ServiceError, match="cooldown"):
        alarm(bench, arn, 60.0)
    bench.clock.advance(1)
    alarm(bench, arn, 60.0)
    assert bench.group().desired == 3


def test_executing_honors_the_cooldown_only_when_asked_to(bench: Bench) -> None:
    bench.create(desired=1)
    bench.settle()
    simple(bench)
    with pytest.raises(ServiceError, match="ScalingActivityInProgress"):
        execute(bench, "one more", HonorCooldown=True)
    execute(bench, "one more")
    bench.settle()
    assert "a user request executed policy one more changing" in bench.activities()[-1].cause
    assert len(bench.members()) == 2


def test_bounds_hold_whatever_a_policy_asks(bench: Bench) -> None:
    bench.create(desired=3, MinSize=2, MaxSize=4)
    bench.settle()
    simple(bench, "many", 9)
    simple(bench, "few", -9)
    execute(bench, "many")
    assert bench.group().desired == 4
    execute(bench, "few")
    assert bench.group().desired == 2


def test_what_warms_up_counts_as_added_already(bench: Bench) -> None:
    """The example of AWS's guide: ten instances, 10 % and then 30 % more."""
    bench.create(desired=10)
    bench.settle()
    arn = stepped(bench, EstimatedInstanceWarmup=120)
    alarm(bench, arn, 60.0)
    assert bench.group().desired == 11
    bench.settle()
    alarm(bench, arn, 60.0)
    assert bench.group().desired == 11, "the same breach again"
    alarm(bench, arn, 70.0)
    assert bench.group().desired == 13, "three more than ten, of which one warms up"
    bench.settle()
    bench.clock.advance(121)
    alarm(bench, arn, 60.0)
    assert bench.group().desired == 14, "a tenth of thirteen that are warm"


def test_nothing_is_taken_while_a_scale_out_is_under_way(bench: Bench) -> None:
    bench.create(desired=10, DefaultCooldown=50)
    bench.settle()
    out, into = stepped(bench), stepped(bench, "in", IN)
    alarm(bench, out, 60.0)
    bench.settle()
    alarm(bench, into, 30.0, threshold=50.0)
    assert bench.group().desired == 11
    bench.pass_time(100)
    alarm(bench, into, 45.0, threshold=50.0)
    assert bench.group().desired == 10
    alarm(bench, into, 45.0, threshold=50.0)
    assert bench.group().desired == 10, "the one that goes still counts"
    bench.settle()
    alarm(bench, into, 45.0, threshold=50.0)
    assert bench.group().desired == 9


def test_those_that_leave_count_until_they_have_left(bench: Bench) -> None:
    bench.create(desired=10)
    bench.settle()
    bench.compute.slow_to_end = True
    into = stepped(bench, "in", IN)
    alarm(bench, into, 20.0)
    bench.service.step()
    assert bench.group().desired == 7
    alarm(bench, into, 20.0)
    assert bench.group().desired == 7, "thirty percent of ten, of which three leave"


@pytest.mark.parametrize(("aggregation", "desired"), [("Minimum", 10), ("Average", 11), ("Maximum", 13)])
def test_datapoints_are_aggregated_as_the_policy_says(bench: Bench, aggregation: str, desired: int) -> None:
    bench.create(desired=10)
    bench.settle()
    arn = stepped(bench, MetricAggregationType=aggregation)
    alarm(bench, arn, 51.0, 75.0, 60.0)
    assert bench.group().desired == desired


def test_a_group_with_a_default_warmup_counts_every_new_instance_as_warming(bench: Bench) -> None:
    bench.create(desired=4, DefaultInstanceWarmup=100)
    bench.settle()
    arn = stepped(
        bench,
        AdjustmentType="ChangeInCapacity",
        steps=[{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}],
    )
    alarm(bench, arn, 60.0)
    assert bench.group().desired == 4, "two more than none that is warm"
    bench.pass_time(101)
    alarm(bench, arn, 60.0)
    assert bench.group().desired == 6


def test_executing_steps_takes_the_value_from_the_call(bench: Bench) -> None:
    bench.create(desired=10)
    bench.settle()
    stepped(bench)
    execute(bench, "steps", MetricValue=65.0, BreachThreshold=50.0)
    assert bench.group().desired == 11
    with pytest.raises(
        ServiceError, match=r"No step adjustment found for metric value 40.0 and breach threshold 50"
    ):
        execute(bench, "steps", MetricValue=40.0, BreachThreshold=50.0)
    with pytest.raises(ServiceError, match="must be specified"):
        execute(bench, "steps")
    with pytest.raises(ServiceError, match="HonorCooldown"):
        execute(bench, "steps", MetricValue=65.0, BreachThreshold=50.0, HonorCooldown=True)


def step(lower: float | None, upper: float | None, adjustment: int = 1) -> dict[str, Any]:
    return {
        "MetricIntervalLowerBound": lower,
        "MetricIntervalUpperBound": upper,
        "ScalingAdjustment": adjustment,
    }


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ([], "At least one StepAdjustment"),
        ([step(None, None)], "Both lower and upper bounds"),
        ([step(0, 10)], "unspecified upper bound"),
        ([step(-10, 0)], "unspecified lower bound"),
        ([step(0, 10), step(11, None)], "gap"),
        ([step(0, 10), step(9, None)], "overlap"),
        ([step(0, None), step(5, None)], "At most one StepAdjustment may have an unspecified upper"),
        ([step(None, 0), step(None, 5)], "At most one StepAdjustment may have an unspecified lower"),
        ([step(10, 5), step(10, None)], "greater than its lower bound"),
        ([step(0, float("nan"))], "finite"),
        ([step(n, n + 1) for n in range(20)] + [step(20, None)], "at most 20"),
    ],
)
def test_intervals_that_do_not_fit_are_refused(bench: Bench, steps: list[Any], complaint: str) -> None:
    bench.create(desired=0)
    with pytest.raises(ServiceError, match=complaint):
        stepped(bench, steps=steps)
    assert not bench.group().scaling.policies


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"AdjustmentType": None}, "AdjustmentType must be specified"),
        ({"AdjustmentType": "Double"}, "Adjustment type Double is invalid"),
        ({"ScalingAdjustment": None}, "ScalingAdjustment must be specified"),
        ({"AdjustmentType": "ExactCapacity", "ScalingAdjustment": -1}, "non-negative"),
        ({"PolicyType": "Magic"}, "Policy type Magic is invalid"),
        ({"StepAdjustments": OUT}, "StepAdjustments can't be specified"),
        ({"EstimatedInstanceWarmup": 3}, "EstimatedInstanceWarmup can't be specified"),
        ({"MinAdjustmentMagnitude": 2}, "only with the adjustment type PercentChangeInCapacity"),
        ({"Cooldown": -1}, "Cooldown must be"),
    ],
)
def test_what_a_simple_policy_does_not_have_is_refused(
    bench: Bench, asked: dict[str, Any], complaint: str
) -> None:
    bench.create(desired=0)
    with pytest.raises(ServiceError, match=complaint):
        simple(bench, **asked)


def test_a_cooldown_of_nothing_is_none_where_there_is_none(bench: Bench) -> None:
    bench.create(desired=0)
    tracked: dict[str, Any] = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 50.0,
    }
    asked = {"AutoScalingGroupName": "web", "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling"}
    bench.call("PutScalingPolicy", **asked, TargetTrackingConfiguration=tracked, Cooldown=0)
    with pytest.raises(ServiceError, match="Cooldown can't be specified"):
        bench.call("PutScalingPolicy", **asked, TargetTrackingConfiguration=tracked, Cooldown=9)


def test_a_disabled_policy_heeds_no_alarm(bench: Bench) -> None:
    bench.create(desired=1)
    bench.pass_time(400)
    arn = simple(bench, Enabled=False)
    alarm(bench, arn, 60.0)
    assert bench.group().desired == 1


def test_an_unknown_policy_is_said_so(bench: Bench) -> None:
    bench.create(desired=1)
    arn = simple(bench)
    bench.call("DeletePolicy", PolicyName=arn)
    for unknown in (arn, "no arn at all", arn.replace("web", "other")):
        with pytest.raises(ServiceError, match="not found"):
            alarm(bench, unknown, 60.0)


def test_instances_are_left_out_of_the_groups_metrics_until_they_are_warm(bench: Bench) -> None:
    bench.create(desired=1)
    bench.settle()
    bench.call("UpdateAutoScalingGroup", AutoScalingGroupName="web", DefaultInstanceWarmup=60)
    [old] = bench.members()
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=2)
    bench.settle()
    [new] = [member for member in bench.members() if member is not old]
    assert bench.service.warming() == {new.id}
    bench.clock.advance(60)
    assert bench.service.warming() == frozenset()


def test_a_policy_that_goes_leaves_alarms_without_its_action(bench: Bench) -> None:
    bench.create(desired=0)
    more, fewer = simple(bench, "more"), simple(bench, "fewer", -1)
    bench.metrics.alarms["only"] = {"AlarmActions": [fewer]}
    bench.metrics.alarms["both"] = {"AlarmActions": [more, "arn:of:a:topic"]}
    bench.call("DeletePolicy", PolicyName=more)
    assert bench.metrics.alarms["both"] == {"AlarmActions": ["arn:of:a:topic"]}
    bench.call("DeleteAutoScalingGroup", AutoScalingGroupName="web")
    assert set(bench.metrics.alarms) == {"both"}, "one that did nothing else goes with the group"
