"""What EC2's Describe calls list: in which element, by which key, and where each filter's value is.

A filter without an entry is at the path of its own name: `attachment.instance-id` is `attachmentSet`'s
`instanceId`. Names are compared without case, hyphens, plural and `Set`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pavedroad.localcloud.moto_adapter.ec2_filters import documented


@dataclass(frozen=True, slots=True)
class Listing:
    element: str
    """Of the answer, with the items in it."""
    key: tuple[str, ...]
    """The members that tell an item from all others."""
    paths: Mapping[str, str] = field(default_factory=dict[str, str])

    def path(self, action: str, name: str) -> str | None:
        """Where the filter's value is; None where there is no such filter."""
        if name in self.paths:
            return self.paths[name]
        return name if name in documented(action) else None


_TAGS = {"tag-key": "tagSet.key", "tag-value": "tagSet.value"}
_IPV6 = {"ipv6-cidr-block-association.state": "ipv6CidrBlockAssociationSet.ipv6CidrBlockState.state"}


def _permissions(prefix: str, element: str) -> dict[str, str]:
    below = {
        "cidr": "ipRanges.cidrIp",
        "from-port": "fromPort",
        "group-id": "groups.groupId",
        "group-name": "groups.groupName",
        "ipv6-cidr": "ipv6Ranges.cidrIpv6",
        "prefix-list-id": "prefixListIds.prefixListId",
        "protocol": "ipProtocol",
        "to-port": "toPort",
        "user-id": "groups.userId",
    }
    return {f"{prefix}.{name}": f"{element}.{path}" for name, path in below.items()}


_LAUNCH = {
    "block-device-mapping.delete-on-termination": "blockDeviceMapping.ebs.deleteOnTermination",
    "block-device-mapping.device-name": "blockDeviceMapping.deviceName",
    "block-device-mapping.snapshot-id": "blockDeviceMapping.ebs.snapshotId",
    "block-device-mapping.volume-size": "blockDeviceMapping.ebs.volumeSize",
    "block-device-mapping.volume-type": "blockDeviceMapping.ebs.volumeType",
    "group-id": "groupSet.groupId",
    "group-name": "groupSet.groupName",
    "image-id": "imageId",
    "instance-type": "instanceType",
    "kernel-id": "kernelId",
    "key-name": "keyName",
    "monitoring-enabled": "monitoring.enabled",
    "ramdisk-id": "ramdiskId",
}

