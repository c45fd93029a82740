"""Composite alarms: their rules, their states, and the suppression of their actions."""

from __future__ import annotations

import json

import pytest

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.monitoring.alarms import rules
from tests.localcloud.monitoring.bench import Bench

TOPIC = "arn:aws:sns:us-east-1:123456789012:pages"


def set_to(bench: Bench, name: str, state: str) -> None:
    bench.call("SetAlarmState", AlarmName=name, StateValue=state, StateReason="test")
    bench.service.step()


@pytest.fixture
def pair(bench: Bench) -> Bench:
    """Alarms `a` and `b`, and `both` over them."""
    bench.alarm("a", TreatMissingData="ignore")
    bench.alarm("b", TreatMissingData="ignore")
    bench.call(
        "PutCompositeAlarm", AlarmName="both", AlarmRule='ALARM("a") AND ALARM(b)', AlarmActions=[TOPIC]
    )
    bench.service.step()
    return bench


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("TRUE", True),
        ("NOT TRUE", False),
        ("ALARM(a) OR FALSE", True),
        ("OK(a) or ALARM(b)", False),
        ("ALARM(a) AND OK(b) AND NOT INSUFFICIENT_DATA(b)", True),
        ("NOT (ALARM(a) AND ALARM(b)) AND TRUE", True),
        ("FALSE AND FALSE OR TRUE", True),
        ('ALARM("with \\"quotes\\" (and more)") OR FALSE', False),
    ],
)
def test_rules_hold_as_they_read(text: str, holds: bool) -> None:
    states = {"a": "ALARM", "b": "OK"}
    assert rules.parse(text).holds(lambda name, state: states.get(name) == state) is holds


@pytest.mark.parametrize(
    "text",
    ["", "ALARM", "ALARM()", "ALARM(a", "a", "ALARM(a) ALARM(b)", "NOT", "(TRUE", "TRUE)", "ALARM(a) AND"],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(rules.BadRule):
        rules.parse(text)
    with pytest.raises(rules.BadRule):
        rules.parse("(" * 2000 + text)


def test_a_composite_follows_its_children_and_names_the_one_that_moved(pair: Bench) -> None:
    assert pair.state_of("both") == "OK"
    set_to(pair, "a", "ALARM")
    assert pair.state_of("both") == "OK"
    set_to(pair, "b", "ALARM")
    shown = pair.described("both")
    assert shown["StateValue"] == "ALARM"
    assert shown["StateReason"] == (
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:b transitioned to ALARM at "
        "Friday 02 January, 2026 03:04:00 UTC"
    )
    assert len(pair.outlets.told) == 1
    assert json.loads(pair.outlets.told[0][2])["AlarmRule"] == 'ALARM("a") AND ALARM(b)'


def test_a_composite_that_is_set_by_hand_stays_until_a_child_moves(pair: Bench) -> None:
    set_to(pair, "both", "ALARM")
    pair.clock.advance(120)
    pair.service.step()
    assert pair.state_of("both") == "ALARM"
    set_to(pair, "a", "OK")
    assert pair.state_of("both") == "OK"


def test_composites_of_composites_settle_in_one_look(pair: Bench) -> None:
    pair.call("PutCompositeAlarm", AlarmName="above", AlarmRule="ALARM(both)")
    set_to(pair, "a", "ALARM")
    set_to(pair, "b", "ALARM")
    assert pair.state_of("above") == "ALARM"


def test_an_alarm_that_a_composite_needs_is_deleted_with_it_alone(pair: Bench) -> None:
    with pytest.raises(ServiceError, match="Cannot delete a as there are composite"):
        pair.call("DeleteAlarms", AlarmNames=["a"])
    pair.call("PutCompositeAlarm", AlarmName="further", AlarmRule="ALARM(a)")
    with pytest.raises(ServiceError, match="No more than one composite alarm"):
        pair.call("DeleteAlarms", AlarmNames=["both", "further", "a"])
    pair.call("DeleteAlarms", AlarmNames=["further"])
    pair.call("DeleteAlarms", AlarmNames=["both", "a", "b"])
    left = pair.call("DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert left["MetricAlarms"] == left["CompositeAlarms"] == []


def test_families_are_described(pair: Bench) -> None:
    children = pair.call("DescribeAlarms", ChildrenOfAlarmName="both")["MetricAlarms"]
    assert [child["AlarmName"] for child in children] == ["a", "b"]
    assert set(children[0]) == {"AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp"}
    parents = pair.call("DescribeAlarms", ParentsOfAlarmName="a")["CompositeAlarms"]
    assert [parent["AlarmName"] for parent in parents] == ["both"]
    with pytest.raises(ServiceError):
        pair.call("DescribeAlarms", ParentsOfAlarmName="a", StateValue="OK")


@pytest.mark.parametrize("rule", ["ALARM(nobody)", "ALARM(both)", "ALARM(above)", "ALARM(a) AND"])
def test_a_rule_about_nobody_or_itself_is_refused(pair: Bench, rule: str) -> None:
    pair.call("PutCompositeAlarm", AlarmName="above", AlarmRule="ALARM(both)")
    with pytest.raises(ServiceError) as caught:
        pair.call("PutCompositeAlarm", AlarmName="both", AlarmRule=rule)
    assert caught.value.code == "ValidationError"


def suppressed(bench: Bench) -> None:
    bench.alarm("quiet", TreatMissingData="ignore")
    bench.call(
        "PutCompositeAlarm",
        AlarmName="both",
        AlarmRule="ALARM(a) AND ALARM(b)",
        AlarmActions=[TOPIC],
        ActionsSuppressor="quiet",
        ActionsSuppressorWaitPeriod=60,
        ActionsSuppressorExtensionPeriod=30,
    )
    set_to(bench, "a", "ALARM")


def test_actions_wait_for_the_suppressor_and_are_taken_when_it_does_not_come(pair: Bench) -> None:
    suppressed(pair)
    set_to(pair, "b", "ALARM")
    assert pair.described("both")["ActionsSuppressedBy"] == "WaitPeriod"
    assert pair.outlets.told == []
    pair.clock.advance(61)
    pair.service.step()
    assert pair.described("both")["ActionsSuppressedBy"] is None
    assert len(pair.outlets.told) == 1


def test_actions_are_suppressed_while_the_suppressor_is_in_alarm_and_a_while_longer(pair: Bench) -> None:
    suppressed(pair)
    set_to(pair, "b", "ALARM")
    set_to(pair, "quiet", "ALARM")
    assert pair.described("both")["ActionsSuppressedBy"] == "Alarm"
    pair.clock.advance(600)
    pair.service.step()
    set_to(pair, "quiet", "OK")
    assert pair.described("both")["ActionsSuppressedBy"] == "ExtensionPeriod"
    assert pair.outlets.told == []
    pair.clock.advance(31)
    pair.service.step()
    assert len(pair.outlets.told) == 1


def test_an_alarm_that_ends_while_it_waits_is_never_told(pair: Bench) -> None:
    suppressed(pair)
    set_to(pair, "b", "ALARM")
    set_to(pair, "b", "OK")
    pair.clock.advance(61)
    pair.service.step()
    assert pair.outlets.told == []
    assert pair.state_of("both") == "OK"
