"""Warm pools: prepared beside the group, drawn from when it grows, returned to when it shrinks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pavedroad.localcloud.autoscaling.hooks.model import LAUNCHING, TERMINATING
from pavedroad.localcloud.autoscaling.model import FORM, Member
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import LaunchData
from tests.localcloud.autoscaling.bench import ARN, QUEUE_ARN, Bench

WEB: Any = {"AutoScalingGroupName": "web"}


def pooled(bench: Bench, desired: int = 1, maximum: int = 4, **pool: Any) -> None:
    bench.create(desired=desired, MaxSize=maximum, TargetGroupARNs=[ARN])
    bench.settle()
    bench.call("PutWarmPool", **WEB, **pool)
    bench.settle()


def warmed(bench: Bench) -> list[Member]:
    return [member for member in bench.group().members.values() if member.is_warmed]


def states(bench: Bench) -> list[str]:
    return sorted(member.state for member in bench.group().members.values())


def resize(bench: Bench, desired: int) -> None:
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=desired)
    bench.settle()


@pytest.mark.parametrize(
    ("pool", "size"),
    [
        ({}, 3),
        ({"MinSize": 2, "MaxGroupPreparedCapacity": 2}, 2),
        ({"MaxGroupPreparedCapacity": 3}, 2),
        ({"MaxGroupPreparedCapacity": 1}, 0),
        ({"MinSize": 5}, 5),
    ],
)
def test_it_holds_what_its_settings_say(bench: Bench, pool: dict[str, int], size: int) -> None:
    pooled(bench, **pool)
    assert states(bench) == ["InService", *["Warmed:Stopped"] * size]
    assert [bench.compute.machines[member.id].state for member in warmed(bench)] == ["stopped"] * size
    assert len(bench.balancers.target_groups[ARN]) == 1
    assert (bench.group().capacity, bench.group().desired) == (1, 1)


def test_what_is_launched_into_it_is_told(bench: Bench) -> None:
    pooled(bench, MinSize=1, MaxGroupPreparedCapacity=1)
    [member] = warmed(bench)
    activity = bench.activities()[-1]
    assert activity.description == f"Launching a new EC2 instance into warm pool: {member.id}"
    assert activity.status == "Successful"


def test_a_growing_group_takes_prepared_instances_and_the_pool_fills_up_again(bench: Bench) -> None:
    pooled(bench, MinSize=2)
    before = {member.id for member in warmed(bench)}
    resize(bench, 3)
    serving = {member.id for member in bench.members()}
    assert len(serving & before) == 2
    assert len(warmed(bench)) == 2
    assert set(bench.balancers.target_groups[ARN]) == serving
    drawn = next(iter(serving & before))
    description = f"Launching a new EC2 instance from warm pool: {drawn}"
    [told] = [one for one in bench.activities() if one.description == description]
    assert told.cause.endswith("increasing the capacity from 1 to 3.")
    assert set(bench.zones().values()) == {1}


def test_what_the_pool_lacks_is_launched(bench: Bench) -> None:
    pooled(bench, maximum=6, MaxGroupPreparedCapacity=2)
    assert len(warmed(bench)) == 1
    resize(bench, 4)
    assert states(bench) == ["InService"] * 4


def test_a_pool_of_running_instances_hands_them_over_as_they_are(bench: Bench) -> None:
    pooled(bench, PoolState="Running")
    assert states(bench) == ["InService", *["Warmed:Running"] * 3]
    assert {bench.compute.machines[member.id].state for member in warmed(bench)} == {"running"}
    machines = set(bench.compute.machines)
    resize(bench, 2)
    assert states(bench) == ["InService", "InService", "Warmed:Running", "Warmed:Running"]
    assert set(bench.compute.machines) == machines


def test_a_shrinking_group_returns_its_instances_when_they_are_reused(bench: Bench) -> None:
    bench.balancers.slow_to_drain = bench.compute.slow_to_end = True
    pooled(bench, desired=3, InstanceReusePolicy={"ReuseOnScaleIn": True})
    ids = set(bench.group().members)
    resize(bench, 1)
    assert set(bench.group().members) == ids
    assert states(bench) == ["InService", *["Warmed:Stopped"] * 3]
    assert len(bench.balancers.target_groups[ARN]) == 1
    assert [one.description.split(":")[0] for one in bench.activities()[-2:]] == [
        "Returning EC2 instance to warm pool",
        "Returning EC2 instance to warm pool",
    ]
    resize(bench, 4)
    assert {member.id for member in bench.members()} == ids


def test_what_the_pool_has_no_room_for_is_terminated(bench: Bench) -> None:
    pooled(
        bench,
        desired=3,
        MinSize=1,
        MaxGroupPreparedCapacity=1,
        InstanceReusePolicy={"ReuseOnScaleIn": True},
    )
    [kept] = warmed(bench)
    resize(bench, 1)
    assert [member.id for member in warmed(bench)] == [kept.id]


def test_a_smaller_pool_gives_up_instances(bench: Bench) -> None:
    pooled(bench)
    bench.call("PutWarmPool", **WEB, MaxGroupPreparedCapacity=2)
    bench.settle()
    assert len(warmed(bench)) == 1
    bench.call("PutWarmPool", **WEB, MaxGroupPreparedCapacity=-1)
    bench.settle()
    assert len(warmed(bench)) == 3


def test_hooks_are_passed_into_the_pool_out_of_it_and_back(bench: Bench) -> None:
    bench.create(desired=0, MaxSize=1)
    for name, transition in (("in", LAUNCHING), ("out", TERMINATING)):
        bench.call(
            "PutLifecycleHook",
            **WEB,
            LifecycleHookName=name,
            LifecycleTransition=transition,
            NotificationTargetARN=QUEUE_ARN,
            RoleARN="arn:aws:iam::123456789012:role/hooks",
        )
    bench.call("PutWarmPool", **WEB, InstanceReusePolicy={"ReuseOnScaleIn": True})
    bench.settle()
    [member] = warmed(bench)
    complete(bench, member, "in", "Warmed:Pending:Wait")
    assert member.state == "Warmed:Stopped"
    resize(bench, 1)
    complete(bench, member, "in", "Pending:Wait")
    assert member.state == "InService"
    resize(bench, 0)
    complete(bench, member, "out", "Terminating:Wait")
    assert member.state == "Warmed:Stopped"
    bench.call("PutWarmPool", **WEB, MaxGroupPreparedCapacity=0)
    bench.settle()
    complete(bench, member, "out", "Warmed:Terminating:Wait")
    assert bench.group().members == {}
    told = [json.loads(text) for text in bench.queues.sent[QUEUE_ARN]]
    assert [(one["Origin"], one["Destination"]) for one in told if "Origin" in one] == [
        ("EC2", "WarmPool"),
        ("WarmPool", "AutoScalingGroup"),
        ("AutoScalingGroup", "WarmPool"),
        ("WarmPool", "EC2"),
    ]


@pytest.mark.parametrize("moment", ["pending", "stopped"])
def test_a_prepared_instance_that_ends_is_replaced(bench: Bench, moment: str) -> None:
    bench.create(desired=0, MaxSize=1)
    bench.call("PutWarmPool", **WEB)
    bench.service.step()
    if moment == "stopped":
        bench.settle()
    [member] = warmed(bench)
    bench.compute.crash(member.id, "killed")
    bench.settle()
    bench.pass_time(5)
    [other] = warmed(bench)
    assert other.id != member.id
    assert other.state == "Warmed:Stopped"


def test_one_that_cannot_be_started_is_told_and_another_is_launched(bench: Bench) -> None:
    pooled(bench, MinSize=1, MaxGroupPreparedCapacity=1)
    [member] = warmed(bench)
    bench.compute.refusals[member.zone] = ServiceError("InsufficientInstanceCapacity", "No room.")
    resize(bench, 2)
    assert member.state == "Warmed:Stopped"
    assert len(bench.members()) == 2
    assert any(one.status == "Failed" and member.id in one.description for one in bench.activities())


def test_what_rests_is_left_alone_while_health_checks_are_suspended(bench: Bench) -> None:
    pooled(bench)
    first, *_ = warmed(bench)
    bench.call("SuspendProcesses", **WEB, ScalingProcesses=["HealthCheck"])
    bench.compute.crash(first.id, "killed")
    bench.settle()
    assert first.state == "Warmed:Stopped"
    bench.call("ResumeProcesses", **WEB)
    bench.settle()
    assert first.id not in bench.group().members
    assert len(warmed(bench)) == 3


def test_it_is_neither_filled_nor_drawn_from_while_launches_are_suspended(bench: Bench) -> None:
    pooled(bench, MinSize=1, MaxGroupPreparedCapacity=1)
    bench.call("SuspendProcesses", **WEB, ScalingProcesses=["Launch"])
    bench.call("PutWarmPool", **WEB, MinSize=3, MaxGroupPreparedCapacity=3)
    resize(bench, 2)
    assert states(bench) == ["InService", "Warmed:Stopped"]
    bench.call("ResumeProcesses", **WEB)
    bench.settle()
    assert states(bench) == ["InService", "InService", *["Warmed:Stopped"] * 3]


def test_a_user_may_terminate_what_rests(bench: Bench) -> None:
    pooled(bench)
    first, *_ = warmed(bench)
    bench.call(
        "TerminateInstanceInAutoScalingGroup", InstanceId=first.id, ShouldDecrementDesiredCapacity=False
    )
    bench.settle()
    assert first.id not in bench.group().members
    assert (len(warmed(bench)), bench.group().desired) == (3, 1)
    [told] = [one for one in bench.activities() if one.description.startswith("Terminating")]
    assert told.description == f"Terminating EC2 instance from warm pool: {first.id}"


def test_all_that_is_kept_outlives_a_restart(bench: Bench) -> None:
    pooled(bench)
    bench.call("PutLifecycleHook", **WEB, LifecycleHookName="in", LifecycleTransition=LAUNCHING)
    bench.call("StartInstanceRefresh", **WEB, Preferences={"CheckpointPercentages": [50, 100]})
    bench.settle()
    [waiting] = bench.members(state="Pending:Wait")
    token = waiting.actions[0].token
    bench.service.load(FORM.decode(FORM.encode(bench.service.dump()), FORM.version))
    bench.call(
        "CompleteLifecycleAction",
        **WEB,
        LifecycleHookName="in",
        LifecycleActionResult="CONTINUE",
        LifecycleActionToken=token,
    )
    bench.call("DeleteLifecycleHook", **WEB, LifecycleHookName="in")
    bench.settle()
    assert bench.group().members[waiting.id].state == "InService"
    assert bench.group().refreshes[-1].status == "Successful"
    assert states(bench) == ["InService", *["Warmed:Stopped"] * 3]


def test_it_is_deleted_with_its_instances_when_forced(bench: Bench) -> None:
    pooled(bench)
    with pytest.raises(ServiceError, match="ResourceInUse"):
        bench.call("DeleteWarmPool", **WEB)
    bench.call("DeleteWarmPool", **WEB, ForceDelete=True)
    assert bench.call("DescribeWarmPool", **WEB)["WarmPoolConfiguration"]["Status"] == "PendingDelete"
    bench.settle()
    assert bench.group().warm_pool is None
    assert states(bench) == ["InService"]
    assert len(bench.compute.alive()) == 1


def test_a_group_goes_with_its_pool(bench: Bench) -> None:
    pooled(bench)
    resize(bench, 0)
    with pytest.raises(ServiceError, match="ResourceInUse"):
        bench.call("DeleteAutoScalingGroup", **WEB)
    bench.call("DeleteAutoScalingGroup", **WEB, ForceDelete=True)
    bench.settle()
    assert not bench.exists()
    assert {machine.state for machine in bench.compute.machines.values()} == {"terminated"}


def test_a_refresh_replaces_what_serves_and_then_the_pool(bench: Bench) -> None:
    bench.compute.templates["web"].append(LaunchData("ami-2", "t3.micro"))
    first = {"LaunchTemplateName": "web", "Version": "1"}
    bench.create(desired=2, MaxSize=4, LaunchTemplate=first)
    bench.call("PutWarmPool", **WEB)
    bench.settle()
    old = set(bench.group().members)
    bench.call(
        "StartInstanceRefresh",
        **WEB,
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "2"}},
    )
    with pytest.raises(ServiceError, match="InstanceRefreshInProgress"):
        bench.call("PutWarmPool", **WEB)
    [shown] = bench.call("DescribeInstanceRefreshes", **WEB)["InstanceRefreshes"]
    assert shown["ProgressDetails"] == {
        "LivePoolProgress": {"PercentageComplete": 0, "InstancesToUpdate": 2},
        "WarmPoolProgress": {"PercentageComplete": 0, "InstancesToUpdate": 2},
    }
    bench.settle()
    [shown] = bench.call("DescribeInstanceRefreshes", **WEB)["InstanceRefreshes"]
    assert (shown["Status"], shown["ProgressDetails"]["WarmPoolProgress"]["PercentageComplete"]) == (
        "Successful",
        100,
    )
    assert not old & set(bench.group().members)
    assert {member.image_id for member in bench.group().members.values()} == {"ami-2"}
    assert states(bench) == ["InService", "InService", "Warmed:Stopped", "Warmed:Stopped"]


def complete(bench: Bench, member: Member, hook: str, state: str) -> None:
    assert member.state == state
    bench.call(
        "CompleteLifecycleAction",
        **WEB,
        LifecycleHookName=hook,
        InstanceId=member.id,
        LifecycleActionResult="CONTINUE",
    )
    bench.settle()
