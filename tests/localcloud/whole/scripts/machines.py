"""EC2: walls, disks, instances."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tests.localcloud.whole.scripts.networks import NETWORKS
from tests.localcloud.whole.scripts.step import Step, do, wait

_IMAGE = "ami-12c6146b"
_TAGS = [{"Key": "kept", "Value": "there"}]
_WEB = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
_FROM = [{**_WEB, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
_SAID = [{**_WEB, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "said"}]}]
_IDLE = "#!/bin/sh\nexec sleep 1000\n"
_DATA = {
    "ImageId": _IMAGE,
    "InstanceType": "t3.nano",
    "UserData": b64encode(_IDLE.encode()).decode(),
}
_ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIDxzZ5Y5p2xMTJyEZGWk2YvLV9Dk4yJ5Zg0mNvoZ5lG3"
_TRUST = '{"Version": "2012-10-17", "Statement": []}'


def _when(state: str) -> Step:
    def is_so(answer: Any) -> bool:
        return answer["Reservations"][0]["Instances"][0]["State"]["Name"] == state

    return wait("DescribeInstances", is_so, InstanceIds=["$one.InstanceId"])


_WALLS = [
    do("CreateSecurityGroup", "wall", GroupName="wall", Description="there", VpcId="$vpc.VpcId"),
    do("AuthorizeSecurityGroupIngress", "rule", GroupId="$wall.GroupId", IpPermissions=_FROM),
    do("UpdateSecurityGroupRuleDescriptionsIngress", GroupId="$wall.GroupId", IpPermissions=_SAID),
    do(
        "ModifySecurityGroupRules",
        GroupId="$wall.GroupId",
        SecurityGroupRules=[
            {
                "SecurityGroupRuleId": "$rule.SecurityGroupRuleId",
                "SecurityGroupRule": {**_WEB, "CidrIpv4": "10.0.0.0/8", "Description": "again"},
            }
        ],
    ),
    do("RevokeSecurityGroupIngress", GroupId="$wall.GroupId", IpPermissions=_FROM),
    do("AuthorizeSecurityGroupEgress", GroupId="$wall.GroupId", IpPermissions=_FROM),
    do("UpdateSecurityGroupRuleDescriptionsEgress", GroupId="$wall.GroupId", IpPermissions=_SAID),
    do("RevokeSecurityGroupEgress", GroupId="$wall.GroupId", IpPermissions=_FROM),
    do("CreateKeyPair", KeyName="pair"),
    do(
        "ImportKeyPair",
        KeyName="brought",
        PublicKeyMaterial=f"ssh-ed25519 {_ED25519} there".encode(),
    ),
    do("DeleteKeyPair", KeyName="pair"),
    do("CreatePlacementGroup", GroupName="apart", Strategy="spread"),
    do("DeletePlacementGroup", GroupName="apart"),
    do("CreatePlacementGroup", "spread", GroupName="spread", Strategy="spread"),
    do("CreateNetworkInterface", "card", SubnetId="$subnet.SubnetId"),
    do(
        "ModifyNetworkInterfaceAttribute",
        NetworkInterfaceId="$card.NetworkInterfaceId",
        Description={"Value": "there"},
    ),
    do(
        "AssignPrivateIpAddresses",
        NetworkInterfaceId="$card.NetworkInterfaceId",
        PrivateIpAddresses=["10.8.1.9"],
    ),
    do(
        "UnassignPrivateIpAddresses",
        NetworkInterfaceId="$card.NetworkInterfaceId",
        PrivateIpAddresses=["10.8.1.9"],
    ),
    do(
        "AssignIpv6Addresses",
        NetworkInterfaceId="$card.NetworkInterfaceId",
        Ipv6Addresses=["2400:6500:1:1::9"],
    ),
    do(
        "UnassignIpv6Addresses",
        NetworkInterfaceId="$card.NetworkInterfaceId",
        Ipv6Addresses=["2400:6500:1:1::9"],
    ),
    do("AllocateAddress", "address", Domain="vpc"),
    do(
        "AssociateAddress",
        "lent",
        AllocationId="$address.AllocationId",
        NetworkInterfaceId="$card.NetworkInterfaceId",
    ),
    do("DisassociateAddress", AssociationId="$lent.AssociationId"),
    do("CreateNatGateway", SubnetId="$subnet.SubnetId", AllocationId="$address.AllocationId"),
    do("DeleteNatGateway"),
    do("AllocateAddress", "address2", Domain="vpc"),
    do("ReleaseAddress", AllocationId="$address2.AllocationId"),
    do("CreateTags", Resources=["$vpc.VpcId"], Tags=_TAGS),
    do("DeleteTags", Resources=["$vpc.VpcId"], Tags=_TAGS),
    do("CreateTrafficMirrorFilter"),
    do("CreateNetworkInterface", "card2", SubnetId="$subnet.SubnetId"),
    do("CreateTrafficMirrorTarget", NetworkInterfaceId="$card2.NetworkInterfaceId"),
    do("CreateTrafficMirrorSession", NetworkInterfaceId="$card.NetworkInterfaceId", SessionNumber=1),
    do("ModifyTrafficMirrorSession", SessionNumber=2),
    do("DeleteTrafficMirrorSession"),
]

_DISKS = [
    do("CreateVolume", "disk", AvailabilityZone="$zone", Size=1),
    do("ModifyVolume", VolumeId="$disk.VolumeId", Size=2),
    do("CreateSnapshot", "shot", VolumeId="$disk.VolumeId"),
    do(
        "ModifySnapshotAttribute",
        SnapshotId="$shot.SnapshotId",
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=["210987654321"],
    ),
    do("ModifySnapshotTier", SnapshotId="$shot.SnapshotId", StorageTier="archive"),
    do("RestoreSnapshotTier", SnapshotId="$shot.SnapshotId", PermanentRestore=True),
    do("CopySnapshot", "shot2", SourceRegion="$region", SourceSnapshotId="$shot.SnapshotId"),
    do("DeleteSnapshot", SnapshotId="$shot2.SnapshotId"),
    do("CreateVolume", "disk2", AvailabilityZone="$zone", Size=1),
    do("DeleteVolume", VolumeId="$disk2.VolumeId"),
    do("EnableEbsEncryptionByDefault"),
    do("DisableEbsEncryptionByDefault"),
    do("CopyImage", "copied", Name="copied", SourceImageId=_IMAGE, SourceRegion="$region"),
    do("ModifyImageAttribute", ImageId="$copied.ImageId", Description={"Value": "there"}),
    do("DisableImage", ImageId="$copied.ImageId"),
    do("EnableImage", ImageId="$copied.ImageId"),
    do("RegisterImage", "registered", Name="registered", RootDeviceName="/dev/xvda"),
    do("DeregisterImage", ImageId="$copied.ImageId"),
    do("AllocateHosts", "hosts", AvailabilityZone="$zone", InstanceType="m5.large", Quantity=1),
    do("ModifyHosts", HostIds=["$hosts.HostIds"], AutoPlacement="off"),
    do("ReleaseHosts", HostIds=["$hosts.HostIds"]),
]

_RUNNING = [
    do("CreateLaunchTemplate", LaunchTemplateName="there", LaunchTemplateData=_DATA),
    do(
        "CreateLaunchTemplateVersion",
        LaunchTemplateName="there",
        LaunchTemplateData={**_DATA, "InstanceType": "t3.micro"},
    ),
    do("ModifyLaunchTemplate", LaunchTemplateName="there", DefaultVersion="2"),
    do("DeleteLaunchTemplateVersions", LaunchTemplateName="there", Versions=["1"]),
    do("ModifyInstanceMetadataDefaults", HttpTokens="required"),
    do("RunInstances", "one", **{**_DATA, "UserData": _IDLE}, MinCount=1, MaxCount=1),
    do(
        "ModifyInstanceAttribute",
        InstanceId="$one.InstanceId",
        InstanceInitiatedShutdownBehavior={"Value": "terminate"},
    ),
    do("ModifyInstanceMetadataOptions", InstanceId="$one.InstanceId", HttpTokens="required"),
    do("MonitorInstances", InstanceIds=["$one.InstanceId"]),
    do("UnmonitorInstances", InstanceIds=["$one.InstanceId"]),
    do("RebootInstances", InstanceIds=["$one.InstanceId"]),
    do("AttachVolume", VolumeId="$disk.VolumeId", InstanceId="$one.InstanceId", Device="/dev/sdf"),
    do("DetachVolume", VolumeId="$disk.VolumeId", InstanceId="$one.InstanceId"),
    do("CreateSnapshots", InstanceSpecification={"InstanceId": "$one.InstanceId"}),
    do("CreateNetworkInterface", "spare", SubnetId="$default.SubnetId"),
    do(
        "AttachNetworkInterface",
        "plugged",
        NetworkInterfaceId="$spare.NetworkInterfaceId",
        InstanceId="$one.InstanceId",
        DeviceIndex=1,
    ),
    do("DetachNetworkInterface", AttachmentId="$plugged.AttachmentId"),
    do("DeleteNetworkInterface", NetworkInterfaceId="$card2.NetworkInterfaceId"),
    do(
        "AssociateIamInstanceProfile",
        "role",
        InstanceId="$one.InstanceId",
        IamInstanceProfile={"Name": "machines"},
    ),
    do(
        "ReplaceIamInstanceProfileAssociation",
        "role2",
        AssociationId="$role.AssociationId",
        IamInstanceProfile={"Name": "others"},
    ),
    do("DisassociateIamInstanceProfile", AssociationId="$role2.AssociationId"),
    _when("running"),
    do("CreateImage", InstanceId="$one.InstanceId", Name="captured"),
    _when("running"),
    do("StopInstances", InstanceIds=["$one.InstanceId"]),
    _when("stopped"),
    do("ModifyInstancePlacement", InstanceId="$one.InstanceId", GroupName="spread"),
    do("StartInstances", InstanceIds=["$one.InstanceId"]),
    _when("running"),
    do("TerminateInstances", InstanceIds=["$one.InstanceId"]),
    do("RequestSpotInstances", "spot", LaunchSpecification=_DATA, InstanceCount=1),
    do("CancelSpotInstanceRequests", SpotInstanceRequestIds=["$spot.SpotInstanceRequestId"]),
    do(
        "CreateFleet",
        "fleet",
        Type="instant",
        LaunchTemplateConfigs=[
            {"LaunchTemplateSpecification": {"LaunchTemplateName": "there", "Version": "2"}}
        ],
        TargetCapacitySpecification={"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"},
    ),
    do(
        "RequestSpotFleet",
        SpotFleetRequestConfig={
            "IamFleetRole": "arn:aws:iam::123456789012:role/there",
            "TargetCapacity": 1,
            "AllocationStrategy": "lowestPrice",
            "LaunchSpecifications": [_DATA],
        },
    ),
    do("ModifySpotFleetRequest", TargetCapacity=0),
    do("CancelSpotFleetRequests", SpotFleetRequestIds=["$SpotFleetRequestId"], TerminateInstances=False),
    do("DeleteLaunchTemplate", LaunchTemplateName="there"),
    do("DeleteSecurityGroup", GroupId="$wall.GroupId"),
    do("DeleteSubnet", SubnetId="$second.SubnetId"),
    do("DeleteVpc", VpcId="$peer.VpcId"),
]

EC2 = [
    do("s3.CreateBucket", Bucket="lent"),
    do("iam.CreateRole", RoleName="machines", AssumeRolePolicyDocument=_TRUST),
    do("iam.CreateInstanceProfile", InstanceProfileName="machines"),
    do("iam.CreateInstanceProfile", "others", InstanceProfileName="others"),
    do("iam.AddRoleToInstanceProfile", InstanceProfileName="machines", RoleName="machines"),
    *NETWORKS,
    *_WALLS,
    *_DISKS,
    *_RUNNING,
]
