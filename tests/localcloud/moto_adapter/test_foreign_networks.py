"""Networks that are not on loopback are described as they were asked for, and their machines open all the
same."""

from __future__ import annotations

import ipaddress
import pickle
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pavedroad.localcloud.moto_adapter import ec2_backend, ec2_places, ec2_walls
from pavedroad.localcloud.moto_adapter.ec2_facts import facts_of
from pavedroad.localcloud.moto_adapter.install import account_of
from pavedroad.localcloud.moto_adapter.network import MotoNetwork
from tests.localcloud.moto_adapter.bench import Bench

_REGION = "eu-west-1"
_POOL = ipaddress.IPv4Network("127.48.128.0/17")


@dataclass(frozen=True)
class Network:
    vpc: str
    subnet: str


def ask(bench: Bench, action: str, **more: str) -> str:
    """The first id or text that the answer has for what was asked."""
    answer = bench.ask(
        action, {name.replace("_", "."): value for name, value in more.items()}, region=_REGION
    )
    assert answer.status == 200, answer.body
    tags = {"CreateVpc": "vpcId", "CreateSubnet": "subnetId", "RunInstances": "instanceId"}
    return answer.first(tags.get(action, "groupId"))


def network(bench: Bench, cidr: str = "10.0.0.0/16", part: str = "10.0.1.0/24") -> Network:
    vpc = ask(bench, "CreateVpc", CidrBlock=cidr)
    return Network(vpc, ask(bench, "CreateSubnet", VpcId=vpc, CidrBlock=part))


def launch(bench: Bench, subnet: str, **more: str) -> ec2_backend.LocalInstance:
    images = bench.ask("DescribeImages", {"Owner.1": "amazon"}, region=_REGION)
    made = ask(
        bench,
        "RunInstances",
        ImageId=images.first("imageId"),
        MinCount="1",
        MaxCount="1",
        SubnetId=subnet,
        **more,
    )
    return backend().by_id[made]


def backend() -> ec2_backend.LocalEC2Backend:
    return ec2_backend.backend(account_of("any"), _REGION)


def test_an_instance_is_shown_where_it_was_asked_for_and_runs_where_it_can(bench: Bench) -> None:
    one = launch(bench, network(bench).subnet)
    facts = facts_of(one)
    assert facts.private_address == "10.0.1.4"
    assert ipaddress.ip_address(facts.address) in _POOL
    shown = bench.ask("DescribeInstances", {"InstanceId.1": one.id}, region=_REGION)
    assert shown.first("privateIpAddress") == "10.0.1.4"
    assert shown.first("privateDnsName") == facts.address


def test_networks_that_overlap_have_the_same_addresses_in_other_places(bench: Bench) -> None:
    ones = [launch(bench, network(bench).subnet) for _ in range(2)]
    assert [one.private_ip for one in ones] == ["10.0.1.4", "10.0.1.4"]
    assert len({facts_of(one).address for one in ones}) == 2


def test_a_public_address_is_the_one_that_opens(bench: Bench) -> None:
    nic = {"NetworkInterface_1_DeviceIndex": "0", "NetworkInterface_1_AssociatePublicIpAddress": "true"}
    there = network(bench).subnet
    images = bench.ask("DescribeImages", {"Owner.1": "amazon"}, region=_REGION)
    made = ask(
        bench,
        "RunInstances",
        ImageId=images.first("imageId"),
        MinCount="1",
        MaxCount="1",
        **{"NetworkInterface_1_SubnetId": there, **nic},
    )
    facts = facts_of(backend().by_id[made])
    assert facts.public_address == facts.address != facts.private_address


def test_balancers_and_their_targets_are_where_they_open(bench: Bench) -> None:
    there = network(bench)
    one = launch(bench, there.subnet)
    known = MotoNetwork(account_of("any"), _REGION)
    endpoint = known.endpoint(one.id)
    assert endpoint is not None
    assert endpoint.address == facts_of(one).address
    assert known.place(there.vpc, one.private_ip or "") == endpoint.address
    assert known.place(there.vpc, "10.0.99.99") == "10.0.99.99"
    node = known.take_address(there.subnet, "ELB app/a/1")
    assert ipaddress.ip_address(node.address) in _POOL
    known.give_back(node.id)
    assert node.address not in ec2_places.lent_of(backend())


def test_a_place_is_given_back_when_its_instance_is_forgotten_and_kept_over_a_restart(bench: Bench) -> None:
    one = launch(bench, network(bench).subnet)
    address = facts_of(one).address
    again = pickle.loads(pickle.dumps(backend()))
    assert facts_of(again.by_id[one.id]).address == address
    one.life.terminate(datetime.now(UTC))
    one.life.ended_at = datetime.now(UTC)
    one.life.state = "terminated"
    one.take_down()  # as at the end of its guest
    backend().forget_instances(datetime.now(UTC) + timedelta(hours=2))
    assert address not in ec2_places.lent_of(backend())
    assert launch(bench, network(bench).subnet).private_dns_name != address


def test_rules_for_a_part_of_a_network_hold_for_where_it_is(bench: Bench) -> None:
    there = network(bench)
    one = launch(bench, there.subnet)
    group = ask(bench, "CreateSecurityGroup", GroupName="inside", GroupDescription="inside", VpcId=there.vpc)
    rule = {
        "IpPermissions_1_IpProtocol": "tcp",
        "IpPermissions_1_FromPort": "80",
        "IpPermissions_1_ToPort": "80",
    }
    rule |= {"GroupId": group, "IpPermissions_1_IpRanges_1_CidrIp": "10.0.0.0/16"}
    ask(bench, "AuthorizeSecurityGroupIngress", **rule)
    found = next(it for it in ec2_walls.security_groups() if it.id == group)
    assert found.ingress[0].cidrs == ("10.0.0.0/16", f"{facts_of(one).address}/32")
