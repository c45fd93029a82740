"""What scales a group by itself, as rules of the state machine that calls in any order."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pavedroad.localcloud.autoscaling import notifying
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import AlarmSignal
from tests.localcloud.autoscaling.bench import TOPIC_ARN, Bench

NAMES = ["one", "two"]
METRICS = ["ASGAverageCPUUtilization", "ASGAverageNetworkIn"]
STEPS = [
    {"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2},
    {"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -1},
]


class ScalingRules(RuleBasedStateMachine):
    """`bench` holds one group, `web`."""

    bench: Bench

    @rule(name=st.sampled_from(NAMES), amount=st.integers(-3, 3), cooldown=st.sampled_from([0, 60]))
    def put_simple_policy(self, name: str, amount: int, cooldown: int) -> None:
        asked = {"AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": amount, "Cooldown": cooldown}
        self._try("PutScalingPolicy", PolicyName=name, **asked)

    @rule(name=st.sampled_from(NAMES), warmup=st.sampled_from([0, 60]))
    def put_step_policy(self, name: str, warmup: int) -> None:
        self._try(
            "PutScalingPolicy",
            PolicyName=name,
            PolicyType="StepScaling",
            AdjustmentType="ChangeInCapacity",
            StepAdjustments=STEPS,
            EstimatedInstanceWarmup=warmup,
        )

    @rule(name=st.sampled_from(NAMES), metric=st.sampled_from(METRICS), out_only=st.booleans())
    def put_tracking_policy(self, name: str, metric: str, *, out_only: bool) -> None:
        tracking: dict[str, Any] = {
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            "TargetValue": 50.0,
            "DisableScaleIn": out_only,
        }
        self._try(
            "PutScalingPolicy",
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration=tracking,
        )

    @rule(name=st.sampled_from(NAMES))
    def delete_policy(self, name: str) -> None:
        self._try("DeletePolicy", PolicyName=name)

    @rule(name=st.sampled_from(NAMES), value=st.sampled_from([0.0, 40.0, 75.0, 1e12]), side=st.integers(0, 1))
    def alarm(self, name: str, value: float, side: int) -> None:
        policy = self.bench.group().scaling.policies.get(name)
        if policy is None:
            return
        alarm_name, arn = policy.alarms[side] if policy.alarms else ("mine", "arn")
        now = self.bench.clock.now()
        with suppress(ServiceError):
            self.bench.service.alarmed(
                policy.arn, AlarmSignal(alarm_name, arn, "ALARM", "crossed", now, value, 50.0)
            )

    @rule(name=st.sampled_from(NAMES), desired=st.integers(0, 9), after=st.sampled_from([1, 30, 5000]))
    def schedule(self, name: str, desired: int, after: int) -> None:
        start = self.bench.clock.now() + timedelta(seconds=after)
        self._try(
            "PutScheduledUpdateGroupAction",
            ScheduledActionName=name,
            StartTime=start,
            DesiredCapacity=desired,
        )

    @rule(name=st.sampled_from(NAMES), minimum=st.integers(0, 3), maximum=st.integers(0, 8))
    def schedule_again_and_again(self, name: str, minimum: int, maximum: int) -> None:
        self._try(
            "PutScheduledUpdateGroupAction",
            ScheduledActionName=name,
            Recurrence="*/10 * * * *",
            MinSize=minimum,
            MaxSize=maximum,
        )

    @rule(name=st.sampled_from(NAMES))
    def unschedule(self, name: str) -> None:
        self._try("DeleteScheduledAction", ScheduledActionName=name)

    @rule(wanted=st.booleans())
    def collect_metrics(self, *, wanted: bool) -> None:
        if wanted:
            self._try("EnableMetricsCollection", Granularity="1Minute")
        else:
            self._try("DisableMetricsCollection")

    @rule(seconds=st.sampled_from([0, 30, 300]))
    def warm_up_by_default(self, seconds: int) -> None:
        self._try("UpdateAutoScalingGroup", DefaultInstanceWarmup=seconds)

    @invariant()
    def alarms_are_those_of_the_policies(self) -> None:
        owned = {name for policy in self.bench.group().scaling.policies.values() for name, _ in policy.alarms}
        assert set(self.bench.metrics.alarms) == owned

    def be_told(self) -> None:
        """Of everything that there is to tell, from now on."""
        self._try("PutNotificationConfiguration", TopicARN=TOPIC_ARN, NotificationTypes=notifying.EVENTS)

    def every_end_is_told_once(self) -> None:
        ends = Counter(
            event
            for activity in self.bench.activities()
            if activity.ended_at is not None and (event := notifying.event_of(activity))
        )
        subjects = Counter(subject.split(" for group")[0] for subject, _ in self.bench.topics.sent[TOPIC_ARN])
        told = {
            notifying.LAUNCH: subjects["Auto Scaling: launch"],
            notifying.LAUNCH_ERROR: subjects["Auto Scaling: failed launch"],
            notifying.TERMINATE: subjects["Auto Scaling: termination"],
            notifying.TERMINATE_ERROR: subjects["Auto Scaling: failed termination"],
        }
        assert {event: count for event, count in told.items() if count} == dict(ends)

    def _try(self, operation: str, **parameters: Any) -> None:
        with suppress(ServiceError):
            self.bench.call(operation, AutoScalingGroupName="web", **parameters)