LISTINGS: dict[str, Listing] = {
    "DescribePlacementGroups": Listing("placementGroupSet", ("groupId",), _TAGS),
    "DescribeImages": Listing(
        "imagesSet",
        ("imageId",),
        _TAGS
        | {
            "block-device-mapping.delete-on-termination": "blockDeviceMapping.ebs.deleteOnTermination",
            "block-device-mapping.snapshot-id": "blockDeviceMapping.ebs.snapshotId",
            "block-device-mapping.volume-size": "blockDeviceMapping.ebs.volumeSize",
            "block-device-mapping.volume-type": "blockDeviceMapping.ebs.volumeType",
            "block-device-mapping.encrypted": "blockDeviceMapping.ebs.encrypted",
            "manifest-location": "imageLocation",
            "owner-id": "imageOwnerId",
            "owner-alias": "imageOwnerAlias",
            "state": "imageState",
            "state-reason-code": "stateReason.code",
            "state-reason-message": "stateReason.message",
            "sriov-net-support": "sriovNetSupport",
            "product-code": "productCodes.productCode",
            "product-code.type": "productCodes.type",
        },
    ),
    "DescribeInstanceStatus": Listing(
        "instanceStatusSet",
        ("instanceId",),
        {
            "instance-state-name": "instanceState.name",
            "instance-state-code": "instanceState.code",
            "instance-status.reachability": "instanceStatus.details.status",
            "system-status.reachability": "systemStatus.details.status",
            "event.code": "eventsSet.code",
        },
    ),
    "DescribeLaunchTemplates": Listing(
        "launchTemplates", ("launchTemplateId",), _TAGS | {"create-time": "createTime"}
    ),
    "DescribeLaunchTemplateVersions": Listing(
        "launchTemplateVersionSet",
        ("launchTemplateId", "versionNumber"),
        {
            "ebs-optimized": "launchTemplateData.ebsOptimized",
            "http-endpoint": "launchTemplateData.metadataOptions.httpEndpoint",
            "http-protocol-ipv4": "launchTemplateData.metadataOptions.httpProtocolIpv4",
            "http-tokens": "launchTemplateData.metadataOptions.httpTokens",
            "host-resource-group-arn": "launchTemplateData.placement.hostResourceGroupArn",
            "iam-instance-profile": "launchTemplateData.iamInstanceProfile.arn",
            "image-id": "launchTemplateData.imageId",
            "instance-type": "launchTemplateData.instanceType",
            "is-default-version": "defaultVersion",
            "kernel-id": "launchTemplateData.kernelId",
            "license-configuration-arn": "launchTemplateData.licenseSet.licenseConfigurationArn",
            "network-card-index": "launchTemplateData.networkInterfaceSet.networkCardIndex",
            "ram-disk-id": "launchTemplateData.ramDiskId",
        },
    ),
    "DescribeKeyPairs": Listing(
        "keySet", ("keyPairId",), _TAGS | {"fingerprint": "keyFingerprint", "key-pair-id": "keyPairId"}
    ),
    "DescribeVpcs": Listing(
        "vpcSet",
        ("vpcId",),
        _TAGS
        | _IPV6
        | {
            "cidr": "cidrBlock",
            "cidr-block": "cidrBlock",
            "cidr-block-association.state": "cidrBlockAssociationSet.cidrBlockState.state",
            "isDefault": "isDefault",
        },
    ),
    "DescribeSubnets": Listing(
        "subnetSet",
        ("subnetId",),
        _TAGS
        | _IPV6
        | {name: name for name in ("availabilityZone", "availabilityZoneId", "cidrBlock", "defaultForAz")}
        | {"cidr": "cidrBlock"},
    ),
    "DescribeSecurityGroups": Listing(
        "securityGroupInfo",
        ("groupId",),
        _TAGS
        | _permissions("ip-permission", "ipPermissions")
        | _permissions("egress.ip-permission", "ipPermissionsEgress")
        | {"description": "groupDescription"},
    ),
    "DescribeSecurityGroupRules": Listing("securityGroupRuleSet", ("securityGroupRuleId",), _TAGS),
    "DescribeNetworkInterfaces": Listing(
        "networkInterfaceSet",
        ("networkInterfaceId",),
        _TAGS
        | {
            "addresses.association.owner-id": "privateIpAddressesSet.association.ipOwnerId",
            "addresses.association.public-ip": "privateIpAddressesSet.association.publicIp",
            "addresses.primary": "privateIpAddressesSet.primary",
            "addresses.private-ip-address": "privateIpAddressesSet.privateIpAddress",
            "group-id": "groupSet.groupId",
            "group-name": "groupSet.groupName",
        },
    ),
    "DescribeVolumes": Listing("volumeSet", ("volumeId",), _TAGS),
    "DescribeTags": Listing("tagSet", ("resourceId", "key")),
    "DescribeRegions": Listing(
        "regionInfo", ("regionName",), {"endpoint": "regionEndpoint", "opt-in-status": "optInStatus"}
    ),
    "DescribeAvailabilityZones": Listing(
        "availabilityZoneInfo",
        ("zoneName",),
        {"message": "messageSet.message", "state": "zoneState", "region-name": "regionName"},
    ),
    "DescribeInstanceTypes": Listing(
        "instanceTypeSet",
        ("instanceType",),
        {"instance-storage-info.disk.size-in-gb": "instanceStorageInfo.disks.sizeInGB"},
    ),
    "DescribeInstanceTypeOfferings": Listing("instanceTypeOfferingSet", ("instanceType", "location")),
    "DescribeAddresses": Listing("addressesSet", ("allocationId", "publicIp"), _TAGS | {"domain": "domain"}),
    "DescribeSpotInstanceRequests": Listing(
        "spotInstanceRequestSet",
        ("spotInstanceRequestId",),
        _TAGS
        | {
            "fault-code": "fault.code",
            "fault-message": "fault.message",
            "status-code": "status.code",
            "status-message": "status.message",
        }
        | {f"launch.{name}": f"launchSpecification.{path}" for name, path in _LAUNCH.items()},
    ),
    "DescribeSpotPriceHistory": Listing(
        "spotPriceHistorySet", ("timestamp", "instanceType", "availabilityZone")
    ),
}
