"""Instances reach, and are reached by, exactly what their groups allow."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from urllib.error import URLError

import pytest

from pavedroad.core import capabilities
from pavedroad.localcloud.blocks import Block, recorded
from pavedroad.localcloud.host.network import commands
from pavedroad.localcloud.host.network.place import TABLES
from pavedroad.localcloud.host.nursery import linux
from tests.localcloud.machines import await_state, console
from tests.localcloud.network.reaching import (
    SERVED,
    Reaching,
    all_up,
    let_in,
    new_group,
    permission,
)
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

OTHER = SERVED + 1
NOTHING = {"nft": '{"nftables": []}'}


def block_of(cloud: RunningCloud) -> Block:
    block = recorded(cloud.home)
    assert block is not None
    return block


def left_of(cloud: RunningCloud, host: int | None = None) -> list[str]:
    """What a cloud has in the machine's network, or in that of its host: links, and its table."""
    number = block_of(cloud).number
    links = [it["ifname"] for it in json.loads(shown(host, "ip", "-j", "link"))]
    tables = json.loads(shown(host, "nft", "-j", "list", "tables", "inet"))["nftables"]
    named = [it["table"]["name"] for it in tables if "table" in it]
    return [it for it in links if it.startswith(f"pv{number}n")] + [
        it for it in named if it == f"{TABLES}{number}"
    ]


def routes_to(address: str, host: int | None = None) -> str:
    return shown(host, "ip", "route", "show", "table", "local", address)


def shown(host: int | None, *command: str) -> str:
    """By a command in the machine's network, or in that of a host."""
    if host is None and os.geteuid() != 0 and command[0] in NOTHING:
        return NOTHING[command[0]]  # what is not root's can have nothing there
    path = {"PATH": commands.search_path()}
    enter = (lambda: enter_network_of(host)) if host is not None else None
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=path, preexec_fn=enter
    ).stdout


def enter_network_of(host: int) -> None:
    if os.geteuid() != 0:
        capabilities.enter_users(os.open(f"/proc/{host}/ns/user", os.O_RDONLY))
    linux.enter_network(os.open(f"/proc/{host}/ns/net", os.O_RDONLY))
    if os.geteuid() != 0:
        capabilities.hand_on()


@pytest.mark.ordinary
def test_rules_hold_from_the_first_moment_and_follow_every_change(walled: RunningCloud) -> None:
    ec2 = walled.client("ec2")
    web, db = new_group(walled, "rules-web"), new_group(walled, "rules-db", leave=False)
    caller, callee = Reaching(walled, web), Reaching(walled, db)
    all_up(caller, callee)
    here, there = f"{callee.address}:{SERVED}", f"{callee.address}:{OTHER}"
    assert not caller.reaches(here)

    let_in(walled, db, SERVED, UserIdGroupPairs=[{"GroupId": web}])
    eventually(lambda: caller.reaches(here), within=10)
    assert caller.asks(f"{here}/") == caller.address
    assert not caller.reaches(there)
    with pytest.raises(URLError):
        urllib.request.urlopen(f"http://{here}/", timeout=1)

    ec2.revoke_security_group_ingress(
        GroupId=db, IpPermissions=permission(SERVED, UserIdGroupPairs=[{"GroupId": web}])
    )
    eventually(lambda: not caller.reaches(here), within=10)

    let_in(walled, db, OTHER, IpRanges=[{"CidrIp": f"{caller.address}/32"}])
    eventually(lambda: caller.reaches(there), within=10)
    interface = ec2.describe_instances(InstanceIds=[callee.id])["Reservations"][0]["Instances"][0]
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=interface["NetworkInterfaces"][0]["NetworkInterfaceId"], Groups=[web]
    )
    eventually(lambda: not caller.reaches(there), within=10)
    ec2.terminate_instances(InstanceIds=[caller.id, callee.id])


@pytest.mark.slow
def test_a_rule_opens_within_a_second(walled: RunningCloud) -> None:
    group = new_group(walled, "opens")
    one = Reaching(walled, group)
    all_up(one)
    let_in(walled, group, SERVED, IpRanges=[{"CidrIp": "127.0.0.0/8"}])
    began = time.monotonic()

    def opened() -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://{one.address}:{SERVED}/", timeout=0.1).read())
        except OSError:
            return False

    eventually(opened, within=10)
    assert time.monotonic() - began < 2, "generous, for a machine that does much else"
    walled.client("ec2").terminate_instances(InstanceIds=[one.id])


