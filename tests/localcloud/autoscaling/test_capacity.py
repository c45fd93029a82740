"""A group comes to its desired capacity, spread over its zones, and says why it did what it did."""

from __future__ import annotations

from typing import Any

import pytest

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.ports import LaunchData
from tests.localcloud.autoscaling.bench import ZONES, Bench

NO_ROOM = ServiceError(
    "InsufficientInstanceCapacity", "We currently do not have sufficient t3.micro capacity in us-east-1a."
)
NO_IMAGE = ServiceError("InvalidAMIID.NotFound", "The image id '[ami-1]' does not exist")


def test_a_new_group_launches_one_instance_in_each_zone(bench: Bench) -> None:
    bench.create(desired=3)
    bench.settle()
    assert bench.zones() == dict.fromkeys(ZONES, 1)
    assert len(bench.members(state="InService")) == 3


def test_an_instance_is_in_service_only_once_ec2_says_that_it_runs(bench: Bench) -> None:
    bench.create(desired=1)
    bench.service.step()
    bench.service.step()
    assert [member.state for member in bench.group().members.values()] == ["Pending"]
    [activity] = bench.activities()
    assert (activity.status, activity.progress, activity.ended_at) == ("PreInService", 30, None)
    bench.compute.run()
    bench.service.step()
    assert [member.state for member in bench.group().members.values()] == ["InService"]
    assert (activity.status, activity.progress, activity.ended_at) == ("Successful", 100, bench.clock.now())


def test_a_launch_says_why_in_the_words_of_aws(bench: Bench) -> None:
    group = bench.create(desired=3)
    bench.settle()
    instance = bench.members()[0]
    activity = bench.activities()[0]
    assert activity.description == f"Launching a new EC2 instance: {instance.id}"
    assert activity.cause == (
        "At 2026-01-02T03:04:05Z a user request created an AutoScalingGroup changing the desired capacity "
        "from 0 to 3.  At 2026-01-02T03:04:05Z an instance was started in response to a difference between "
        "desired and actual capacity, increasing the capacity from 0 to 3."
    )
    assert activity.details == '{"Subnet ID":"subnet-us-east-1a","Availability Zone":"us-east-1a"}'
    assert activity.group_arn == group.arn


def test_instances_carry_the_tags_of_template_and_group_and_of_aws(bench: Bench) -> None:
    bench.create(
        desired=1,
        Tags=[
            {"Key": "kept", "Value": "yes", "PropagateAtLaunch": True},
            {"Key": "not", "Value": "no", "PropagateAtLaunch": False},
        ],
    )
    bench.settle()
    assert bench.compute.tags[bench.members()[0].id] == {
        "from": "template",
        "kept": "yes",
        "aws:autoscaling:groupName": "web",
        "aws:ec2launchtemplate:id": "lt-web",
        "aws:ec2launchtemplate:version": "1",
    }


@pytest.mark.parametrize(("asked", "launched"), [("$Latest", "2"), ("$Default", "1"), ("", "1"), ("2", "2")])
def test_the_version_that_the_template_choice_stands_for_is_launched(
    bench: Bench, asked: str, launched: str
) -> None:
    bench.compute.templates["web"].append(LaunchData("ami-2", "t3.small"))
    choice = {"LaunchTemplateId": "lt-web"} | ({"Version": asked} if asked else {})
    bench.create(desired=1, LaunchTemplate=choice)
    bench.settle()
    member = bench.members()[0]
    assert member.template
    assert (member.template.version, member.image_id) == (launched, f"ami-{launched}")


def test_subnets_of_one_zone_are_used_evenly(bench: Bench) -> None:
    subnets = ["subnet-us-east-1a.1", "subnet-us-east-1a.2", "subnet-us-east-1b.1"]
    bench.create(desired=4, AvailabilityZones=[], VPCZoneIdentifier=", ".join(subnets))
    bench.settle()
    assert bench.group().zones == ("us-east-1a", "us-east-1b")
    used = sorted(member.subnet_id for member in bench.members())
    assert used == sorted([*subnets, "subnet-us-east-1b.1"])


