"""A zone that goes dark: what a group of a real cloud does about it."""

from __future__ import annotations

import base64
import uuid
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from benchmarks.zone_loss import measure
from pavedroad.clouds.faults import FaultClient
from tests.localcloud.host.machine import processes_of
from tests.localcloud.machines import IDLE, await_state, bare_image, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

REGION, ZONE = "us-west-2", "us-west-2a"

pytestmark = pytest.mark.timeout(400)


class IdleGroup:
    """Three instances that idle, in three zones."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.name = f"dark-{uuid.uuid4().hex[:8]}"
        self.ec2, self.groups = cloud.client("ec2", REGION), cloud.client("autoscaling", REGION)
        self.ec2.create_launch_template(
            LaunchTemplateName=self.name,
            LaunchTemplateData={
                "ImageId": bare_image(self.ec2),
                "InstanceType": "t3.micro",
                "UserData": base64.b64encode(IDLE.encode()).decode(),
            },
        )
        self.groups.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            LaunchTemplate={"LaunchTemplateName": self.name},
            MinSize=3,
            MaxSize=6,
            DesiredCapacity=3,
            AvailabilityZones=[f"{REGION}{letter}" for letter in "abc"],
        )

    def members(self) -> list[dict[str, Any]]:
        found = self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        return [it for group in found["AutoScalingGroups"] for it in group["Instances"]]

    def zones(self) -> Counter[str]:
        """Of those in service."""
        return Counter(it["AvailabilityZone"] for it in self.members() if it["LifecycleState"] == "InService")

    def delete(self) -> None:
        self.groups.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)
        eventually(lambda: not self.members(), within=60)


def test_a_group_heals_into_the_zones_that_are_left_and_spreads_again(cloud: RunningCloud) -> None:
    group = IdleGroup(cloud)
    with FaultClient(cloud.endpoint, key=cloud.key) as faults:
        eventually(lambda: len(group.zones()) == 3, within=60)
        [lost] = [it["InstanceId"] for it in group.members() if it["AvailabilityZone"] == ZONE]
        fault = faults.start("zone-down", ZONE)
        try:
            eventually(lambda: group.zones().total() == 3 and ZONE not in group.zones(), within=60)
            [dead] = group.ec2.describe_instances(InstanceIds=[lost])["Reservations"][0]["Instances"]
            assert dead["State"]["Name"] == "terminated"
            assert dead["StateReason"]["Code"] == "Server.InternalError"
            shown = group.ec2.describe_availability_zones(ZoneNames=[ZONE])["AvailabilityZones"]
            assert shown[0]["State"] == "unavailable"
            with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
                run(cloud, region=REGION, Placement={"AvailabilityZone": ZONE})
            elsewhere = run(cloud, region=REGION)
        finally:
            faults.end(fault["id"])
        eventually(lambda: sorted(group.zones().values()) == [1, 1, 1], within=60)
    group.ec2.terminate_instances(InstanceIds=elsewhere)
    group.delete()


@pytest.mark.slow
def test_only_what_was_in_flight_fails_when_a_zone_is_lost_under_load(
    fresh_cloud: RunningCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", fresh_cloud.key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fresh_cloud.key.secret_access_key)
    result = measure(fresh_cloud.endpoint, instances=6, connections=16)
    assert result.requests > 100
    assert result.failed <= 2 * result.connections, result
    assert result.longest_silence < 10, result
    assert (result.whole_after, result.spread_after) < (120, 120), result
    assert result.failed_on_return == 0, result


@pytest.mark.slow
def test_a_cloud_that_stops_leaves_nothing_and_goes_on_with_what_is_not_over(
    fresh_cloud: RunningCloud,
) -> None:
    [one] = run(fresh_cloud)
    await_state(fresh_cloud, one, "running")
    with FaultClient(fresh_cloud.endpoint, key=fresh_cloud.key) as faults:
        hung = faults.start("instance-hung", one)
        busy = faults.start("instance-cpu", one, percent=1)
        short = faults.start("capacity", ZONE, seconds=1)
        eventually(lambda: len(processes_of(fresh_cloud.home)) > 1)
    fresh_cloud.stop()
    assert not processes_of(fresh_cloud.home)
    fresh_cloud.start()
    with FaultClient(fresh_cloud.endpoint, key=fresh_cloud.key) as faults:
        assert {it["id"] for it in faults.all() if it["state"] == "active"} == {hung["id"], busy["id"]}
        assert faults.get(short["id"])["state"] == "ended"
        eventually(lambda: len(processes_of(fresh_cloud.home)) > 1)
        faults.end_all()
        eventually(lambda: len(processes_of(fresh_cloud.home)) == 1)
