"""What Auto Scaling hears of an alarm: the newest datapoints, each time that it hears."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.localcloud.monitoring.bench import BEGINNING, Bench

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
