"""Metric alarms on a bench: states, reasons, history, actions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.monitoring.bench import Bench

POLICY = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:autoScalingGroupName/web:policyName/out"
TOPIC = "arn:aws:sns:us-east-1:123456789012:pages"
STOP = "arn:aws:automate:us-east-1:ec2:stop"


def look(bench: Bench, seconds: float = 0) -> None:
    bench.clock.advance(seconds)
    bench.service.step()


def test_an_alarm_begins_with_insufficient_data_and_says_why(bench: Bench) -> None:
    bench.alarm()
    assert bench.described()["StateReason"] == "Unchecked: Initial alarm creation"
    look(bench)
    assert bench.state_of() == "INSUFFICIENT_DATA"


def test_a_datapoint_over_the_threshold_is_an_alarm_in_aws_words(bench: Bench) -> None:
    bench.alarm()
    bench.put(2.5, ago=60)
    look(bench)
    shown = bench.described()
    assert shown["StateValue"] == "ALARM"
    assert shown["StateReason"] == (
        "Threshold Crossed: 1 datapoint [2.5 (02/01/26 03:03:00)] was greater than the threshold (1.0)."
    )
    assert json.loads(shown["StateReasonData"]) == {
        "version": "1.0",
        "queryDate": "2026-01-02T03:04:00.000+0000",
        "startDate": "2026-01-02T03:03:00.000+0000",
        "statistic": "Average",
        "period": 60,
        "recentDatapoints": [2.5],
        "threshold": 1.0,
        "evaluatedDatapoints": [
            {"timestamp": "2026-01-02T03:03:00.000+0000", "sampleCount": 1.0, "value": 2.5}
        ],
    }


def test_m_out_of_n_is_said_so(bench: Bench) -> None:
    bench.alarm(EvaluationPeriods=3, DatapointsToAlarm=2)
    for minutes, value in ((3, 5.0), (2, 0.0), (1, 6.0)):
        bench.put(value, ago=60 * minutes)
    look(bench)
    assert bench.described()["StateReason"] == (
        "Threshold Crossed: 2 out of the last 3 datapoints [6.0 (02/01/26 03:03:00), "
        "5.0 (02/01/26 03:01:00)] were greater than the threshold (1.0) (minimum 2 datapoints for "
        "OK -> ALARM transition)."
    )


def test_missing_data_that_breaches_is_said_so(bench: Bench) -> None:
    bench.alarm(TreatMissingData="breaching")
    look(bench)
    assert bench.state_of() == "ALARM"
    assert bench.described()["StateReason"] == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[Breaching]."
    )


def test_an_alarm_comes_and_goes_with_its_metric(bench: Bench) -> None:
    bench.alarm(AlarmActions=[TOPIC], OKActions=[TOPIC])
    states: list[str] = []
    for value in (0.0, 3.0, 3.0, 0.5, None, None, None, None):
        if value is not None:
            bench.put(value)
        look(bench, 60)
        states.append(bench.state_of())
    assert states == ["OK", "ALARM", "ALARM", "OK", "OK", "OK", "INSUFFICIENT_DATA", "INSUFFICIENT_DATA"]
    assert [subject for _, subject, _ in bench.outlets.told] == [
        'OK: "busy" in US East (N. Virginia)',
        'ALARM: "busy" in US East (N. Virginia)',
        'OK: "busy" in US East (N. Virginia)',
    ]


def test_a_topic_is_told_in_awss_json(bench: Bench) -> None:
    bench.alarm(
        AlarmActions=[TOPIC], AlarmDescription="Too much", Dimensions=[{"Name": "Host", "Value": "a"}]
    )
    bench.put(9.0, ago=60, Dimensions=[{"Name": "Host", "Value": "a"}])
    look(bench)
    ((topic, _, text),) = bench.outlets.told
    told = json.loads(text)
    assert topic == TOPIC
    assert told["Trigger"] == {
        "MetricName": "Load",
        "Namespace": "Test",
        "StatisticType": "Statistic",
        "Statistic": "AVERAGE",
        "Unit": None,
        "Dimensions": [{"value": "a", "name": "Host"}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1.0,
        "TreatMissingData": "missing",
        "EvaluateLowSampleCountPercentile": "",
    }
    assert (told["NewStateValue"], told["OldStateValue"]) == ("ALARM", "INSUFFICIENT_DATA")
    assert told["StateChangeTime"] == "2026-01-02T03:04:00.000+0000"


def test_a_scaling_policy_hears_of_an_alarm_every_minute_while_it_lasts(bench: Bench) -> None:
    bench.alarm(AlarmActions=[POLICY])
    heard: list[int] = []
    for _ in range(4):
        bench.put(4.0, ago=60)
        look(bench)
        heard.append(len(bench.outlets.scaled))
        look(bench, 30)
        look(bench, 30)
    assert heard == [1, 2, 3, 4]
    arn, signal = bench.outlets.scaled[0]
    assert arn == POLICY
    assert (signal.state, signal.value, signal.threshold, signal.values) == ("ALARM", 4.0, 1.0, (4.0,))


def test_an_instance_is_stopped_by_its_own_metric(bench: Bench) -> None:
    of_instance = [{"Name": "InstanceId", "Value": "i-1"}]
    bench.alarm(AlarmActions=[STOP], Dimensions=of_instance)
    bench.put(4.0, ago=60, Dimensions=of_instance)
    look(bench)
    assert bench.outlets.acted == [("i-1", "stop")]


def test_actions_that_are_disabled_are_not_taken(bench: Bench) -> None:
    bench.alarm(AlarmActions=[TOPIC])
    bench.call("DisableAlarmActions", AlarmNames=["busy", "nobody"])
    bench.put(4.0, ago=60)
    look(bench)
    assert (bench.state_of(), bench.outlets.told) == ("ALARM", [])


def test_history_tells_configuration_states_and_actions(bench: Bench) -> None:
    bench.alarm(AlarmActions=[TOPIC, f"{TOPIC}-unknown"])
    bench.put(4.0, ago=60)
    look(bench)
    items = bench.history()
    assert [item["HistorySummary"] for item in items] == [
        'Alarm "busy" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        f"Successfully executed action {TOPIC}",
        f"Failed to execute action {TOPIC}-unknown",
    ]
    update = json.loads(items[1]["HistoryData"])
    assert update["oldState"]["stateValue"] == "INSUFFICIENT_DATA"
    assert update["newState"]["stateReasonData"]["recentDatapoints"] == [4.0]
    assert len(bench.history(kind="Action")) == 2


def test_a_state_that_is_set_by_hand_acts_and_lasts_until_the_next_judgement(bench: Bench) -> None:
    bench.alarm(AlarmActions=[TOPIC])
    bench.put(0.0, ago=60)
    look(bench)
    bench.call("SetAlarmState", AlarmName="busy", StateValue="ALARM", StateReason="testing")
    assert len(bench.outlets.told) == 1
    look(bench, 1)
    assert bench.state_of() == "ALARM"
    look(bench, 60)
    assert bench.state_of() == "OK"


def test_an_update_keeps_the_state_and_replaces_the_rest(bench: Bench) -> None:
    bench.alarm(AlarmDescription="old")
    bench.put(4.0, ago=60)
    look(bench)
    bench.alarm(Threshold=10.0)
    assert bench.state_of() == "ALARM"
    assert "AlarmDescription" not in bench.described()
    look(bench)
    assert bench.state_of() == "OK"


def test_alarms_of_ten_seconds_are_judged_every_ten_seconds(bench: Bench) -> None:
    bench.alarm(Period=10)
    bench.put(5.0, ago=10, StorageResolution=1)
    look(bench)
    assert bench.state_of() == "ALARM"
    bench.put(0.0, StorageResolution=1)
    look(bench, 10)
    assert bench.state_of() == "OK"


def test_few_samples_leave_a_percentile_alarm_alone_where_asked(bench: Bench) -> None:
    bench.alarm("p", Statistic=None, ExtendedStatistic="p90", EvaluateLowSampleCountPercentile="ignore")
    bench.put(9.0, ago=60)
    look(bench)
    assert bench.state_of("p") == "INSUFFICIENT_DATA"
    for _ in range(99):
        bench.put(9.0, ago=60)
    look(bench)
    assert bench.state_of("p") == "ALARM"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"Period": 45}, "Invalid period 45"),
        ({"Period": 60, "EvaluationPeriods": 2000}, "Metrics cannot be checked across more than a day"),
        ({"Threshold": None}, "Threshold must be specified"),
        ({"Statistic": None}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"ExtendedStatistic": "p99"}, "Exactly one of Statistic and ExtendedStatistic"),
        (
            {"Statistic": None, "ExtendedStatistic": "p101"},
            "The value p101 for parameter ExtendedStatistic is not supported",
        ),
        (
            {"TreatMissingData": "hope"},
            "for parameter TreatMissingData are breaching, notBreaching, ignore and missing",
        ),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm cannot be greater than EvaluationPeriods"),
        ({"AlarmActions": ["page me"]}, "Invalid arn syntax: page me"),
        ({"AlarmActions": [TOPIC.replace("us-east-1", "eu-west-1")]}, "Invalid region eu-west-1 specified"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "anomaly detection"),
    ],
)
def test_what_aws_refuses_is_refused_and_changes_nothing(
    bench: Bench, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ServiceError, match=said) as caught:
        bench.alarm(**more)
    extended = "for parameter ExtendedStatistic" in said
    assert caught.value.code == ("InvalidParameterValue" if extended else "ValidationError")
    assert bench.call("DescribeAlarms")["MetricAlarms"] == []


def test_alarms_are_found_by_what_they_are(bench: Bench) -> None:
    for name in ("a1", "a2", "b1"):
        bench.alarm(name, AlarmActions=[TOPIC] if name == "b1" else [])

    def names(**asked: Any) -> list[str]:
        return [alarm["AlarmName"] for alarm in bench.call("DescribeAlarms", **asked)["MetricAlarms"]]

    assert names(AlarmNamePrefix="a") == ["a1", "a2"]
    assert names(AlarmNames=["b1", "c"]) == ["b1"]
    assert names(ActionPrefix="arn:aws:sns") == ["b1"]
    assert names(StateValue="ALARM") == []
    assert names(AlarmTypes=["CompositeAlarm"]) == []
    first = bench.call("DescribeAlarms", MaxRecords=2)
    assert names(MaxRecords=2, NextToken=first["NextToken"]) == ["b1"]
    found = bench.call("DescribeAlarmsForMetric", Namespace="Test", MetricName="Load", Period=60)
    assert len(found["MetricAlarms"]) == 3
    assert bench.call("DescribeAlarmsForMetric", Namespace="Test", MetricName="Other")["MetricAlarms"] == []


def test_deleting_alarms_passes_over_names_of_none(bench: Bench) -> None:
    bench.alarm()
    bench.call("DeleteAlarms", AlarmNames=["busy", "nobody"])
    bench.call("DeleteAlarms", AlarmNames=["busy"])
    assert bench.call("DescribeAlarms")["MetricAlarms"] == []
    look(bench)


def test_a_topic_is_told_the_statistic_in_capitals(bench: Bench) -> None:
    bench.alarm(Statistic="SampleCount", Threshold=0.0, AlarmActions=[TOPIC])
    bench.put(1.0, ago=60)
    look(bench)
    assert json.loads(bench.outlets.told[0][2])["Trigger"]["Statistic"] == "SAMPLE_COUNT"


def test_alarms_have_tags(bench: Bench) -> None:
    bench.alarm(Tags=[{"Key": "team", "Value": "edge"}])
    arn = bench.described()["AlarmArn"]
    bench.call("TagResource", ResourceARN=arn, Tags=[{"Key": "tier", "Value": "1"}])
    bench.call("UntagResource", ResourceARN=arn, TagKeys=["team"])
    assert bench.call("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "tier", "Value": "1"}]
    with pytest.raises(ServiceError) as caught:
        bench.call("TagResource", ResourceARN=f"{arn}x", Tags=[])
    assert caught.value.code == "ResourceNotFoundException"


def test_auto_scaling_puts_finds_and_deletes_its_alarms_itself(bench: Bench) -> None:
    metrics = bench.service.metrics("123456789012", "us-east-1")
    bench.alarm()
    with bench.state.lock:
        arn = metrics.put_alarm(
            {
                "AlarmName": "TargetTracking-web",
                "Namespace": "Test",
                "MetricName": "Load",
                "Statistic": "Average",
                "Period": 60,
                "EvaluationPeriods": 3,
                "Threshold": 50.0,
                "ComparisonOperator": "GreaterThanThreshold",
                "AlarmActions": [POLICY],
            }
        )
        assert metrics.alarms_naming(POLICY) == [("TargetTracking-web", arn)]
        metrics.delete_alarms(["TargetTracking-web", "gone"])
        assert metrics.alarms_naming(POLICY) == []
