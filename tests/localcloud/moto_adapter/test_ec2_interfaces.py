"""Network interfaces of their own: addresses of their subnets, each once, given back when they go."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.install import account_of
from tests.localcloud.moto_adapter.bench import Answer, Bench

_REGION = "us-west-2"


@dataclass(frozen=True)
class Net:
    bench: Bench
    subnet: str

    def ask(self, action: str, **more: str) -> Answer:
        form = {name.replace("_", "."): value for name, value in more.items()}
        return self.bench.ask(action, form, region=_REGION)

    def interface(self, **more: str) -> Answer:
        return self.ask("CreateNetworkInterface", SubnetId=self.subnet, **more)

    def addresses(self, interface_id: str) -> list[str]:
        shown = self.ask("DescribeNetworkInterfaces", NetworkInterfaceId_1=interface_id)
        return shown.every(".//privateIpAddressesSet/item/privateIpAddress")

    def launch(self, **more: str) -> str:
        image = self.bench.ask("DescribeImages", {"Owner.1": "amazon"}, region=_REGION).first("imageId")
        made = self.ask("RunInstances", ImageId=image, MinCount="1", MaxCount="1", **more)
        assert made.status == 200, made.body
        return made.first("instanceId")


@pytest.fixture
def net(bench: Bench) -> Net:
    vpc = bench.ask("CreateVpc", {"CidrBlock": "10.7.0.0/16"}, region=_REGION).first("vpcId")
    made = bench.ask("CreateSubnet", {"VpcId": vpc, "CidrBlock": "10.7.1.0/24"}, region=_REGION)
    return Net(bench, made.first("subnetId"))


def test_one_that_names_no_address_has_one_of_its_subnet(net: Net) -> None:
    made = net.interface(Description="plain")
    assert (made.status, made.first("privateIpAddress")) == (200, "10.7.1.4")
    assert net.interface().first("privateIpAddress") == "10.7.1.5"


def test_an_address_that_is_taken_is_refused_until_it_is_given_back(net: Net) -> None:
    made = net.interface(PrivateIpAddress="10.7.1.9").first("networkInterfaceId")
    assert net.interface(PrivateIpAddress="10.7.1.9").code == "InvalidIPAddress.InUse"
    assert net.interface(PrivateIpAddress="10.8.1.9").code == "InvalidParameterValue"
    assert net.ask("DeleteNetworkInterface", NetworkInterfaceId=made).status == 200
    assert net.interface(PrivateIpAddress="10.7.1.9").status == 200


def test_secondary_addresses_come_by_name_or_number_and_go_again(net: Net) -> None:
    made = net.interface(SecondaryPrivateIpAddressCount="2").first("networkInterfaceId")
    assert net.addresses(made) == ["10.7.1.4", "10.7.1.5", "10.7.1.6"]
    more = {"NetworkInterfaceId": made, "PrivateIpAddress_1": "10.7.1.20"}
    assigned = net.ask("AssignPrivateIpAddresses", **more)
    assert assigned.every(".//assignedPrivateIpAddressesSet/item/privateIpAddress") == ["10.7.1.20"]
    net.ask("AssignPrivateIpAddresses", NetworkInterfaceId=made, SecondaryPrivateIpAddressCount="1")
    assert len(set(net.addresses(made))) == 5
    assert net.ask("UnassignPrivateIpAddresses", **more).status == 200
    assert net.ask("UnassignPrivateIpAddresses", **more).code == "InvalidParameterValue"
    assert "10.7.1.20" not in net.addresses(made)


def test_one_in_use_is_kept_and_one_that_was_there_before_outlives_its_instance(net: Net) -> None:
    made = net.interface().first("networkInterfaceId")
    named = {"NetworkInterface_1_DeviceIndex": "0", "NetworkInterface_1_NetworkInterfaceId": made}
    one = net.launch(**named)
    assert net.ask("DeleteNetworkInterface", NetworkInterfaceId=made).code == "InvalidParameterValue"
    shown = net.ask("DescribeInstances", InstanceId_1=one)
    assert shown.every(".//networkInterfaceSet/item/attachment/deleteOnTermination") == ["false"]
    net.ask("TerminateInstances", InstanceId_1=one)
    backend = ec2_backend.backend(account_of("any"), _REGION)
    backend.by_id[one].take_down()  # as at the end of its guest
    assert net.ask("DeleteNetworkInterface", NetworkInterfaceId=made).status == 200


def test_an_instances_status_says_whose_it_is(net: Net) -> None:
    one = net.launch(SubnetId=net.subnet)
    answer = net.ask("DescribeInstanceStatus", InstanceId_1=one, IncludeAllInstances="true")
    assert answer.every(".//instanceStatusSet/item/instanceId") == [one]


def test_an_instance_tells_what_aws_tells_of_every_instance(net: Net) -> None:
    one = net.launch(SubnetId=net.subnet, HibernationOptions_Configured="true")
    shown = net.ask("DescribeInstances", InstanceId_1=one)
    assert shown.every(".//hibernationOptions/configured") == ["true"]
    assert shown.first("autoRecovery") == "default"
    assert shown.first("usageOperation") == "RunInstances"


def test_a_gateways_interface_is_in_its_subnet(net: Net) -> None:
    made = net.ask("CreateNatGateway", SubnetId=net.subnet, ConnectivityType="private")
    assert made.status == 200, made.body
    assert made.first("privateIp").startswith("10.7.1.")
