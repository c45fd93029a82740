"""Scheduled actions are done when they are due: once, in their time zone, over changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pavedroad.localcloud.autoscaling import cron
from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import create, refusal

NEW_YORK = "America/New_York"


def put(bench: Bench, name: str = "grow", **more: Any) -> None:
    bench.call("PutScheduledUpdateGroupAction", AutoScalingGroupName="web", ScheduledActionName=name, **more)


def names(bench: Bench) -> list[str]:
    found = bench.call("DescribeScheduledActions", AutoScalingGroupName="web")["ScheduledUpdateGroupActions"]
    return [action["ScheduledActionName"] for action in found]


def in_seconds(bench: Bench, seconds: float) -> datetime:
    return bench.clock.now() + timedelta(seconds=seconds)


def travel(bench: Bench, moment: datetime) -> None:
    bench.pass_time((moment - bench.clock.now()).total_seconds())


def test_an_action_is_done_at_its_time_and_forgotten(bench: Bench) -> None:
    bench.create(desired=1)
    bench.settle()
    put(bench, StartTime=in_seconds(bench, 60), MinSize=2, MaxSize=8, DesiredCapacity=4)
    bench.pass_time(59)
    assert (bench.group().desired, names(bench)) == (1, ["grow"])
    bench.pass_time(1)
    group = bench.group()
    assert (group.minimum, group.maximum, group.desired, len(bench.members())) == (2, 8, 4, 4)
    assert names(bench) == []
    assert bench.activities()[-1].cause.startswith(
        "At 2026-01-02T03:05:05Z a scheduled action update of AutoScalingGroup constraints to min: 2, max: "
        "8, desired: 4 changing the desired capacity from 1 to 4.  At "
    )


def test_new_bounds_alone_move_the_desired_capacity_with_them(bench: Bench) -> None:
    bench.create(desired=4)
    bench.settle()
    put(bench, StartTime=in_seconds(bench, 60), MaxSize=2)
    bench.pass_time(60)
    assert (bench.group().desired, len(bench.members())) == (2, 2)


def test_sizes_that_do_not_fit_when_it_is_due_are_told_as_a_failed_activity(bench: Bench) -> None:
    bench.create(desired=1, MaxSize=3)
    bench.settle()
    put(bench, StartTime=in_seconds(bench, 60), DesiredCapacity=9)
    bench.pass_time(60)
    assert bench.group().desired == 1
    failed = bench.activities()[-1]
    assert failed.status == "Failed"
    assert failed.status_message == (
        "Desired capacity:9 must be between the specified min size:0 and max size:3"
    )


def test_a_recurring_action_begins_at_its_start_and_ends_at_its_end(bench: Bench) -> None:
    bench.create(desired=0)
    start = datetime(2026, 1, 3, 12, 10, tzinfo=UTC)
    put(bench, StartTime=start, EndTime=start + timedelta(hours=2), Recurrence="0 * * * *", DesiredCapacity=1)
    done: list[str] = []
    for _ in range(6 * 14):
        travel(bench, bench.clock.now() + timedelta(minutes=10) if done else start)
        if bench.group().desired:
            done.append(f"{bench.clock.now():%H:%M}")
            bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=0)
            bench.settle()
        elif not done:
            done.append("never")
    assert done == ["12:10", "13:00", "14:00"]
    assert names(bench) == []


def test_the_description_tells_the_next_time(bench: Bench) -> None:
    bench.create(desired=0)
    put(bench, Recurrence="30 4 * * *", DesiredCapacity=0, TimeZone="Europe/Berlin")

    def next_time() -> datetime:
        [shown] = bench.call("DescribeScheduledActions")["ScheduledUpdateGroupActions"]
        assert shown["Time"] == shown["StartTime"]
        return shown["StartTime"]

    assert next_time() == datetime(2026, 1, 2, 3, 30, tzinfo=UTC)
    travel(bench, datetime(2026, 1, 2, 3, 30, tzinfo=UTC))
    assert next_time() == datetime(2026, 1, 3, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "since", "times"),
    [
        ("0 9 * * *", "2026-03-07", ["03-07 14:00", "03-08 13:00", "03-09 13:00"]),
        ("30 2 * * *", "2026-03-07", ["03-07 07:30", "03-08 07:00", "03-09 06:30"]),
        ("30 1 * * *", "2026-10-31", ["10-31 05:30", "11-01 05:30", "11-02 06:30"]),
        ("0 9 * * *", "2026-10-31", ["10-31 13:00", "11-01 14:00", "11-02 14:00"]),
    ],
    ids=["in spring", "a time that is skipped", "a time that is repeated", "in autumn"],
)
def test_local_times_are_kept_over_changes_of_the_clocks(
    bench: Bench, expression: str, since: str, times: list[str]
) -> None:
    bench.create(desired=0)
    travel(bench, datetime.fromisoformat(f"{since}T04:00:00+00:00"))
    put(bench, Recurrence=expression, TimeZone=NEW_YORK, DesiredCapacity=1)
    done: list[str] = []
    for _ in range(3 * 48):
        bench.pass_time(1800)
        if bench.group().desired:
            done.append(f"{bench.clock.now():%m-%d %H:%M}")
            bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=0)
            bench.settle()
    assert done == times


def test_every_half_hour_is_every_half_hour_whatever_the_clocks_show() -> None:
    moment = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
    for _ in range(8):
        due = cron.next_after("*/30 * * * *", NEW_YORK, moment)
        assert due - moment == timedelta(minutes=30)
        moment = due


def test_what_was_missed_is_done_once_in_the_order_of_the_last_times(bench: Bench) -> None:
    bench.create(desired=0)
    put(bench, "morning", Recurrence="0 8 * * *", DesiredCapacity=5)
    put(bench, "evening", Recurrence="0 20 * * *", DesiredCapacity=1)
    bench.clock.advance(86_400 + 6 * 3600)  # Until the next day at nine: morning, evening, morning.
    bench.settle()
    assert bench.group().desired == 5
    told = [
        shown["StartTime"].hour
        for shown in bench.call("DescribeScheduledActions")["ScheduledUpdateGroupActions"]
    ]
    assert told == [20, 8]


def test_what_is_due_while_suspended_is_not_made_up_for(bench: Bench) -> None:
    bench.create(desired=0)
    put(bench, StartTime=in_seconds(bench, 60), DesiredCapacity=3)
    bench.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["ScheduledActions"])
    bench.pass_time(61)
    bench.call("ResumeProcesses", AutoScalingGroupName="web", ScalingProcesses=["ScheduledActions"])
    bench.pass_time(10)
    assert bench.group().desired == 0


def test_a_name_is_updated_and_keeps_its_arn(bench: Bench) -> None:
    bench.create(desired=0)
    put(bench, Recurrence="0 8 * * *", DesiredCapacity=5)
    arn = bench.group().scaling.schedule["grow"].arn
    put(bench, Recurrence="0 9 * * *", MinSize=1)
    action = bench.group().scaling.schedule["grow"]
    assert (action.arn, action.desired, action.minimum) == (arn, None, 1)


def test_two_actions_of_a_group_cannot_be_due_at_the_same_time(bench: Bench) -> None:
    bench.create(desired=0)
    put(bench, Recurrence="0 8 * * *", DesiredCapacity=5)
    with pytest.raises(ServiceError, match="AlreadyExists"):
        put(bench, "other", StartTime=datetime(2026, 1, 2, 8, tzinfo=UTC), DesiredCapacity=5)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"Recurrence": "0 8 * * *"}, "At least one of MinSize, MaxSize and DesiredCapacity"),
        ({"DesiredCapacity": 1}, "StartTime or Recurrence must be specified"),
        ({"DesiredCapacity": -1, "Recurrence": "0 8 * * *"}, "must not be negative"),
        ({"MinSize": 3, "MaxSize": 2, "Recurrence": "0 8 * * *"}, "Max bound, 2"),
        ({"MinSize": 3, "DesiredCapacity": 2, "Recurrence": "0 8 * * *"}, "Desired capacity:2"),
        ({"MaxSize": 3, "StartTime": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}, "start time is in the past"),
        ({"MaxSize": 3, "Recurrence": "0 8 * * *", "EndTime": datetime(2025, 1, 1, tzinfo=UTC)}, "end time"),
        ({"MaxSize": 3, "Recurrence": "0 8 * * *", "TimeZone": "Mars/Olympus"}, "time zone: Mars/Olympus"),
        ({"MaxSize": 3, "Recurrence": "0 8 * *"}, "recurrence string: 0 8 "),
    ],
)
def test_what_makes_no_sense_is_refused(bench: Bench, asked: dict[str, Any], complaint: str) -> None:
    bench.create(desired=0)
    with pytest.raises(ServiceError, match=complaint):
        put(bench, **asked)
    assert names(bench) == []


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "0",
        "@daily",
        "61 * * * *",
        "* * * * * *",
        "0 0 L * *",
        "0 0 31 2 *",
        "R * * * *",
        "? * * * *",
        "x\n",
    ],
)
def test_only_unix_cron_is_understood(expression: str) -> None:
    assert not cron.is_valid(expression)


@pytest.mark.parametrize(
    "expression", ["30 0 1 1,6,12 *", "*/5 8-18 * * MON-FRI", "0  9 * JAN sun", "0 0 29 2 *"]
)
def test_unix_cron_is_understood(expression: str) -> None:
    assert cron.is_valid(expression)


def test_batches_do_what_they_can_and_say_what_they_could_not(bench: Bench) -> None:
    bench.create(desired=0)
    answer = bench.call(
        "BatchPutScheduledUpdateGroupAction",
        AutoScalingGroupName="web",
        ScheduledUpdateGroupActions=[
            {"ScheduledActionName": "good", "Recurrence": "0 8 * * *", "MinSize": 1},
            {"ScheduledActionName": "bad", "Recurrence": "never", "MinSize": 1},
            {"ScheduledActionName": "same", "Recurrence": "0 8 * * *", "MinSize": 2},
        ],
    )
    failed = [
        (one["ScheduledActionName"], one["ErrorCode"]) for one in answer["FailedScheduledUpdateGroupActions"]
    ]
    assert failed == [("bad", "ValidationError"), ("same", "AlreadyExists")]
    assert names(bench) == ["good"]
    answer = bench.call(
        "BatchDeleteScheduledAction", AutoScalingGroupName="web", ScheduledActionNames=["none", "good"]
    )
    assert [one["ScheduledActionName"] for one in answer["FailedScheduledActions"]] == ["none"]
    assert names(bench) == []
    with pytest.raises(ServiceError, match="not found"):
        bench.call("DeleteScheduledAction", AutoScalingGroupName="web", ScheduledActionName="good")


def test_boto3_puts_pages_and_deletes_them(client: Any) -> None:
    create(client, DesiredCapacity=1)
    for hour in (3, 1, 2):
        client.put_scheduled_update_group_action(
            AutoScalingGroupName="web",
            ScheduledActionName=f"at-{hour}",
            StartTime=datetime(2030, 1, 1, hour, tzinfo=UTC),
            EndTime="2031-01-01T00:00:00Z",
            Recurrence="0 8 * * *",
            MinSize=1,
        )
    pages = client.get_paginator("describe_scheduled_actions").paginate(PaginationConfig={"PageSize": 2})
    found = [[one["ScheduledActionName"] for one in page["ScheduledUpdateGroupActions"]] for page in pages]
    assert found == [["at-1", "at-2"], ["at-3"]]
    between = client.describe_scheduled_actions(
        StartTime=datetime(2030, 1, 1, 2, tzinfo=UTC), EndTime=datetime(2030, 1, 1, 2, 30, tzinfo=UTC)
    )["ScheduledUpdateGroupActions"]
    assert [(one["ScheduledActionName"], one["MinSize"]) for one in between] == [("at-2", 1)]
    assert between[0]["StartTime"] == datetime(2030, 1, 1, 2, tzinfo=UTC)
    assert between[0]["ScheduledActionARN"].endswith(":autoScalingGroupName/web:scheduledActionName/at-2")
    assert "DesiredCapacity" not in between[0]
    assert refusal(
        client.put_scheduled_update_group_action,
        AutoScalingGroupName="web",
        ScheduledActionName="late",
        StartTime="2001-01-01T00:00:00",
        MinSize=1,
    ) == ("ValidationError", "Given start time is in the past")
    client.delete_scheduled_action(AutoScalingGroupName="web", ScheduledActionName="at-1")
    left = client.batch_delete_scheduled_action(
        AutoScalingGroupName="web", ScheduledActionNames=["at-2", "at-3"]
    )
    assert left["FailedScheduledActions"] == []
