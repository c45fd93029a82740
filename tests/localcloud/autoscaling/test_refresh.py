"""Instance refreshes: who is replaced by what, how many at a time; pauses, failures and ways back."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.autoscaling.refresh.model import Refresh
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import LaunchData
from tests.localcloud.autoscaling.bench import Bench

WEB: Any = {"AutoScalingGroupName": "web"}
SECOND: Any = {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "2"}}


def grouped(bench: Bench, desired: int = 3, **more: Any) -> set[str]:
    bench.compute.templates["web"].append(LaunchData("ami-2", "t3.micro"))
    first = {"LaunchTemplateName": "web", "Version": "1"}
    bench.create(desired=desired, LaunchTemplate=first, **more)
    bench.settle()
    return set(bench.group().members)


def start(bench: Bench, desired: Any = SECOND, **preferences: Any) -> Refresh:
    bench.call("StartInstanceRefresh", **WEB, DesiredConfiguration=desired, Preferences=preferences)
    return bench.group().refreshes[-1]


def look(bench: Bench) -> None:
    """One look, and machines boot and end."""
    bench.service.step()
    bench.compute.run()
    bench.compute.finish()


def images(bench: Bench) -> list[str]:
    return sorted(member.image_id for member in bench.members())


def least_serving(bench: Bench, refresh: Refresh, steps: int = 200) -> tuple[int, int]:
    """The fewest that served and the most that were there, until the refresh has ended."""
    least = most = len(bench.members())
    for _ in range(steps):
        look(bench)
        least = min(least, len(bench.members()))
        most = max(most, bench.group().capacity)
        if not refresh.is_active:
            bench.settle()
            return least, most
    raise AssertionError(f"still {refresh.status}: {refresh.reason}")


@pytest.mark.parametrize(
    ("preferences", "desired", "least", "most"),
    [
        ({}, 3, 2, 3),
        ({}, 20, 18, 20),
        ({"MinHealthyPercentage": 100}, 3, 3, 4),
        ({"MinHealthyPercentage": 90, "MaxHealthyPercentage": 100}, 3, 3, 4),
        ({"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200}, 3, 3, 6),
        ({"MinHealthyPercentage": 90, "MaxHealthyPercentage": 110}, 10, 9, 11),
        ({"MinHealthyPercentage": 50}, 4, 2, 4),
        ({"MinHealthyPercentage": 0}, 4, 0, 4),
    ],
)
def test_the_healthy_percentages_are_kept(
    bench: Bench, preferences: dict[str, int], desired: int, least: int, most: int
) -> None:
    old = grouped(bench, desired)
    refresh = start(bench, **preferences)
    assert least_serving(bench, refresh) == (least, most)
    assert (refresh.status, refresh.percent) == ("Successful", 100)
    assert images(bench) == ["ami-2"] * desired
    assert not old & set(bench.group().members)
    counts = bench.zones().values()
    assert max(counts) - min(counts) <= 1
    assert bench.group().source == refresh.target


def test_it_is_told_by_the_activities(bench: Bench) -> None:
    grouped(bench, 1)
    least_serving(bench, start(bench, MinHealthyPercentage=100))
    causes = [activity.cause for activity in bench.activities()[-2:]]
    assert causes[0] == "At 2026-01-02T03:04:05Z an instance was launched in response to an instance refresh."
    assert causes[1].startswith(
        "At 2026-01-02T03:04:05Z an instance was taken out of service in response to an instance refresh.  "
    )


def test_the_next_is_replaced_only_when_the_last_is_warm(bench: Bench) -> None:
    grouped(bench, 3)
    refresh = start(bench, InstanceWarmup=60)
    bench.settle()
    assert images(bench) == ["ami-1", "ami-1", "ami-2"]
    [new] = [member.id for member in bench.members() if member.image_id == "ami-2"]
    assert refresh.reason == (
        f"Waiting for instances to warm up before continuing. For example: {new} is warming up."
    )
    assert (refresh.percent, refresh.live.remaining) == (0, 3)
    bench.pass_time(59)
    assert images(bench) == ["ami-1", "ami-1", "ami-2"]
    bench.pass_time(1)
    assert images(bench) == ["ami-1", "ami-2", "ami-2"]
    assert (refresh.percent, refresh.live.remaining) == (33, 2)


def test_the_groups_own_warmup_or_grace_period_is_the_default(bench: Bench) -> None:
    grouped(bench, 1, HealthCheckGracePeriod=40)
    assert start(bench).preferences.warmup_seconds == 40
    bench.call("CancelInstanceRefresh", **WEB)
    bench.settle()
    bench.call("UpdateAutoScalingGroup", **WEB, DefaultInstanceWarmup=7)
    assert start(bench).preferences.warmup_seconds == 7


def test_a_maintenance_policy_gives_the_percentages(bench: Bench) -> None:
    policy = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}
    grouped(bench, 4, InstanceMaintenancePolicy=policy)
    assert least_serving(bench, start(bench)) == (4, 6)


def test_checkpoints_pause_it(bench: Bench) -> None:
    grouped(bench, 4)
    refresh = start(bench, CheckpointPercentages=[10, 20, 50], CheckpointDelay=600, MinHealthyPercentage=0)
    bench.settle()
    assert images(bench).count("ami-2") == 1
    assert refresh.percent == 25
    assert refresh.reason == "Checkpoint 20% reached. Waiting 600 seconds before continuing."
    bench.pass_time(599)
    assert images(bench).count("ami-2") == 1
    bench.pass_time(1)
    assert (refresh.status, images(bench).count("ami-2")) == ("Successful", 2)


def test_what_matches_already_is_skipped(bench: Bench) -> None:
    grouped(bench, 2)
    least_serving(bench, start(bench))
    kept = set(bench.group().members)
    refresh = start(bench, SkipMatching=True)
    least_serving(bench, refresh)
    assert set(bench.group().members) == kept
    assert refresh.percent == 100
    least_serving(bench, start(bench))
    assert not kept & set(bench.group().members)


@pytest.mark.parametrize(
    ("choice", "status", "replaced"), [("Refresh", "Successful", 3), ("Ignore", "Successful", 2)]
)
def test_protected_instances_are_replaced_or_left(
    bench: Bench, choice: str, status: str, replaced: int
) -> None:
    first, *_ = sorted(grouped(bench, 3))
    bench.call("SetInstanceProtection", **WEB, InstanceIds=[first], ProtectedFromScaleIn=True)
    refresh = start(bench, ScaleInProtectedInstances=choice)
    least_serving(bench, refresh)
    assert (refresh.status, images(bench).count("ami-2")) == (status, replaced)


def test_protected_instances_are_waited_for_an_hour(bench: Bench) -> None:
    first, *_ = sorted(grouped(bench, 3))
    bench.call("SetInstanceProtection", **WEB, InstanceIds=[first], ProtectedFromScaleIn=True)
    refresh = start(bench)
    bench.settle()
    assert images(bench).count("ami-2") == 2
    assert refresh.reason == (
        f"Waiting for remaining instances to be available. For example: {first} is protected. "
        "Remove instance scale-in protection to continue."
    )
    bench.pass_time(3599)
    assert refresh.status == "InProgress"
    bench.pass_time(1)
    assert refresh.status == "Failed"
    assert refresh.reason.startswith("Timed out after an hour without progress.")
    assert bench.group().source != refresh.target


def test_protection_that_is_taken_away_lets_it_go_on(bench: Bench) -> None:
    first, *_ = sorted(grouped(bench, 2))
    bench.call("SetInstanceProtection", **WEB, InstanceIds=[first], ProtectedFromScaleIn=True)
    refresh = start(bench)
    bench.settle()
    bench.call("SetInstanceProtection", **WEB, InstanceIds=[first], ProtectedFromScaleIn=False)
    bench.settle()
    assert refresh.status == "Successful"


@pytest.mark.parametrize(
    ("choice", "status", "left"), [("Terminate", "Successful", 0), ("Ignore", "Successful", 1)]
)
def test_standby_instances_are_terminated_or_left(bench: Bench, choice: str, status: str, left: int) -> None:
    first, *_ = sorted(grouped(bench, 3))
    bench.call("EnterStandby", **WEB, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    bench.settle()
    refresh = start(bench, StandbyInstances=choice)
    least_serving(bench, refresh)
    assert refresh.status == status
    assert len(bench.members(state="Standby")) == left
    assert images(bench) == ["ami-2", "ami-2"]


def test_a_refresh_without_another_configuration_replaces_all_the_same(bench: Bench) -> None:
    old = grouped(bench, 2)
    bench.call("StartInstanceRefresh", **WEB)
    refresh = bench.group().refreshes[-1]
    least_serving(bench, refresh)
    assert refresh.status == "Successful"
    assert not old & set(bench.group().members)
    assert images(bench) == ["ami-1", "ami-1"]


def test_scale_out_launches_the_new_configuration_meanwhile(bench: Bench) -> None:
    grouped(bench, 2)
    start(bench, InstanceWarmup=600)
    bench.settle()
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=4)
    bench.settle()
    assert images(bench) == ["ami-1", "ami-2", "ami-2", "ami-2"]


def test_cancelling_keeps_what_is_replaced(bench: Bench) -> None:
    grouped(bench, 3)
    refresh = start(bench, InstanceWarmup=60)
    bench.service.step()
    bench.call("CancelInstanceRefresh", **WEB)
    assert refresh.status == "Cancelling"
    bench.settle()
    assert (refresh.status, refresh.reason) == ("Cancelled", "Cancelled due to user request.")
    assert images(bench) == ["ami-1", "ami-1", "ami-1"] or images(bench).count("ami-2") == 1
    assert bench.group().source != refresh.target
    with pytest.raises(ServiceError, match="ActiveInstanceRefreshNotFound"):
        bench.call("CancelInstanceRefresh", **WEB)


def test_a_rollback_replaces_what_was_replaced(bench: Bench) -> None:
    old = grouped(bench, 4)
    refresh = start(bench, InstanceWarmup=60, MinHealthyPercentage=50)
    bench.settle()
    bench.pass_time(60)
    assert (images(bench).count("ami-2"), refresh.percent) == (4, 50)
    bench.call("RollbackInstanceRefresh", **WEB)
    assert (refresh.status, refresh.percent) == ("RollbackInProgress", 50)
    for _ in range(4):
        bench.pass_time(60)
    assert (refresh.status, refresh.percent) == ("RollbackSuccessful", 0)
    assert images(bench) == ["ami-1"] * 4
    assert not old & set(bench.group().members)
    assert refresh.rollback is not None
    assert (refresh.rollback.percent, refresh.rollback.remaining) == (50, 2)


@pytest.mark.parametrize(("rolls_back", "status"), [(True, "RollbackSuccessful"), (False, "Failed")])
def test_instances_that_never_come_up_fail_it_after_an_hour(
    bench: Bench, rolls_back: bool, status: str
) -> None:
    grouped(bench, 3)
    refresh = start(bench, MinHealthyPercentage=100, AutoRollback=rolls_back)
    bench.compute.refusals["*"] = ServiceError("InvalidAMIID.NotFound", "No such image.")
    for _ in range(40):
        bench.pass_time(100)
    bench.compute.refusals.clear()
    bench.pass_time(400)
    assert refresh.status == status
    assert images(bench) == ["ami-1"] * 3


def test_bake_time_is_waited_for_at_the_end(bench: Bench) -> None:
    grouped(bench, 1)
    refresh = start(bench, BakeTime=120)
    bench.settle()
    assert (refresh.status, refresh.percent) == ("Baking", 100)
    assert bench.group().source != refresh.target
    bench.pass_time(120)
    assert refresh.status == "Successful"


@pytest.mark.parametrize(("rolls_back", "status"), [(True, "RollbackSuccessful"), (False, "Failed")])
def test_an_alarm_stops_it_and_may_turn_it_back(bench: Bench, rolls_back: bool, status: str) -> None:
    grouped(bench, 2)
    bench.metrics.states["errors"] = "OK"
    refresh = start(bench, BakeTime=120, AutoRollback=rolls_back, AlarmSpecification={"Alarms": ["errors"]})
    bench.settle()
    assert refresh.status == "Baking"
    bench.metrics.states["errors"] = "ALARM"
    bench.settle()
    assert refresh.status == status
    assert images(bench) == [f"ami-{1 if rolls_back else 2}"] * 2
    said = refresh.rollback.reason if refresh.rollback else refresh.reason
    assert said == "The CloudWatch alarm errors is in ALARM state."


def test_only_one_at_a_time_and_no_other_source_meanwhile(bench: Bench) -> None:
    grouped(bench, 2)
    start(bench, InstanceWarmup=60)
    with pytest.raises(ServiceError, match="InstanceRefreshInProgress"):
        start(bench)
    with pytest.raises(ServiceError, match="An active instance refresh with a desired configuration exists"):
        bench.call(
            "UpdateAutoScalingGroup", **WEB, LaunchTemplate={"LaunchTemplateName": "web", "Version": "1"}
        )
    bench.call("UpdateAutoScalingGroup", **WEB, MaxSize=9)


def test_suspended_it_rests_and_resumed_it_goes_on(bench: Bench) -> None:
    grouped(bench, 2)
    bench.call("SuspendProcesses", **WEB, ScalingProcesses=["InstanceRefresh"])
    refresh = start(bench)
    bench.settle()
    assert images(bench) == ["ami-1", "ami-1"]
    bench.call("ResumeProcesses", **WEB, ScalingProcesses=["InstanceRefresh"])
    bench.settle()
    assert refresh.status == "Successful"


def test_a_group_that_is_deleted_is_refreshed_no_longer(bench: Bench) -> None:
    grouped(bench, 2)
    refresh = start(bench, InstanceWarmup=60)
    bench.settle()
    bench.call("DeleteAutoScalingGroup", **WEB, ForceDelete=True)
    bench.settle()
    assert not bench.exists()
    assert refresh.status == "Cancelled"


def test_a_hook_of_the_launch_is_waited_for(bench: Bench) -> None:
    grouped(bench, 2)
    bench.call(
        "PutLifecycleHook",
        **WEB,
        LifecycleHookName="ready",
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
        HeartbeatTimeout=60,
        DefaultResult="CONTINUE",
    )
    refresh = start(bench, MinHealthyPercentage=100)
    bench.settle()
    [waiting] = bench.members(state="Pending:Wait")
    assert refresh.reason == (
        f"Waiting for remaining instances to be available. For example: {waiting.id} is waiting in "
        "Pending:Wait."
    )
    assert images(bench) == ["ami-1", "ami-1"]
    bench.pass_time(60)
    bench.pass_time(60)
    assert refresh.status == "Successful"


def test_ended_refreshes_are_forgotten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pavedroad.localcloud.autoscaling.operations.instance_refreshes._MOST", 3)
    grouped(bench, desired=1)
    for _ in range(5):
        start(bench)
        bench.call("CancelInstanceRefresh", **WEB)
        bench.settle()
    assert [it.number for it in bench.group().refreshes] == [3, 4, 5]
    bench.clock.advance(7 * 7 * 86400)
    start(bench)
    assert [it.number for it in bench.group().refreshes] == [6]
