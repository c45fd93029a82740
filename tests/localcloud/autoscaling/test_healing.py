"""What is not well is replaced, target groups hold exactly who is in service, and leavers drain."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.errors import ServiceError
from tests.localcloud.autoscaling.bench import ARN, OTHER_ARN, Bench


def settled(bench: Bench, **more: Any) -> list[str]:
    bench.create(desired=3, TargetGroupARNs=[ARN], **more)
    bench.settle()
    return [member.id for member in bench.members()]


def test_an_instance_that_has_ended_is_terminated_and_replaced_in_its_zone(bench: Bench) -> None:
    first, *others = settled(bench, HealthCheckGracePeriod=300)
    bench.pass_time(100)
    bench.compute.crash(first, "killed by signal 9 (SIGKILL)")
    bench.settle()
    assert first not in bench.group().members
    assert set(others) < set(bench.group().members)
    assert len(bench.members()) == 3
    assert set(bench.zones().values()) == {1}
    ended, launched = bench.activities()[-2:]
    assert ended.cause == (
        "At 2026-01-02T03:05:45Z an instance was taken out of service in response to an EC2 health check "
        "indicating it has been terminated or stopped."
    )
    assert launched.cause == (
        "At 2026-01-02T03:05:45Z an instance was launched in response to an unhealthy instance needing to be "
        "replaced."
    )
    assert set(bench.balancers.target_groups[ARN]) == set(bench.group().members)


def test_a_target_that_fails_its_health_check_is_replaced_after_the_grace_period(bench: Bench) -> None:
    first, *_ = settled(bench, HealthCheckType="ELB", HealthCheckGracePeriod=30)
    bench.balancers.report(ARN, first, healthy=False)
    bench.pass_time(29)
    assert first in bench.group().members
    bench.pass_time(2)
    assert first not in bench.group().members
    assert "in response to an ELB system health check failure." in bench.activities()[-2].cause


def test_balancers_are_not_asked_by_a_group_with_ec2_health_checks(bench: Bench) -> None:
    first, *_ = settled(bench)
    bench.balancers.report(ARN, first, healthy=False)
    bench.pass_time(1000)
    assert first in bench.group().members


def test_a_failed_status_check_counts_after_the_grace_period(bench: Bench) -> None:
    first, *_ = settled(bench, HealthCheckGracePeriod=30)
    bench.compute.impair(first)
    bench.pass_time(10)
    assert first in bench.group().members
    bench.pass_time(21)
    assert first not in bench.group().members
    assert "in response to an EC2 instance status checks failure." in bench.activities()[-2].cause


def test_a_user_can_say_that_an_instance_is_unhealthy(bench: Bench) -> None:
    first, *_ = settled(bench, HealthCheckGracePeriod=30)
    bench.call("SetInstanceHealth", InstanceId=first, HealthStatus="Unhealthy")
    bench.settle()
    assert first in bench.group().members, "the grace period is respected"
    bench.call(
        "SetInstanceHealth", InstanceId=first, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
    )
    bench.settle()
    assert first not in bench.group().members
    assert "in response to a user health-check." in bench.activities()[-2].cause


@pytest.mark.parametrize("process", ["HealthCheck", "ReplaceUnhealthy", "Terminate"])
def test_nothing_is_replaced_while_the_process_is_suspended(bench: Bench, process: str) -> None:
    first, *_ = settled(bench)
    bench.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=[process])
    bench.compute.crash(first, "gone")
    bench.pass_time(600)
    assert first in bench.group().members
    assert bench.group().members[first].health == ("Healthy" if process == "HealthCheck" else "Unhealthy")
    bench.call("ResumeProcesses", AutoScalingGroupName="web", ScalingProcesses=[process])
    bench.settle()
    assert first not in bench.group().members
    assert len(bench.members()) == 3


def test_a_leaver_drains_before_it_is_terminated(bench: Bench) -> None:
    bench.balancers.slow_to_drain = bench.compute.slow_to_end = True
    settled(bench)
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=2)
    bench.service.step()
    bench.service.step()
    [leaver] = bench.members(state="Terminating")
    activity = bench.activities()[-1]
    assert activity.status == "WaitingForELBConnectionDraining"
    assert activity.description == (
        f"Terminating EC2 instance: {leaver.id} - Waiting For ELB Connection Draining."
    )
    assert bench.balancers.target_groups[ARN][leaver.id].state == "draining"
    assert bench.compute.machines[leaver.id].state == "running"
    bench.balancers.drained()
    bench.service.step()
    assert bench.compute.machines[leaver.id].state == "shutting-down"
    assert (activity.status, leaver.id in bench.group().members) == ("InProgress", True)
    assert activity.description == f"Terminating EC2 instance: {leaver.id}"
    bench.compute.finish()
    bench.service.step()
    assert leaver.id not in bench.group().members
    assert activity.status == "Successful"


def test_an_instance_that_has_ended_is_not_waited_for(bench: Bench) -> None:
    bench.balancers.slow_to_drain = True
    first, *_ = settled(bench)
    bench.compute.crash(first, "gone")
    bench.service.step()
    bench.service.step()
    assert first not in bench.group().members


def test_a_replacement_is_launched_while_the_ill_one_still_drains(bench: Bench) -> None:
    bench.balancers.slow_to_drain = True
    first, *_ = settled(bench, HealthCheckType="ELB")
    bench.balancers.report(ARN, first, healthy=False)
    bench.service.step()
    assert bench.group().members[first].state == "Terminating"
    assert len(bench.members(state="Pending")) == 1


def test_target_groups_are_kept_exact_whatever_others_do(bench: Bench) -> None:
    first, *_ = settled(bench)
    bench.balancers.register(ARN, "i-of-someone-else")
    bench.balancers.deregister(ARN, first)
    bench.settle()
    assert set(bench.balancers.target_groups[ARN]) == {*bench.group().members, "i-of-someone-else"}


def test_attaching_and_detaching_target_groups_moves_the_members(bench: Bench) -> None:
    ids = settled(bench)
    state = lambda: {  # noqa: E731
        entry["LoadBalancerTargetGroupARN"]: entry["State"]
        for entry in bench.call("DescribeLoadBalancerTargetGroups", AutoScalingGroupName="web")[
            "LoadBalancerTargetGroups"
        ]
    }
    bench.call("AttachLoadBalancerTargetGroups", AutoScalingGroupName="web", TargetGroupARNs=[OTHER_ARN])
    assert state() == {ARN: "Added", OTHER_ARN: "Adding"}
    bench.settle()
    assert set(bench.balancers.target_groups[OTHER_ARN]) == set(ids)
    bench.balancers.report(OTHER_ARN, ids[0], healthy=True)
    bench.settle()
    assert state() == {ARN: "Added", OTHER_ARN: "InService"}
    bench.balancers.slow_to_drain = True
    bench.call("DetachLoadBalancerTargetGroups", AutoScalingGroupName="web", TargetGroupARNs=[OTHER_ARN])
    bench.service.step()
    assert state() == {ARN: "Added", OTHER_ARN: "Removing"}
    bench.settle()
    assert state() == {ARN: "Added"}
    assert bench.balancers.target_groups[OTHER_ARN] == {}
    assert {member.id for member in bench.members()} == set(ids)


def test_what_is_launched_while_add_to_load_balancer_is_suspended_stays_out(bench: Bench) -> None:
    ids = settled(bench)
    bench.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=["AddToLoadBalancer"])
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=4)
    bench.settle()
    bench.call("ResumeProcesses", AutoScalingGroupName="web")
    bench.settle()
    assert len(bench.members()) == 4
    assert set(bench.balancers.target_groups[ARN]) == set(ids)


def test_a_target_group_that_was_deleted_does_not_stop_the_group(bench: Bench) -> None:
    settled(bench)
    del bench.balancers.target_groups[ARN]
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=1)
    bench.settle()
    assert len(bench.members()) == 1


def test_terminating_by_hand_keeps_or_lowers_the_desired_capacity(bench: Bench) -> None:
    first, second, _ = settled(bench, MinSize=2)
    answer = bench.call(
        "TerminateInstanceInAutoScalingGroup", InstanceId=first, ShouldDecrementDesiredCapacity=True
    )
    assert answer["Activity"]["Cause"] == (
        f"At 2026-01-02T03:04:05Z instance {first} was taken out of service in response to a user request, "
        "shrinking the capacity from 3 to 2."
    )
    bench.settle()
    assert bench.group().desired == len(bench.members()) == 2
    with pytest.raises(ServiceError, match="Currently, desiredSize equals minSize"):
        bench.call(
            "TerminateInstanceInAutoScalingGroup", InstanceId=second, ShouldDecrementDesiredCapacity=True
        )
    bench.call("TerminateInstanceInAutoScalingGroup", InstanceId=second, ShouldDecrementDesiredCapacity=False)
    bench.settle()
    assert len(bench.members()) == 2
    assert second not in bench.group().members
    assert second not in bench.compute.alive()


def test_a_detached_instance_drains_and_lives_on(bench: Bench) -> None:
    first, *_ = settled(bench)
    bench.call(
        "DetachInstances",
        AutoScalingGroupName="web",
        InstanceIds=[first],
        ShouldDecrementDesiredCapacity=True,
    )
    assert bench.group().members[first].state == "Detaching"
    bench.settle()
    assert first not in bench.group().members
    assert first in bench.compute.alive()
    assert first not in bench.balancers.target_groups[ARN]
    bench.call("AttachInstances", AutoScalingGroupName="web", InstanceIds=[first])
    bench.settle()
    assert first in {member.id for member in bench.members()}
    assert first in bench.balancers.target_groups[ARN]
    assert bench.group().desired == 3


def test_an_instance_in_standby_takes_no_traffic_and_does_not_count(bench: Bench) -> None:
    first, *_ = settled(bench)
    bench.call(
        "EnterStandby", AutoScalingGroupName="web", InstanceIds=[first], ShouldDecrementDesiredCapacity=True
    )
    bench.settle()
    assert [member.id for member in bench.members(state="Standby")] == [first]
    assert first not in bench.balancers.target_groups[ARN]
    assert bench.group().desired == len(bench.members()) == 2
    bench.call("ExitStandby", AutoScalingGroupName="web", InstanceIds=[first])
    bench.settle()
    assert bench.group().desired == len(bench.members()) == 3
    assert first in bench.balancers.target_groups[ARN]
