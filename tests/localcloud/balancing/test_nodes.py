"""A balancer has a node in each of its zones, and one address that reaches them all."""

from __future__ import annotations

import httpx
import pytest

from tests.localcloud.balancing.bench import Balancer, Bench, fixed, weigh
from tests.waiting import eventually


def _nodes(bench: Bench, balancer: Balancer) -> dict[str, str]:
    """Addresses by zone."""
    described = bench.api.describe_load_balancers(LoadBalancerArns=[balancer.arn])["LoadBalancers"][0]
    return {
        zone["ZoneName"]: zone["LoadBalancerAddresses"][0]["IpAddress"]
        for zone in described["AvailabilityZones"]
    }


def _answers(address: str, requests: int = 24) -> set[str]:
    with httpx.Client(trust_env=False, timeout=20) as client:
        return {client.get(f"http://{address}:8080/").text for _ in range(requests)}


def test_every_zone_has_a_node_with_an_address_of_its_own(bench: Bench) -> None:
    balancer = bench.balancer(fixed("here"))
    nodes = _nodes(bench, balancer)
    assert len({balancer.address, *nodes.values()}) == 4
    for address in (balancer.address, *nodes.values()):
        assert _answers(address, 1) == {"here"}
    interfaces = bench.ec2.describe_network_interfaces(
        Filters=[{"Name": "addresses.private-ip-address", "Values": [*nodes.values()]}]
    )["NetworkInterfaces"]
    assert {it["PrivateIpAddress"]: it["AvailabilityZone"] for it in interfaces} == {
        address: zone for zone, address in nodes.items()
    }


def test_subnets_that_come_and_go_bring_and_take_nodes(bench: Bench) -> None:
    balancer = bench.balancer(fixed("here"))
    before = _nodes(bench, balancer)
    fewer = bench.api.set_subnets(LoadBalancerArn=balancer.arn, Subnets=bench.subnets[:2])
    assert len(fewer["AvailabilityZones"]) == 2
    kept = _nodes(bench, balancer)
    assert kept.items() < before.items(), "those that stay keep their addresses"
    (gone,) = set(before.values()) - set(kept.values())
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{gone}:8080/", trust_env=False)
    bench.api.set_subnets(LoadBalancerArn=balancer.arn, Subnets=bench.subnets)
    for address in (balancer.address, *_nodes(bench, balancer).values()):
        assert _answers(address, 1) == {"here"}


@pytest.mark.slow
def test_without_cross_zone_a_node_sends_to_its_own_zone(bench: Bench) -> None:
    balancer = bench.balancer()
    zones = sorted(_nodes(bench, balancer))
    group = bench.group()
    for zone in zones:
        target = {"Id": bench.service(zone).address, "AvailabilityZone": zone}
        bench.api.register_targets(TargetGroupArn=group, Targets=[target])
    bench.api.create_listener(
        LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=8080, DefaultActions=weigh({group: 1})
    )
    bench.all_healthy(group)
    nodes = _nodes(bench, balancer)
    for value, expected in (("false", 1), ("true", 3)):
        bench.api.modify_target_group_attributes(
            TargetGroupArn=group, Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": value}]
        )
        for zone, address in nodes.items():
            eventually(lambda a=address, n=expected: len(_answers(a)) == n)
            assert zone in _answers(address)
        assert _answers(balancer.address, 40) == set(zones)


@pytest.mark.slow
def test_a_zone_that_is_down_takes_its_node_and_its_targets(own_bench: Bench) -> None:
    bench = own_bench
    group = bench.group()
    balancer = bench.balancer(weigh({group: 1}))
    nodes = _nodes(bench, balancer)
    for zone in nodes:
        target = {"Id": bench.service(zone).address, "AvailabilityZone": zone}
        bench.api.register_targets(TargetGroupArn=group, Targets=[target])
    bench.all_healthy(group)
    down, *up = sorted(nodes)
    made = httpx.post(
        f"{bench.cloud.endpoint}/_pavedroad/faults",
        json={"kind": "zone-down", "target": down, "seconds": 60},
        auth=bench.cloud.signed,
        trust_env=False,
    )
    assert made.status_code < 300, made.text
    eventually(lambda: _refuses(nodes[down]))
    assert _answers(balancer.address) == set(up)
    assert bench.states(group) == {"healthy", "unhealthy"}


def _refuses(address: str) -> bool:
    try:
        httpx.get(f"http://{address}:8080/", trust_env=False)
    except httpx.ConnectError:
        return True
    return False
