"""Groups of real processes behind a real balancer, through boto3 alone."""

from __future__ import annotations

import base64
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

PORT = 8080
SERVE = f"#!/bin/sh\nexec python3 -m http.server {PORT} --bind $HOST\n"

pytestmark = pytest.mark.timeout(300)


class RealGroup:
    """A group `web` over all zones; its instances serve files on port 8080."""

    def __init__(self, cloud: RunningCloud, desired: int, **more: Any) -> None:
        self.ec2, self.groups = cloud.client("ec2"), cloud.client("autoscaling")
        self.balancing = cloud.client("elbv2")
        self.subnets = [subnet["SubnetId"] for subnet in self.ec2.describe_subnets()["Subnets"]]
        image = self.ec2.describe_images(MaxResults=5)["Images"][0]["ImageId"]
        self.ec2.create_launch_template(
            LaunchTemplateName="web",
            LaunchTemplateData={
                "ImageId": image,
                "InstanceType": "t3.micro",
                "UserData": base64.b64encode(SERVE.encode()).decode(),
            },
        )
        self.groups.create_auto_scaling_group(
            AutoScalingGroupName="web",
            LaunchTemplate={"LaunchTemplateName": "web"},
            MinSize=0,
            MaxSize=6,
            DesiredCapacity=desired,
            VPCZoneIdentifier=",".join(self.subnets),
            **more,
        )

    def instances(self) -> list[dict[str, Any]]:
        return self.groups.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]

    def in_service(self) -> set[str]:
        return {one["InstanceId"] for one in self.instances() if one["LifecycleState"] == "InService"}

    def states(self) -> dict[str, str]:
        """Of all instances that EC2 still knows."""
        return {
            instance["InstanceId"]: instance["State"]["Name"]
            for reservation in self.ec2.describe_instances()["Reservations"]
            for instance in reservation["Instances"]
        }

    def address(self, instance_id: str) -> str:
        found = self.ec2.describe_instances(InstanceIds=[instance_id])
        return found["Reservations"][0]["Instances"][0]["PrivateIpAddress"]

    def causes(self) -> list[str]:
        """Newest first."""
        activities = self.groups.describe_scaling_activities(IncludeDeletedGroups=True)["Activities"]
        return [activity["Cause"] for activity in activities]


def balanced(cloud: RunningCloud) -> tuple[str, str]:
    """A target group with a listener: its ARN, and the URL that works."""
    ec2, balancing = cloud.client("ec2"), cloud.client("elbv2")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
    arn: str = balancing.create_target_group(
        Name="web",
        Protocol="HTTP",
        Port=PORT,
        VpcId=ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
        HealthCheckPath="/",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        UnhealthyThresholdCount=2,
        HealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    balancing.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]
    )
    balancer = balancing.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]
    balancing.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=PORT,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    return arn, f"http://{balancer['DNSName']}:{PORT}/"


@pytest.mark.ordinary
def test_a_group_serves_heals_and_goes(fresh_cloud: RunningCloud) -> None:
    arn, url = balanced(fresh_cloud)
    group = RealGroup(fresh_cloud, 3, TargetGroupARNs=[arn], HealthCheckType="ELB", HealthCheckGracePeriod=5)

    def healthy() -> set[str]:
        described = group.balancing.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {one["Target"]["Id"] for one in described if one["TargetHealth"]["State"] == "healthy"}

    eventually(lambda: len(healthy()) == 3, within=90)
    assert len({one["AvailabilityZone"] for one in group.instances()}) == 3
    with urlopen(url, timeout=10) as answer:
        assert answer.status == 200

    first, *others = sorted(group.in_service())
    kill_whoever_listens(group.address(first))
    eventually(lambda: len(healthy() - {first}) == 3 and group.in_service() == healthy(), within=90)
    assert set(others) < group.in_service()
    assert any(
        cause.endswith("in response to an ELB system health check failure.") for cause in group.causes()
    )
    eventually(lambda: group.states().get(first, "terminated") == "terminated", within=60)

    group.groups.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    eventually(lambda: not group.groups.describe_auto_scaling_groups()["AutoScalingGroups"], within=60)
    eventually(lambda: set(group.states().values()) <= {"terminated"}, within=60)
    assert group.balancing.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"] == []


@pytest.mark.slow
def test_what_someone_terminates_is_replaced_and_a_restart_keeps_who_is_there(
    fresh_cloud: RunningCloud,
) -> None:
    group = RealGroup(fresh_cloud, 2)
    eventually(lambda: len(group.in_service()) == 2, within=60)
    lost = min(group.in_service())
    group.ec2.terminate_instances(InstanceIds=[lost])
    eventually(lambda: len(group.in_service() - {lost}) == 2, within=60)
    assert any("indicating it has been terminated or stopped." in cause for cause in group.causes())
    eventually(lambda: len(group.instances()) == 2, within=60)

    members, causes = group.in_service(), group.causes()
    fresh_cloud.stop()
    fresh_cloud.start()
    assert group.in_service() == members
    eventually(lambda: {group.states().get(one) for one in members} == {"running"}, within=60)
    assert (group.in_service(), group.causes()) == (members, causes)


def test_a_launch_that_ec2_refuses_is_told_as_failed(fresh_cloud: RunningCloud) -> None:
    group = RealGroup(fresh_cloud, 0)
    image = group.ec2.describe_launch_template_versions(LaunchTemplateName="web")["LaunchTemplateVersions"][0]
    group.ec2.deregister_image(ImageId=image["LaunchTemplateData"]["ImageId"])
    group.groups.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    failed = eventually(
        lambda: group.groups.describe_scaling_activities(AutoScalingGroupName="web")["Activities"]
    )[-1]
    assert failed["StatusCode"] == "Failed"
    assert failed["StatusMessage"].endswith("Launching EC2 instance failed.")
    assert image["LaunchTemplateData"]["ImageId"] in failed["StatusMessage"]


def kill_whoever_listens(address: str, port: int = PORT) -> None:
    """The one process on an instance's port, with -9."""
    [pid] = {
        connection.pid
        for connection in psutil.net_connections("tcp4")
        if connection.status == psutil.CONN_LISTEN and tuple(connection.laddr) == (address, port)
    }
    psutil.Process(pid).kill()
