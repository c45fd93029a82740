"""Groups of spot and on-demand instances on a real cloud, and launch configurations made from an instance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

Group = dict[str, Any]


@pytest.fixture
def name(cloud: RunningCloud) -> Iterator[str]:
    """Of a launch template and a group; what is left of them goes."""
    name = f"markets-{uuid4().hex[:8]}"
    ec2, groups = cloud.client("ec2"), cloud.client("autoscaling")
    image = ec2.describe_images(MaxResults=5)["Images"][0]["ImageId"]
    ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"}
    )
    yield name
    for kind in (name, f"{name}-copy"):
        if described(groups, kind):
            groups.delete_auto_scaling_group(AutoScalingGroupName=kind, ForceDelete=True)
    eventually(lambda: not described(groups, name) and not described(groups, f"{name}-copy"), within=90)
    ec2.delete_launch_template(LaunchTemplateName=name)
    for found in groups.describe_launch_configurations()["LaunchConfigurations"]:
        if found["LaunchConfigurationName"].startswith(name):
            groups.delete_launch_configuration(LaunchConfigurationName=found["LaunchConfigurationName"])


def described(groups: Any, name: str) -> list[Group]:
    return groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]


def in_service(groups: Any, name: str) -> set[str]:
    return {
        instance["InstanceId"]
        for group in described(groups, name)
        for instance in group["Instances"]
        if instance["LifecycleState"] == "InService"
    }


def markets(ec2: Any, ids: set[str]) -> Counter[str]:
    return Counter(
        instance.get("InstanceLifecycle", "on-demand")
        for reservation in ec2.describe_instances(InstanceIds=sorted(ids))["Reservations"]
        for instance in reservation["Instances"]
    )


def test_an_interrupted_spot_instance_is_replaced_before_it_goes(cloud: RunningCloud, name: str) -> None:
    ec2, groups = cloud.client("ec2"), cloud.client("autoscaling")
    groups.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateName": name},
                "Overrides": [
                    {
                        "InstanceRequirements": {
                            "VCpuCount": {"Min": 2, "Max": 2},
                            "MemoryMiB": {"Min": 4096, "Max": 8192},
                        }
                    }
                ],
            },
            "InstancesDistribution": {
                "OnDemandBaseCapacity": 1,
                "OnDemandPercentageAboveBaseCapacity": 0,
                "SpotAllocationStrategy": "price-capacity-optimized",
            },
        },
        MinSize=0,
        MaxSize=3,
        DesiredCapacity=3,
        AvailabilityZones=["us-east-1a", "us-east-1b", "us-east-1c"],
        CapacityRebalance=True,
    )
    first = eventually(lambda: full(in_service(groups, name), 3), within=90) or set()
    assert markets(ec2, first) == {"on-demand": 1, "spot": 2}
    lost = next(one for one in sorted(first) if markets(ec2, {one}) == {"spot": 1})
    begun = httpx.post(
        f"{cloud.endpoint}/_pavedroad/faults",
        json={"kind": "spot-interruption", "target": lost, "parameters": {"notice_seconds": 60}},
        auth=cloud.signed,
    )
    assert begun.status_code in (200, 201), begun.text
    after = eventually(lambda: full(in_service(groups, name) - {lost}, 3), within=90) or set()
    assert markets(ec2, after) == {"on-demand": 1, "spot": 2}
    activities = groups.describe_scaling_activities(AutoScalingGroupName=name)["Activities"]
    [end] = [one for one in activities if one["Description"].startswith(f"Terminating EC2 instance: {lost}")]
    assert end["Cause"].endswith("in response to an EC2 instance rebalance recommendation.")


def test_a_group_made_from_an_instance_launches_more_like_it(cloud: RunningCloud, name: str) -> None:
    ec2, groups = cloud.client("ec2"), cloud.client("autoscaling")
    groups.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name},
        MinSize=0,
        MaxSize=2,
        AvailabilityZones=["us-east-1a"],
    )
    answer = groups.launch_instances(AutoScalingGroupName=name, RequestedCapacity=1, ClientToken="t-1")
    [one] = answer["Instances"][0]["InstanceIds"]
    eventually(lambda: in_service(groups, name) == {one}, within=60)
    groups.create_auto_scaling_group(
        AutoScalingGroupName=f"{name}-copy",
        InstanceId=one,
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=["us-east-1b"],
    )
    [other] = eventually(lambda: full(in_service(groups, f"{name}-copy"), 1), within=60) or set()
    [made] = groups.describe_launch_configurations(LaunchConfigurationNames=[f"{name}-copy"])[
        "LaunchConfigurations"
    ]
    likes = [
        instance
        for reservation in ec2.describe_instances(InstanceIds=[one, other])["Reservations"]
        for instance in reservation["Instances"]
    ]
    assert {instance["ImageId"] for instance in likes} == {made["ImageId"]}
    assert {instance["InstanceType"] for instance in likes} == {"t3.micro"} == {made["InstanceType"]}


def full(found: set[str], count: int) -> set[str] | None:
    return found if len(found) == count else None
