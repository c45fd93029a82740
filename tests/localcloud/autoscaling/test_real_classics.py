"""Groups of real processes behind a classic load balancer."""

from __future__ import annotations

import base64
from collections.abc import Generator

import pytest

from tests.localcloud.autoscaling.test_real_groups import kill_whoever_listens
from tests.localcloud.balancing.classic import PORT, SERVE, Classics, answers, refused
from tests.localcloud.machines import bare_image
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

_GROUP = {"AutoScalingGroupName": "behind-classic"}


@pytest.fixture
def classics(fresh_cloud: RunningCloud) -> Generator[Classics]:
    made = Classics(fresh_cloud)
    yield made
    made.close()


def test_a_group_is_kept_in_its_classic_load_balancers(classics: Classics) -> None:
    groups = classics.cloud.client("autoscaling")
    first, address = classics.make()
    second, other_address = classics.make()
    classics.ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={
            "ImageId": bare_image(classics.ec2),
            "InstanceType": "t3.micro",
            "UserData": base64.b64encode(SERVE.encode()).decode(),
        },
    )
    sizes = {"MinSize": 0, "MaxSize": 4, "DesiredCapacity": 2}
    asked = {**_GROUP, "LaunchTemplate": {"LaunchTemplateName": "web"}, **sizes}
    unknown = {**asked, "AvailabilityZones": classics.zones, "LoadBalancerNames": ["none"]}
    assert refused(groups.create_auto_scaling_group, **unknown) == "ValidationError"
    groups.create_auto_scaling_group(
        **asked,
        AvailabilityZones=classics.zones,
        LoadBalancerNames=[first],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=5,
    )

    def members() -> set[str]:
        [group] = groups.describe_auto_scaling_groups()["AutoScalingGroups"]
        return {it["InstanceId"] for it in group["Instances"] if it["LifecycleState"] == "InService"}

    def attached() -> dict[str, str]:
        found = groups.describe_load_balancers(**_GROUP)["LoadBalancers"]
        return {it["LoadBalancerName"]: it["State"] for it in found}

    def serving(name: str) -> set[str]:
        return {it for it, (state, _) in classics.states(name).items() if state == "InService"}

    eventually(lambda: len(serving(first)) == 2 and attached() == {first: "InService"}, within=90)
    assert answers(address) == serving(first) == members()

    groups.attach_load_balancers(**_GROUP, LoadBalancerNames=[second])
    sources = groups.describe_traffic_sources(**_GROUP)["TrafficSources"]
    assert {(it["Identifier"], it["Type"]) for it in sources} == {(first, "elb"), (second, "elb")}
    eventually(lambda: serving(second) == members(), within=90)
    assert answers(other_address) == members()

    lost = min(members())
    found = classics.ec2.describe_instances(InstanceIds=[lost])["Reservations"][0]["Instances"][0]
    kill_whoever_listens(found["PrivateIpAddress"], PORT)
    eventually(lambda: len(members() - {lost}) == 2 and serving(first) == members(), within=90)

    groups.detach_load_balancers(**_GROUP, LoadBalancerNames=[first])
    eventually(lambda: attached() == {second: "InService"}, within=60)
    assert classics.states(first) == {}
    groups.delete_auto_scaling_group(**_GROUP, ForceDelete=True)
    eventually(lambda: classics.states(second) == {}, within=90)
