# pyright: basic
"""Which operations moto carries, of the services that are moto's."""

from __future__ import annotations

from pavedroad.localcloud.moto_adapter.carried import carried as carried_by_moto
from pavedroad.localcloud.moto_adapter.carried import carried_by
from pavedroad.localcloud.moto_adapter.ec2_responses import LocalEC2Response
from pavedroad.localcloud.moto_adapter.iam_certificates import ADDED

EC2_REAL = frozenset(
    [
        "AuthorizeSecurityGroupEgress",
        "AuthorizeSecurityGroupIngress",
        "CancelSpotInstanceRequests",
        "CopyImage",
        "CreateFleet",
        "CreateImage",
        "CreateKeyPair",
        "CreateLaunchTemplate",
        "CreateLaunchTemplateVersion",
        "CreatePlacementGroup",
        "CreateSecurityGroup",
        "CreateSubnet",
        "CreateTags",
        "CreateVpc",
        "CreateNetworkInterface",
        "DeleteKeyPair",
        "DeleteLaunchTemplate",
        "DeleteLaunchTemplateVersions",
        "DeleteNetworkInterface",
        "DeletePlacementGroup",
        "DeleteSecurityGroup",
        "DeleteSubnet",
        "DeleteTags",
        "DeleteVpc",
        "DeregisterImage",
        "DescribeAvailabilityZones",
        "DescribeImageAttribute",
        "DescribeImages",
        "DescribeInstanceAttribute",
        "DescribeInstanceStatus",
        "DescribeInstanceTypeOfferings",
        "DescribeInstanceTypes",
        "DescribeInstances",
        "DescribeKeyPairs",
        "DescribeLaunchTemplateVersions",
        "DescribeLaunchTemplates",
        "DescribeNetworkInterfaces",
        "DescribePlacementGroups",
        "DescribeRegions",
        "DescribeSecurityGroupRules",
        "DescribeSecurityGroups",
        "DescribeSpotInstanceRequests",
        "DescribeSpotPriceHistory",
        "DescribeSubnets",
        "DescribeTags",
        "DescribeVpcs",
        "GetConsoleOutput",
        "GetInstanceMetadataDefaults",
        "GetLaunchTemplateData",
        "ImportKeyPair",
        "ModifyImageAttribute",
        "ModifyInstanceAttribute",
        "ModifyInstanceMetadataDefaults",
        "ModifyInstanceMetadataOptions",
        "ModifyInstancePlacement",
        "ModifyLaunchTemplate",
        "ModifySecurityGroupRules",
        "MonitorInstances",
        "RebootInstances",
        "RegisterImage",
        "RequestSpotInstances",
        "RevokeSecurityGroupEgress",
        "RevokeSecurityGroupIngress",
        "RunInstances",
        "StartInstances",
        "StopInstances",
        "TerminateInstances",
        "UnmonitorInstances",
    ]
)
"""What of EC2 shows or changes processes, their images, addresses and markets."""


def carried(service: str) -> frozenset[str]:
    """Those of a service (by boto's name) that moto, or what we put in its place, has a method for."""
    if service == "ec2":
        return carried_by([LocalEC2Response], service)
    return carried_by_moto(service, service) | (ADDED if service == "iam" else frozenset())
