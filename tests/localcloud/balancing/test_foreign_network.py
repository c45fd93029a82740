"""A network as guides to AWS make it, in 10.0.0.0/16: its balancer answers for its instance."""

from __future__ import annotations

import ipaddress

import httpx
import pytest

from tests.localcloud.machines import await_state, image_of_command, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually


@pytest.mark.slow
def test_a_balancer_and_its_instance_in_a_network_of_ones_own_choice(cloud: RunningCloud) -> None:
    ec2, elb = cloud.client("ec2"), cloud.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for number, zone in ((1, "a"), (2, "b"))
    ]
    ids = [made["Subnet"]["SubnetId"] for made in subnets]
    image = image_of_command(cloud, 'exec python3 -m http.server --bind "$HOST" "$PORT"', port=8000)
    [one] = run(cloud, SubnetId=ids[0], **image)
    shown = await_state(cloud, one, "running")
    assert shown["PrivateIpAddress"] == "10.0.1.4"
    assert ipaddress.ip_address(shown["PrivateDnsName"]).is_loopback

    made = elb.create_load_balancer(Name="foreign", Subnets=ids)["LoadBalancers"][0]
    groups = {
        kind: elb.create_target_group(
            Name=f"foreign-{kind}",
            Protocol="HTTP",
            Port=8000,
            VpcId=vpc,
            TargetType=kind,
            HealthCheckIntervalSeconds=5,
        )["TargetGroups"][0]["TargetGroupArn"]
        for kind in ("instance", "ip")
    }
    elb.register_targets(TargetGroupArn=groups["instance"], Targets=[{"Id": one}])
    elb.register_targets(TargetGroupArn=groups["ip"], Targets=[{"Id": "10.0.1.4"}])
    for port, arn in zip((8101, 8102), groups.values(), strict=True):
        forward = [{"Type": "forward", "TargetGroupArn": arn}]
        elb.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=port, DefaultActions=forward
        )
        address = f"http://{made['DNSName']}:{port}/"
        eventually(lambda at=address: httpx.get(at).status_code == 200, within=60)

    elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    for arn in groups.values():
        elb.delete_target_group(TargetGroupArn=arn)
    ec2.terminate_instances(InstanceIds=[one])
