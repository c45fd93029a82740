"""What is in one region is not in another: each kind of id is refused there, in AWS's words."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pavedroad.localcloud.moto_adapter import ec2_backend
from tests.localcloud.moto_adapter.bench import Bench

HOME, AWAY = "us-east-1", "eu-west-1"


def image(region: str) -> str:
    amis = ec2_backend.backend(ec2_backend.ACCOUNT, region).amis.values()
    return next(one.id for one in amis if one.architecture == "x86_64")


@pytest.fixture(scope="module")
def ids(bench: Bench) -> Iterator[dict[str, str]]:
    """One of each kind, at home."""

    def made(element: str, action: str, form: dict[str, str] | None = None) -> str:
        answer = bench.ask(action, form or {})
        assert answer.status == 200, answer.body
        return answer.first(element)

    one = {"ImageId": image(HOME), "MinCount": "1", "MaxCount": "1", "InstanceType": "t3.micro"}
    launched = bench.ask("RunInstances", one)
    volume, vpc = launched.first("volumeId"), made("vpcId", "DescribeVpcs")
    group = {"GroupName": "away", "GroupDescription": "away", "VpcId": vpc}
    spot = {f"LaunchSpecification.{name}": one[name] for name in ("ImageId", "InstanceType")}
    copied = {"SourceImageId": image(HOME), "SourceRegion": HOME, "Name": "away"}
    template = {"LaunchTemplateName": "away", "LaunchTemplateData.ImageId": image(HOME)}
    yield {
        "instance": launched.first("instanceId"),
        "interface": launched.first("networkInterfaceId"),
        "volume": volume,
        "vpc": vpc,
        "subnet": launched.first("subnetId"),
        "group": made("groupId", "CreateSecurityGroup", group),
        "routes": made("routeTableId", "DescribeRouteTables"),
        "acl": made("networkAclId", "DescribeNetworkAcls"),
        "gateway": made("internetGatewayId", "CreateInternetGateway"),
        "template": made("launchTemplateId", "CreateLaunchTemplate", template),
        "snapshot": made("snapshotId", "CreateSnapshot", {"VolumeId": volume}),
        "key": made("keyPairId", "CreateKeyPair", {"KeyName": "away"}),
        "placement": made("groupId", "CreatePlacementGroup", {"GroupName": "away"}),
        "request": made("spotInstanceRequestId", "RequestSpotInstances", spot),
        "image": made("imageId", "CopyImage", copied),
        "address": made("allocationId", "AllocateAddress", {"Domain": "vpc"}),
    }
    assert bench.ask("TerminateInstances", {"InstanceId.1": launched.first("instanceId")}).status == 200


_TAG = {"Tag.1.Key": "a", "Tag.1.Value": "b"}
_RULE = {"IpPermissions.1.IpProtocol": "-1", "IpPermissions.1.IpRanges.1.CidrIp": "0.0.0.0/0"}
_LAUNCH = {"ImageId": "here", "MinCount": "1", "MaxCount": "1"}
_CALLS: dict[str, list[tuple[str, str, dict[str, str]]]] = {
    "instance": [
        ("CreateImage", "InstanceId", {"Name": "abc"}),
        ("CreateTags", "ResourceId.1", _TAG),
        ("DescribeInstanceAttribute", "InstanceId", {"Attribute": "instanceType"}),
        ("DescribeInstanceStatus", "InstanceId.1", {}),
        ("DescribeInstances", "InstanceId.1", {}),
        ("GetConsoleOutput", "InstanceId", {}),
        ("GetLaunchTemplateData", "InstanceId", {}),
        ("ModifyInstanceAttribute", "InstanceId", {"DisableApiStop.Value": "true"}),
        ("ModifyInstanceMetadataOptions", "InstanceId", {"HttpTokens": "required"}),
        ("ModifyInstancePlacement", "InstanceId", {"GroupName": ""}),
        ("MonitorInstances", "InstanceId.1", {}),
        ("RebootInstances", "InstanceId.1", {}),
        ("StartInstances", "InstanceId.1", {}),
        ("StopInstances", "InstanceId.1", {}),
        ("TerminateInstances", "InstanceId.1", {}),
    ],
    "vpc": [
        ("CreateSubnet", "VpcId", {"CidrBlock": "127.0.5.0/24"}),
        ("CreateTags", "ResourceId.1", _TAG),
        ("DeleteVpc", "VpcId", {}),
        ("DescribeVpcs", "VpcId.1", {}),
    ],
    "subnet": [
        ("DeleteSubnet", "SubnetId", {}),
        ("DescribeSubnets", "SubnetId.1", {}),
        ("RunInstances", "SubnetId", _LAUNCH),
    ],
    "group": [
        ("AuthorizeSecurityGroupIngress", "GroupId", _RULE),
        ("DeleteSecurityGroup", "GroupId", {}),
        ("DescribeSecurityGroups", "GroupId.1", {}),
        ("RunInstances", "SecurityGroupId.1", _LAUNCH),
    ],
    "interface": [
        ("DeleteNetworkInterface", "NetworkInterfaceId", {}),
        ("DescribeNetworkInterfaces", "NetworkInterfaceId.1", {}),
    ],
    "volume": [
        ("CreateSnapshot", "VolumeId", {}),
        ("DeleteVolume", "VolumeId", {}),
        ("DescribeVolumes", "VolumeId.1", {}),
    ],
    "snapshot": [("DeleteSnapshot", "SnapshotId", {}), ("DescribeSnapshots", "SnapshotId.1", {})],
    "routes": [("DeleteRouteTable", "RouteTableId", {}), ("DescribeRouteTables", "RouteTableId.1", {})],
    "acl": [("DeleteNetworkAcl", "NetworkAclId", {}), ("DescribeNetworkAcls", "NetworkAclId.1", {})],
    "gateway": [
        ("DeleteInternetGateway", "InternetGatewayId", {}),
        ("DescribeInternetGateways", "InternetGatewayId.1", {}),
    ],
    "template": [
        ("DeleteLaunchTemplate", "LaunchTemplateId", {}),
        ("DescribeLaunchTemplateVersions", "LaunchTemplateId", {}),
        ("DescribeLaunchTemplates", "LaunchTemplateId.1", {}),
        ("RunInstances", "LaunchTemplate.LaunchTemplateId", {"MinCount": "1", "MaxCount": "1"}),
    ],
    "key": [("DescribeKeyPairs", "KeyPairId.1", {})],
    "placement": [
        ("CreateTags", "ResourceId.1", _TAG),
        ("DescribePlacementGroups", "GroupId.1", {}),
        ("RunInstances", "Placement.GroupId", _LAUNCH),
    ],
    "request": [
        ("CancelSpotInstanceRequests", "SpotInstanceRequestId.1", {}),
        ("DescribeSpotInstanceRequests", "SpotInstanceRequestId.1", {}),
    ],
    "image": [
        ("DeregisterImage", "ImageId", {}),
        ("DescribeImageAttribute", "ImageId", {"Attribute": "description"}),
        ("DescribeImages", "ImageId.1", {}),
        ("ModifyImageAttribute", "ImageId", {"Description.Value": "x"}),
        ("RunInstances", "ImageId", {"MinCount": "1", "MaxCount": "1"}),
    ],
    "address": [("DescribeAddresses", "AllocationId.1", {}), ("ReleaseAddress", "AllocationId", {})],
}
_CODES = {
    "acl": "InvalidNetworkAclID.NotFound",
    "address": "InvalidAllocationID.NotFound",
    "gateway": "InvalidInternetGatewayID.NotFound",
    "group": "InvalidGroup.NotFound",
    "image": "InvalidAMIID.NotFound",
    "instance": "InvalidInstanceID.NotFound",
    "interface": "InvalidNetworkInterfaceID.NotFound",
    "key": "InvalidKeyPair.NotFound",
    "placement": "InvalidPlacementGroup.Unknown",
    "request": "InvalidSpotInstanceRequestID.NotFound",
    "routes": "InvalidRouteTableID.NotFound",
    "snapshot": "InvalidSnapshot.NotFound",
    "subnet": "InvalidSubnetID.NotFound",
    "template": "InvalidLaunchTemplateId.NotFound",
    "volume": "InvalidVolume.NotFound",
    "vpc": "InvalidVpcID.NotFound",
}


@pytest.mark.parametrize("kind", _CALLS)
def test_ids_of_ec2_are_of_their_region(bench: Bench, ids: dict[str, str], kind: str) -> None:
    for action, parameter, more in _CALLS[kind]:
        form = {**more, parameter: ids[kind]}
        if form.get("ImageId") == "here":
            form["ImageId"] = image(AWAY)
        answer = bench.ask(action, form, region=AWAY)
        assert (answer.status, answer.code) == (400, _CODES[kind]), (action, answer.body)
        assert ids[kind] in answer.message
        assert not any(mark in answer.message for mark in "{}"), answer.message


def test_topics_and_certificates_are_of_their_region(bench: Bench) -> None:
    topic = bench.ask("CreateTopic", service="sns", Name="away").first("TopicArn")
    answer = bench.ask("GetTopicAttributes", service="sns", region=AWAY, TopicArn=topic)
    assert answer.code in ("NotFound", "InvalidParameter"), answer.body
    asked = {"DomainName": "away.example.com"}
    made = bench.send("acm", json.dumps(asked).encode(), headers=_acm("RequestCertificate"))
    arn = json.loads(made.body)
    away = bench.send("acm", json.dumps(arn).encode(), headers=_acm("DescribeCertificate"), region=AWAY)
    assert (away.status, json.loads(away.body)["__type"]) == (400, "ResourceNotFoundException")


def _acm(operation: str) -> dict[str, str]:
    return {"x-amz-target": f"CertificateManager.{operation}", "content-type": "application/x-amz-json-1.1"}