def test_growing_and_shrinking_keep_the_zones_even(bench: Bench) -> None:
    bench.create(desired=2)
    bench.settle()
    for desired, counts in [(7, [2, 2, 3]), (4, [1, 1, 2]), (12, [4, 4, 4]), (1, [1]), (0, [])]:
        bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=desired)
        bench.settle()
        assert sorted(bench.zones().values()) == counts
    assert bench.compute.alive() == set()


def test_a_scale_in_says_who_was_selected(bench: Bench) -> None:
    bench.create(desired=2)
    bench.settle()
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=1)
    bench.settle()
    activity = bench.activities()[-1]
    gone = next(iter(set(bench.compute.machines) - bench.compute.alive()))
    assert activity.description == f"Terminating EC2 instance: {gone}"
    assert activity.cause == (
        "At 2026-01-02T03:04:05Z a user request explicitly set group desired capacity changing the desired "
        "capacity from 2 to 1.  At 2026-01-02T03:04:05Z an instance was taken out of service in response to "
        "a difference between desired and actual capacity, shrinking the capacity from 2 to 1.  "
        f"At 2026-01-02T03:04:05Z instance {gone} was selected for termination."
    )
    assert (activity.status, activity.progress) == ("Successful", 100)


def test_new_bounds_move_the_desired_capacity_with_them(bench: Bench) -> None:
    bench.create(desired=3)
    bench.settle()
    bench.call("UpdateAutoScalingGroup", AutoScalingGroupName="web", MinSize=5)
    bench.settle()
    assert bench.group().desired == len(bench.members()) == 5
    assert (
        "update of AutoScalingGroup constraints to min: 5, max: 20, desired: 5 changing the desired capacity"
        in (bench.activities()[-1].cause)
    )
    bench.call("UpdateAutoScalingGroup", AutoScalingGroupName="web", MinSize=0, MaxSize=2)
    bench.settle()
    assert bench.group().desired == len(bench.members()) == 2


def test_a_zone_that_refuses_leaves_its_share_to_the_others_until_it_launches_again(bench: Bench) -> None:
    bench.compute.refusals["us-east-1a"] = NO_ROOM
    bench.create(desired=4)
    bench.settle()
    assert bench.zones() == {"us-east-1b": 2, "us-east-1c": 2}
    failed = [activity for activity in bench.activities() if activity.status == "Failed"]
    assert [activity.status_message for activity in failed] == [
        "We currently do not have sufficient t3.micro capacity in us-east-1a. Launching EC2 instance failed."
    ]
    bench.compute.refusals.clear()
    bench.pass_time(60)
    assert sorted(bench.zones().values()) == [1, 1, 2]
    assert "an instance was launched to aid in balancing the group's zones." in "".join(
        activity.cause for activity in bench.activities()
    )


def test_a_zone_that_refuses_more_keeps_what_it_has(bench: Bench) -> None:
    bench.create(desired=3)
    bench.settle()
    bench.compute.refusals["us-east-1a"] = NO_ROOM
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=6)
    bench.settle()
    assert sorted(bench.zones().items()) in (
        [("us-east-1a", 1), ("us-east-1b", 2), ("us-east-1c", 3)],
        [("us-east-1a", 1), ("us-east-1b", 3), ("us-east-1c", 2)],
    )
    assert len(bench.compute.machines) == 6


def test_launches_that_are_refused_everywhere_are_tried_at_growing_intervals(bench: Bench) -> None:
    bench.compute.refusals["*"] = NO_IMAGE
    bench.create(desired=2)
    for _ in range(600):
        bench.pass_time(1)
    failed = bench.activities()
    assert {activity.status for activity in failed} == {"Failed"}
    assert failed[0].status_message == "The image id '[ami-1]' does not exist Launching EC2 instance failed."
    assert failed[0].description.startswith("Launching a new EC2 instance.  Status Reason: The image id")
    assert 8 <= len(failed) <= 14
    bench.compute.refusals.clear()
    bench.call("UpdateAutoScalingGroup", AutoScalingGroupName="web", MaxSize=3)
    bench.settle()
    assert len(bench.members()) == 2