@pytest.mark.slow
def test_an_instance_leaves_only_as_its_groups_say(walled: RunningCloud) -> None:
    ec2 = walled.client("ec2")
    inner = new_group(walled, "leaves", leave=False)
    other = new_group(walled, "met")
    let_in(walled, other, SERVED, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    one, met = Reaching(walled, inner), Reaching(walled, other)
    all_up(one, met)
    gateway = block_of(walled).gateway
    endpoint = f"{gateway}:{walled.port}"
    assert not one.reaches(f"{met.address}:{SERVED}")
    assert not one.reaches(endpoint)
    assert one.asks("169.254.169.254:80/latest/meta-data/instance-id") == one.id
    assert one.asks(f"{gateway}:1338/latest/meta-data/local-ipv4") == one.address

    assert met.reaches(endpoint)
    assert f"endpoint http://{endpoint}" in console(walled, met.id)
    assert not met.reaches("127.0.0.2:22"), "the machine's services are nobody's business"

    ec2.authorize_security_group_egress(
        GroupId=inner, IpPermissions=permission(SERVED, UserIdGroupPairs=[{"GroupId": other}])
    )
    eventually(lambda: one.reaches(f"{met.address}:{SERVED}"), within=10)
    assert not one.reaches(endpoint)
    ec2.terminate_instances(InstanceIds=[one.id, met.id])


def test_a_balancer_reaches_instances_by_its_group(walled: RunningCloud) -> None:
    ec2, elbv2 = walled.client("ec2"), walled.client("elbv2")
    front, back = new_group(walled, "front"), new_group(walled, "back")
    let_in(walled, back, SERVED, UserIdGroupPairs=[{"GroupId": front}])
    one, client = Reaching(walled, back), Reaching(walled, new_group(walled, "client"))
    all_up(one, client)
    subnets = ec2.describe_subnets()["Subnets"]
    balancer = elbv2.create_load_balancer(
        Name="walled", Subnets=[it["SubnetId"] for it in subnets], SecurityGroups=[front]
    )["LoadBalancers"][0]
    group = elbv2.create_target_group(
        Name="walled",
        Protocol="HTTP",
        Port=SERVED,
        VpcId=subnets[0]["VpcId"],
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=8080,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": one.id}])

    def health() -> str:
        found = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return found[0]["TargetHealth"].get("Reason", "healthy")

    eventually(lambda: health() == "healthy", within=30)
    place = f"{balancer['DNSName']}:{listener['Port']}"
    with urllib.request.urlopen(f"http://{place}/", timeout=10) as answer:
        seen = answer.read().decode()
    interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert seen in {it["PrivateIpAddress"] for it in interfaces}, "it comes from the balancer"
    assert client.asks(f"{place}/") == seen
    assert not client.reaches(f"{one.address}:{SERVED}")
    elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    ec2.terminate_instances(InstanceIds=[one.id, client.id])


@pytest.mark.slow
def test_nothing_is_left_when_it_stops_or_is_killed(fresh_walled: RunningCloud) -> None:
    cloud = fresh_walled
    one = Reaching(cloud)
    all_up(one)
    address, host = one.address, cloud.part("host").pid
    assert len(left_of(cloud, host)) == 2
    assert routes_to(address, host)
    said = cloud.health
    assert (said["network"], said["security_groups"]) == ("namespaces", "enforced")

    cloud.kill()
    eventually(lambda: not any(it.startswith("pv") for it in left_of(cloud)), within=30)
    cloud.start()
    all_up(one)
    assert one.address == address
    host = cloud.part("host").pid
    assert len(left_of(cloud, host)) == 2

    cloud.client("ec2").stop_instances(InstanceIds=[one.id])
    await_state(cloud, one.id, "stopped")
    eventually(lambda: len(left_of(cloud, host)) == 1, within=10)

    cloud.stop()
    assert not left_of(cloud)
    assert not routes_to(address)
