"""What Auto Scaling hears of an alarm: the newest datapoints, each time that it hears."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.localcloud.monitoring.bench import ACCOUNT, BEGINNING, REGION, Bench

POLICY = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:autoScalingGroupName/web:policyName/out"


def test_a_policy_that_hears_again_hears_what_is_measured_by_then(bench: Bench) -> None:
    bench.alarm(AlarmActions=[POLICY], EvaluationPeriods=2)
    bench.put(4.0, ago=120)
    for value in (5.0, 8.0):
        bench.put(value, ago=60)
        bench.service.step()
        bench.clock.advance(60)
    heard = [(signal.value, signal.values) for _, signal in bench.outlets.scaled]
    assert heard == [(5.0, (4.0, 5.0)), (8.0, (5.0, 8.0))]
    began = [signal.measured_at for _, signal in bench.outlets.scaled]
    assert began == [BEGINNING - timedelta(seconds=60), BEGINNING]


def test_a_client_that_sets_the_state_may_tell_the_datapoints(bench: Bench) -> None:
    bench.alarm(AlarmActions=[POLICY])
    for data in (None, {"recentDatapoints": [60.0, "x", 75]}, {"recentDatapoints": "x"}):
        bench.call("SetAlarmState", AlarmName="busy", StateValue="OK", StateReason="test")
        told = {} if data is None else {"StateReasonData": json.dumps(data)}
        bench.call("SetAlarmState", AlarmName="busy", StateValue="ALARM", StateReason="test", **told)
    heard = [(signal.value, signal.values) for _, signal in bench.outlets.scaled]
    assert heard == [(None, ()), (75.0, (60.0, 75.0)), (None, ())]


def test_a_policy_that_goes_is_no_action_any_more(bench: Bench) -> None:
    bench.alarm("only", AlarmActions=[POLICY])
    bench.alarm("both", AlarmActions=[POLICY, "arn:aws:sns:us-east-1:123456789012:told"], OKActions=[POLICY])
    metrics = bench.service.metrics(ACCOUNT, REGION)
    with bench.state.lock:
        metrics.forget_action(POLICY)
        assert metrics.alarms_naming(POLICY) == []
    assert bench.described("only")["AlarmActions"] == []
    assert bench.described("both")["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:told"]
    bench.alarm("only", AlarmActions=[POLICY])
    with bench.state.lock:
        metrics.forget_action(POLICY, with_alarms=True)
    assert [alarm["AlarmName"] for alarm in bench.call("DescribeAlarms")["MetricAlarms"]] == ["both"]
