"""Instances wait for the hooks of their group, on their way in and on their way out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pavedroad.localcloud.autoscaling.hooks.model import LAUNCHING, TERMINATING
from pavedroad.localcloud.autoscaling.model import Member
from tests.localcloud.autoscaling.bench import ARN, QUEUE_ARN, TOPIC_ARN, Bench

WEB: Any = {"AutoScalingGroupName": "web"}


def hook(bench: Bench, name: str = "ready", transition: str = LAUNCHING, **more: Any) -> None:
    bench.call("PutLifecycleHook", **WEB, LifecycleHookName=name, LifecycleTransition=transition, **more)


def complete(bench: Bench, member: Member, result: str = "CONTINUE", name: str = "ready") -> None:
    bench.call(
        "CompleteLifecycleAction",
        **WEB,
        LifecycleHookName=name,
        LifecycleActionResult=result,
        InstanceId=member.id,
    )
    bench.settle()


def hooked(bench: Bench, *, desired: int = 1, transition: str = LAUNCHING, **more: Any) -> None:
    bench.create(desired=0, TargetGroupARNs=[ARN])
    hook(bench, transition=transition, **more)
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=desired)
    bench.settle()


def test_an_instance_serves_only_once_its_hook_is_completed(bench: Bench) -> None:
    hooked(bench)
    [member] = bench.members(state="Pending:Wait")
    assert bench.group().capacity == 1
    assert bench.balancers.target_groups[ARN] == {}
    activity = bench.activities()[-1]
    assert (activity.status, activity.ended_at) == ("MidLifecycleAction", None)
    bench.call(
        "CompleteLifecycleAction",
        **WEB,
        LifecycleHookName="ready",
        LifecycleActionResult="CONTINUE",
        LifecycleActionToken=member.actions[0].token,
    )
    bench.service.step()
    assert member.state == "Pending:Proceed"
    assert bench.balancers.target_groups[ARN] == {}
    bench.settle()
    assert member.state == "InService"
    assert set(bench.balancers.target_groups[ARN]) == {member.id}
    assert activity.status == "Successful"


def test_an_instance_reads_where_it_is_going(bench: Bench) -> None:
    hooked(bench, transition=TERMINATING)
    [member] = bench.members()
    targets = bench.compute.target_states
    assert targets[member.id] == "InService"
    bench.call("EnterStandby", **WEB, InstanceIds=[member.id], ShouldDecrementDesiredCapacity=True)
    bench.service.step()
    assert targets[member.id] == "Standby"
    bench.settle()
    bench.call("ExitStandby", **WEB, InstanceIds=[member.id])
    bench.settle()
    assert targets[member.id] == "InService"
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=0)
    bench.settle()
    assert (member.state, targets[member.id]) == ("Terminating:Wait", "Terminated")


def test_all_hooks_of_a_transition_are_waited_for_at_once(bench: Bench) -> None:
    bench.create(desired=0)
    hook(bench, "one")
    hook(bench, "two")
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=1)
    bench.settle()
    [member] = bench.members(state="Pending:Wait")
    assert [action.hook_name for action in member.actions] == ["one", "two"]
    complete(bench, member, name="two")
    assert member.state == "Pending:Wait"
    complete(bench, member, name="one")
    assert member.state == "InService"


def test_an_abandoned_launch_is_terminated_told_and_tried_again(bench: Bench) -> None:
    hooked(bench)
    [first] = bench.members(state="Pending:Wait")
    token = first.actions[0].token
    complete(bench, first, "ABANDON")
    bench.pass_time(5)
    [second] = bench.members(state="Pending:Wait")
    assert second.id != first.id
    assert bench.compute.machines[first.id].state == "terminated"
    abandoned = bench.activities()[0]
    because = (
        "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "
        f"{token} was abandoned: Lifecycle Action Completed with ABANDON Result"
    )
    assert abandoned.status == "Cancelled"
    assert abandoned.status_message == because
    assert abandoned.description == f"Launching a new EC2 instance: {first.id}.  Status Reason: {because}"


@pytest.mark.parametrize(("result", "state"), [("CONTINUE", "InService"), ("ABANDON", "gone")])
def test_the_default_result_comes_when_no_heartbeat_does(bench: Bench, result: str, state: str) -> None:
    hooked(bench, HeartbeatTimeout=30, DefaultResult=result)
    [member] = bench.members(state="Pending:Wait")
    bench.pass_time(29)
    bench.call("RecordLifecycleActionHeartbeat", **WEB, LifecycleHookName="ready", InstanceId=member.id)
    bench.pass_time(29)
    assert member.state == "Pending:Wait"
    bench.pass_time(1)
    assert (member.state if member.id in bench.group().members else "gone") == state
    if result == "ABANDON":
        assert "was abandoned: Heartbeat Timeout" in (bench.activities()[0].status_message or "")


def test_heartbeats_put_off_the_end_for_a_hundred_times_the_timeout_at_most(bench: Bench) -> None:
    hooked(bench, HeartbeatTimeout=30, DefaultResult="CONTINUE")
    [member] = bench.members(state="Pending:Wait")
    beats = 0
    while member.state == "Pending:Wait":
        bench.call("RecordLifecycleActionHeartbeat", **WEB, LifecycleHookName="ready", InstanceId=member.id)
        bench.pass_time(25)
        beats += 1
    assert beats == 120
    [shown] = bench.call("DescribeLifecycleHooks", **WEB)["LifecycleHooks"]
    assert shown["GlobalTimeout"] == 3000
    hook(bench, HeartbeatTimeout=7200)
    [shown] = bench.call("DescribeLifecycleHooks", **WEB)["LifecycleHooks"]
    assert (shown["GlobalTimeout"], shown["DefaultResult"]) == (172_800, "CONTINUE")


def test_a_leaver_drains_then_waits_then_is_terminated(bench: Bench) -> None:
    bench.balancers.slow_to_drain = True
    hooked(bench, transition=TERMINATING)
    [member] = bench.members()
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=0)
    for _ in range(3):
        bench.service.step()
    assert member.state == "Terminating"
    assert bench.balancers.target_groups[ARN][member.id].state == "draining"
    bench.balancers.drained()
    bench.service.step()
    assert member.state == "Terminating:Wait"
    assert bench.compute.machines[member.id].state == "running"
    assert bench.group().capacity == 0
    complete(bench, member)
    assert bench.group().members == {}
    assert bench.compute.machines[member.id].state == "terminated"
    assert bench.activities()[-1].status == "Successful"


def test_abandoning_a_termination_ends_the_wait_for_the_other_hooks(bench: Bench) -> None:
    bench.create(desired=1)
    hook(bench, "one", TERMINATING)
    hook(bench, "two", TERMINATING)
    bench.settle()
    [member] = bench.members()
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=0)
    bench.settle()
    complete(bench, member, "ABANDON", "two")
    assert bench.group().members == {}


def test_what_is_abandoned_on_its_way_out_may_be_retained(bench: Bench) -> None:
    policy = {"RetentionTriggers": {"TerminateHookAbandon": "retain"}}
    bench.create(desired=1, InstanceLifecyclePolicy=policy)
    hook(bench, "bye", TERMINATING)
    bench.settle()
    [member] = bench.members()
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=0)
    bench.settle()
    complete(bench, member, "ABANDON", "bye")
    assert (member.state, bench.group().capacity) == ("Terminating:Retained", 0)
    assert bench.compute.machines[member.id].state == "running"
    assert "was abandoned" in (bench.activities()[-1].status_message or "")
    bench.call(
        "TerminateInstanceInAutoScalingGroup", InstanceId=member.id, ShouldDecrementDesiredCapacity=False
    )
    bench.settle()
    assert bench.group().members == {}


def test_a_deleted_hook_is_waited_for_no_longer(bench: Bench) -> None:
    hooked(bench)
    [member] = bench.members(state="Pending:Wait")
    bench.call("DeleteLifecycleHook", **WEB, LifecycleHookName="ready")
    bench.settle()
    bench.pass_time(5)
    assert member.id not in bench.group().members, "a launch is abandoned"
    [other] = bench.members()
    hook(bench, "bye", TERMINATING)
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=0)
    bench.settle()
    assert other.state == "Terminating:Wait"
    bench.call("DeleteLifecycleHook", **WEB, LifecycleHookName="bye")
    bench.settle()
    assert bench.group().members == {}


def test_standby_and_detaching_pass_no_hook_but_coming_back_does(bench: Bench) -> None:
    hooked(bench, desired=2, transition=TERMINATING)
    hook(bench, "ready-again")
    one, two = bench.members()
    for operation, member in (("EnterStandby", one), ("DetachInstances", two)):
        bench.call(operation, **WEB, InstanceIds=[member.id], ShouldDecrementDesiredCapacity=True)
    bench.settle()
    assert one.state == "Standby"
    assert two.id not in bench.group().members
    bench.call("ExitStandby", **WEB, InstanceIds=[one.id])
    bench.settle()
    assert one.state == "Pending:Wait"
    complete(bench, one, name="ready-again")
    assert one.state == "InService"


def test_who_waits_to_serve_can_be_scaled_in_and_passes_the_hooks_of_its_end(bench: Bench) -> None:
    hooked(bench)
    hook(bench, "bye", TERMINATING)
    [member] = bench.members(state="Pending:Wait")
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=0)
    bench.settle()
    assert member.state == "Terminating:Wait"
    assert bench.activities()[0].status == "Cancelled"
    complete(bench, member, name="bye")
    assert bench.group().members == {}


def test_a_machine_that_ends_while_it_waits_to_serve_is_replaced(bench: Bench) -> None:
    hooked(bench)
    [member] = bench.members(state="Pending:Wait")
    bench.compute.crash(member.id, "killed")
    bench.settle()
    bench.pass_time(5)
    [other] = bench.members(state="Pending:Wait")
    assert other.id != member.id


def test_a_forced_deletion_waits_for_no_hook(bench: Bench) -> None:
    hooked(bench, desired=2, transition=TERMINATING)
    one, _ = bench.members()
    bench.call("SetDesiredCapacity", **WEB, DesiredCapacity=1)
    bench.settle()
    assert [member.state for member in bench.group().members.values()].count("Terminating:Wait") == 1
    bench.call("DeleteAutoScalingGroup", **WEB, ForceDelete=True)
    bench.settle()
    assert not bench.exists()
    assert bench.compute.machines[one.id].state == "terminated"


@pytest.mark.parametrize("target", [TOPIC_ARN, QUEUE_ARN])
def test_the_target_is_told_who_waits_for_what_with_a_token(bench: Bench, target: str) -> None:
    hooked(
        bench,
        NotificationTargetARN=target,
        RoleARN="arn:aws:iam::123456789012:role/hooks",
        NotificationMetadata="more",
    )
    [member] = bench.members(state="Pending:Wait")
    if target == TOPIC_ARN:
        subjects, texts = zip(*bench.topics.sent[TOPIC_ARN], strict=True)
        assert subjects == (
            'Auto Scaling: test notification for group "web"',
            f"Auto Scaling:  Lifecycle action 'LAUNCHING' for instance {member.id} in progress.",
        )
    else:
        texts = tuple(bench.queues.sent[QUEUE_ARN])
    test, told = (json.loads(text) for text in texts)
    assert test["Event"] == "autoscaling:TEST_NOTIFICATION"
    assert test["AutoScalingGroupARN"] == bench.group().arn
    del told["RequestId"]
    assert told == {
        "AccountId": "123456789012",
        "AutoScalingGroupName": "web",
        "Destination": "AutoScalingGroup",
        "EC2InstanceId": member.id,
        "LifecycleActionToken": member.actions[0].token,
        "LifecycleHookName": "ready",
        "LifecycleTransition": LAUNCHING,
        "NotificationMetadata": "more",
        "Origin": "EC2",
        "Service": "AWS Auto Scaling",
        "Time": "2026-01-02T03:04:05.000Z",
    }


def test_a_group_may_be_created_with_its_hooks(bench: Bench) -> None:
    bench.create(
        desired=1,
        LifecycleHookSpecificationList=[
            {
                "LifecycleHookName": "ready",
                "LifecycleTransition": LAUNCHING,
                "HeartbeatTimeout": 60,
                "NotificationTargetARN": QUEUE_ARN,
                "RoleARN": "arn:aws:iam::123456789012:role/hooks",
            }
        ],
    )
    bench.settle()
    assert len(bench.members(state="Pending:Wait")) == 1
    assert len(bench.queues.sent[QUEUE_ARN]) == 2
