"""Instances, activities, tags and processes as boto3 calls for them and reads them, over HTTP."""

from __future__ import annotations

from typing import Any

from tests.localcloud.autoscaling.bench import Bench
from tests.localcloud.autoscaling.calls import create, described, refusal


def test_instances_are_described_a_page_at_a_time_or_left_out(client: Any, bench: Bench) -> None:
    create(client)
    bench.settle()
    first = client.describe_auto_scaling_instances(MaxRecords=2)
    rest = client.describe_auto_scaling_instances(MaxRecords=2, NextToken=first["NextToken"])
    instances = first["AutoScalingInstances"] + rest["AutoScalingInstances"]
    assert {instance["InstanceId"] for instance in instances} == set(bench.group().members)
    assert instances[0]["HealthStatus"] == "HEALTHY"
    assert instances[0]["AutoScalingGroupName"] == "web"
    assert client.describe_auto_scaling_instances(InstanceIds=["i-none"])["AutoScalingInstances"] == []
    bare = client.describe_auto_scaling_groups(IncludeInstances=False)["AutoScalingGroups"][0]
    assert bare["Instances"] == []


def test_activities_come_newest_first_a_page_at_a_time(client: Any, bench: Bench) -> None:
    create(client)
    bench.settle()
    bench.clock.advance(10)
    client.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
    bench.settle()
    first = client.describe_scaling_activities(AutoScalingGroupName="web", MaxRecords=3)
    rest = client.describe_scaling_activities(
        AutoScalingGroupName="web", MaxRecords=3, NextToken=first["NextToken"]
    )
    activities = first["Activities"] + rest["Activities"]
    assert [activity["ActivityId"] for activity in activities] == [
        activity.id for activity in reversed(bench.activities())
    ]
    newest = activities[0]
    assert newest["StartTime"] == newest["EndTime"] == bench.clock.now()
    assert (newest["StatusCode"], newest["Progress"]) == ("Successful", 100)
    assert newest["AutoScalingGroupState"] == "InService"
    by_id = client.describe_scaling_activities(ActivityIds=[newest["ActivityId"]])["Activities"]
    assert by_id == [newest]
    assert refusal(client.describe_scaling_activities, AutoScalingGroupName="none")[0] == "ValidationError"


def test_tags_are_set_replaced_found_and_deleted(client: Any) -> None:
    create(client)
    mine: Any = {"ResourceId": "web", "ResourceType": "auto-scaling-group", "Key": "team"}
    client.create_or_update_tags(Tags=[{**mine, "Value": "road", "PropagateAtLaunch": True}])
    client.create_or_update_tags(Tags=[{**mine, "Value": "rail", "PropagateAtLaunch": False}])
    by_value = [{"Name": "value", "Values": ["rail"]}]
    assert client.describe_tags(Filters=by_value)["Tags"] == [
        {**mine, "Value": "rail", "PropagateAtLaunch": False}
    ]
    assert client.describe_tags(Filters=[{"Name": "key", "Values": ["other"]}])["Tags"] == []
    client.delete_tags(Tags=[{**mine, "Value": "another"}])
    assert len(client.describe_tags()["Tags"]) == 1
    client.delete_tags(Tags=[mine])
    assert client.describe_tags()["Tags"] == []
    assert (
        refusal(client.create_or_update_tags, Tags=[{**mine, "ResourceId": "none"}])[0] == "ValidationError"
    )
    many = [{**mine, "Key": f"key-{number}", "Value": ""} for number in range(51)]
    assert refusal(client.create_or_update_tags, Tags=many)[0] == "LimitExceeded"


def test_processes_are_suspended_and_resumed_by_name_or_all(client: Any) -> None:
    create(client)
    client.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["Launch"])
    [suspended] = described(client)["SuspendedProcesses"]
    assert suspended == {
        "ProcessName": "Launch",
        "SuspensionReason": "User suspended at 2026-01-02T03:04:05Z",
    }
    client.suspend_processes(AutoScalingGroupName="web")
    every = {process["ProcessName"] for process in client.describe_scaling_process_types()["Processes"]}
    assert {process["ProcessName"] for process in described(client)["SuspendedProcesses"]} == every
    client.resume_processes(AutoScalingGroupName="web")
    assert described(client)["SuspendedProcesses"] == []
    assert refusal(client.suspend_processes, AutoScalingGroupName="web", ScalingProcesses=["Sleep"])[0] == (
        "ValidationError"
    )


def test_members_are_moved_in_and_out_as_their_states_allow(client: Any, bench: Bench) -> None:
    create(client)
    bench.settle()
    one, two, three = bench.group().members
    web: Any = {"AutoScalingGroupName": "web"}
    activities = client.enter_standby(**web, InstanceIds=[one], ShouldDecrementDesiredCapacity=True)
    assert activities["Activities"][0]["Description"] == f"Moving EC2 instance to Standby: {one}"
    bench.settle()
    assert refusal(client.enter_standby, **web, InstanceIds=[one], ShouldDecrementDesiredCapacity=False) == (
        "ValidationError",
        f"The instance {one} is not in InService.",
    )
    assert refusal(client.exit_standby, **web, InstanceIds=[two]) == (
        "ValidationError",
        f"The instance {two} is not in Standby.",
    )
    client.exit_standby(**web, InstanceIds=[one])
    bench.settle()
    assert refusal(client.attach_instances, **web, InstanceIds=[one])[0] == "ValidationError"
    assert refusal(client.attach_instances, **web, InstanceIds=["i-none"]) == (
        "ValidationError",
        "Invalid Instance ID(s): [i-none]",
    )
    client.detach_instances(**web, InstanceIds=[one, two], ShouldDecrementDesiredCapacity=True)
    bench.settle()
    too_many: Any = {**web, "InstanceIds": [three], "ShouldDecrementDesiredCapacity": True}
    assert refusal(client.detach_instances, **too_many)[1] == (
        "AutoScalingGroup web has min-size=1, max-size=5, and desired-size=1. To detach 1 instance, please "
        "update the AutoScalingGroup sizes appropriately."
    )
    assert refusal(client.set_instance_protection, **web, InstanceIds=[one], ProtectedFromScaleIn=True) == (
        "ValidationError",
        f"The instance {one} is not part of Auto Scaling group web.",
    )
    assert refusal(client.set_instance_health, InstanceId=one, HealthStatus="Unhealthy") == (
        "ValidationError",
        f"Instance Id not found - No managed instance found for instance ID {one}",
    )


def test_the_catalogues_are_those_of_aws(client: Any) -> None:
    limits = client.describe_account_limits()
    assert (limits["MaxNumberOfAutoScalingGroups"], limits["NumberOfAutoScalingGroups"]) == (500, 0)
    assert len(client.describe_adjustment_types()["AdjustmentTypes"]) == 3
    types = client.describe_auto_scaling_notification_types()["AutoScalingNotificationTypes"]
    assert "autoscaling:EC2_INSTANCE_LAUNCH_ERROR" in types
    assert "Default" in client.describe_termination_policy_types()["TerminationPolicyTypes"]
    assert client.describe_metric_collection_types()["Granularities"] == [{"Granularity": "1Minute"}]