def test_an_instance_that_ends_at_boot_is_told_and_not_launched_again_in_a_spin(bench: Bench) -> None:
    bench.create(desired=1)
    for _ in range(60):
        bench.service.step()
        for instance in bench.compute.alive():
            bench.compute.crash(instance, "Client.InstanceInitiatedShutdown: exited with status 3")
        bench.clock.advance(1)
    activities = bench.activities()
    assert activities[0].status == "Cancelled"
    assert activities[0].status_message == (
        "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "
        "Client.InstanceInitiatedShutdown: exited with status 3"
    )
    assert len(activities) <= 9


def test_protected_instances_stay_when_a_group_shrinks(bench: Bench) -> None:
    bench.create(desired=3, NewInstancesProtectedFromScaleIn=True)
    bench.settle()
    free = bench.members()[1].id
    bench.call(
        "SetInstanceProtection", AutoScalingGroupName="web", InstanceIds=[free], ProtectedFromScaleIn=False
    )
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=1)
    bench.settle()
    assert len(bench.members()) == 2
    assert free not in bench.group().members


@pytest.mark.parametrize(
    ("process", "desired", "left"), [("Launch", 5, 3), ("Terminate", 1, 3)], ids=["launch", "terminate"]
)
def test_a_suspended_process_holds_the_group_until_it_is_resumed(
    bench: Bench, process: str, desired: int, left: int
) -> None:
    bench.create(desired=3)
    bench.settle()
    bench.call("SuspendProcesses", AutoScalingGroupName="web", ScalingProcesses=[process])
    bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=desired)
    bench.settle()
    assert len(bench.members()) == left
    bench.call("ResumeProcesses", AutoScalingGroupName="web", ScalingProcesses=[process])
    bench.settle()
    assert len(bench.members()) == desired


def test_the_instances_of_another_subnet_are_replaced_where_the_group_has_moved(bench: Bench) -> None:
    bench.create(desired=3)
    bench.settle()
    bench.call(
        "UpdateAutoScalingGroup", AutoScalingGroupName="web", AvailabilityZones=["us-east-1b", "us-east-1c"]
    )
    bench.settle()
    assert sorted(bench.zones().items()) in (
        [("us-east-1b", 1), ("us-east-1c", 2)],
        [("us-east-1b", 2), ("us-east-1c", 1)],
    )


def test_a_forced_delete_ends_all_instances_and_keeps_the_activities(bench: Bench) -> None:
    bench.create(desired=3, NewInstancesProtectedFromScaleIn=True)
    bench.settle()
    bench.call("DeleteAutoScalingGroup", AutoScalingGroupName="web", ForceDelete=True)
    assert bench.group().deleting
    with pytest.raises(ServiceError, match="pending delete"):
        bench.call("SetDesiredCapacity", AutoScalingGroupName="web", DesiredCapacity=0)
    bench.settle()
    assert not bench.exists()
    assert bench.compute.alive() == set()
    kept = bench.call("DescribeScalingActivities", AutoScalingGroupName="web", IncludeDeletedGroups=True)
    assert len(kept["Activities"]) == 6
    assert {activity["AutoScalingGroupState"] for activity in kept["Activities"]} == {"Deleted"}
    with pytest.raises(ServiceError, match="not found"):
        bench.call("DescribeScalingActivities", AutoScalingGroupName="web")
    bench.pass_time(7 * 7 * 86_400)
    assert bench.activities() == []


def test_the_desired_capacity_waits_for_the_cooldown_only_when_asked_to(bench: Bench) -> None:
    bench.create(desired=1, DefaultCooldown=60)
    bench.service.step()
    busy: dict[str, Any] = {"AutoScalingGroupName": "web", "DesiredCapacity": 2, "HonorCooldown": True}
    with pytest.raises(ServiceError, match=r"Scaling activity .* is in progress"):
        bench.call("SetDesiredCapacity", **busy)
    bench.settle()
    with pytest.raises(ServiceError, match="ScalingActivityInProgress"):
        bench.call("SetDesiredCapacity", **busy)
    bench.clock.advance(61)
    bench.call("SetDesiredCapacity", **busy)
    bench.settle()
    assert len(bench.members()) == 2
