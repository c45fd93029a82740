"""RunInstances and its like: what is refused, how many come, and that the same token launches once."""

from __future__ import annotations

import base64

import pytest

from pavedroad.localcloud.moto_adapter import ec2_limits
from tests.localcloud.moto_adapter.bench import Answer, Bench, filters

IMAGE = "amzn2-ami-hvm-2.0.*-x86_64-gp2"
ONE = {"MinCount": "1", "MaxCount": "1", "InstanceType": "t3.micro"}
SPOT = {**ONE, "InstanceMarketOptions.MarketType": "spot"}


@pytest.fixture(scope="module")
def image(bench: Bench) -> str:
    return bench.ask("DescribeImages", filters(name=IMAGE)).first("imageId")


def run(bench: Bench, image: str, **more: object) -> Answer:
    return bench.ask("RunInstances", {**ONE, "ImageId": image, **more})


def ids(answer: Answer) -> list[str]:
    return answer.every("instancesSet/item/instanceId")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"MinCount": "0"}, "InvalidParameterValue"),
        ({"MinCount": "2"}, "InvalidParameterValue"),
        ({"MinCount": "x"}, "InvalidParameterValue"),
        ({"InstanceType": "t9.huge"}, "InvalidParameterValue"),
        ({"InstanceType": "t4g.micro"}, "InvalidParameterValue"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"ImageId": "ami-00000000"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "ami-hello"}, "InvalidAMIID.Malformed"),
        ({"SubnetId": "subnet-00000000"}, "InvalidSubnetID.NotFound"),
        ({"SecurityGroupId.1": "sg-00000000"}, "InvalidGroup.NotFound"),
        ({"Placement.AvailabilityZone": "us-east-1z"}, "InvalidParameterValue"),
        ({"Placement.AvailabilityZoneId": "use1-az9"}, "InvalidParameterValue"),
        ({"Placement.Tenancy": "dedicated"}, "UnsupportedOperation"),
        ({"Placement.GroupName": "close"}, "InvalidPlacementGroup.Unknown"),
        ({"IamInstanceProfile.Name": "nobody"}, "InvalidParameterValue"),
        ({"UserData": "not base64!"}, "InvalidUserData.Malformed"),
        ({"UserData": base64.b64encode(b"x" * 16385).decode()}, "InvalidParameterValue"),
        ({"BlockDeviceMapping.1.Ebs.VolumeSize": "8"}, "MissingParameter"),
        (
            {"BlockDeviceMapping.1.DeviceName": "/dev/sdb", "BlockDeviceMapping.1.Ebs.VolumeSize": "99999"},
            "InvalidParameterValue",
        ),
        (
            {"BlockDeviceMapping.1.DeviceName": "/dev/sdb", "BlockDeviceMapping.1.Ebs.VolumeType": "io1"},
            "MissingParameter",
        ),
        (
            {
                "BlockDeviceMapping.1.DeviceName": "/dev/sdb",
                "BlockDeviceMapping.1.Ebs.SnapshotId": "snap-00000000",
            },
            "InvalidSnapshot.NotFound",
        ),
        ({"CpuOptions.CoreCount": "64"}, "InvalidParameterValue"),
        ({"MaxCount": "2", "PrivateIpAddress": "127.1.2.3"}, "InvalidParameterCombination"),
        ({"MinCount": "5000", "MaxCount": "5000"}, "InstanceLimitExceeded"),
        ({"InstanceInitiatedShutdownBehavior": "explode"}, "InvalidParameterValue"),
        ({"LaunchTemplate.LaunchTemplateId": "lt-00000000"}, "InvalidLaunchTemplateId.NotFound"),
    ],
)
def test_a_launch_that_cannot_be_is_refused_and_changes_nothing(
    bench: Bench, image: str, form: dict[str, str], code: str
) -> None:
    before = bench.ask("DescribeInstances").every(".//instanceId")
    assert run(bench, image, **form).code == code
    assert bench.ask("DescribeInstances").every(".//instanceId") == before


def test_groups_of_another_network_are_refused(bench: Bench, image: str) -> None:
    vpc = bench.ask("CreateVpc", CidrBlock="127.251.0.0/16").first("vpcId")
    group = bench.ask("CreateSecurityGroup", GroupName="g", GroupDescription="d", VpcId=vpc).first("groupId")
    answer = run(bench, image, **{"SecurityGroupId.1": group})
    assert answer.code == "InvalidParameter"
    assert "belong to different networks" in answer.message


def test_as_many_come_as_there_is_room_for_and_none_where_there_are_too_few(
    bench: Bench, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vpc = bench.ask("CreateVpc", CidrBlock="127.252.0.0/16").first("vpcId")
    subnet = bench.ask("CreateSubnet", VpcId=vpc, CidrBlock="127.252.0.0/28").first("subnetId")
    made = run(bench, image, SubnetId=subnet, MinCount="2", MaxCount="50")
    assert len(ids(made)) == 11  # 16 addresses, of which AWS keeps five
    assert run(bench, image, SubnetId=subnet).code == "InsufficientFreeAddressesInSubnet"
    monkeypatch.setattr(ec2_limits, "VCPU_LIMIT", ec2_limits.VCPU_LIMIT)
    used = 2 * len(bench.ask("DescribeInstances", filters(instance_type="t3.micro")).every(".//instanceId"))
    monkeypatch.setattr(ec2_limits, "VCPU_LIMIT", used + 200)
    assert run(bench, image, MinCount="200", MaxCount="200").code == "VcpuLimitExceeded"
    spot = bench.ask(
        "RunInstances", {**SPOT, "ImageId": image, "MinCount": "2000", "InstanceType": "m5.24xlarge"}
    )
    assert spot.code in ("MaxSpotInstanceCountExceeded", "InvalidParameterValue")


def test_the_same_token_launches_once_and_other_parameters_are_refused(bench: Bench, image: str) -> None:
    first = run(bench, image, ClientToken="token-1", MaxCount="2")
    again = run(bench, image, ClientToken="token-1", MaxCount="2")
    assert ids(first) == ids(again)
    assert len(ids(first)) == 2
    assert run(bench, image, ClientToken="token-1", MaxCount="1").code == "IdempotentParameterMismatch"


def test_tokens_hold_for_every_call_that_takes_one(bench: Bench) -> None:
    form = {"LaunchTemplateName": "once", "LaunchTemplateData.InstanceType": "t3.nano", "ClientToken": "lt-1"}
    first = bench.ask("CreateLaunchTemplate", form)
    assert first.status == 200, first.body
    assert bench.ask("CreateLaunchTemplate", form).body == first.body
    other = {**form, "LaunchTemplateData.InstanceType": "t3.micro"}
    assert bench.ask("CreateLaunchTemplate", other).code == "IdempotentParameterMismatch"
    zone = {"AvailabilityZone": "us-east-1a", "Size": "1", "ClientToken": "vol-1"}
    volumes = {bench.ask("CreateVolume", zone).first("volumeId") for _ in range(2)}
    assert len(volumes) == 1


def test_options_of_processors_and_credits_are_kept(bench: Bench, image: str) -> None:
    made = run(
        bench,
        image,
        InstanceType="m5.xlarge",
        **{"CpuOptions.CoreCount": "2", "CpuOptions.ThreadsPerCore": "1", "EbsOptimized": "true"},
    )
    assert made.status == 200, made.body
    assert (made.first("coreCount"), made.first("threadsPerCore")) == ("2", "1")
