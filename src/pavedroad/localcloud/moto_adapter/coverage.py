# pyright: basic
"""Which operations moto carries, of the services that are moto's."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model

from pavedroad.localcloud.moto_adapter.ec2_responses import LocalEC2Response

_S3 = frozenset(
    [
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CopyObject",
        "CreateBucket",
        "CreateMultipartUpload",
        "DeleteBucket",
        "DeleteBucketCors",
        "DeleteBucketEncryption",
        "DeleteBucketLifecycle",
        "DeleteBucketOwnershipControls",
        "DeleteBucketPolicy",
        "DeleteBucketReplication",
        "DeleteBucketTagging",
        "DeleteBucketWebsite",
        "DeleteObject",
        "DeleteObjectTagging",
        "DeleteObjects",
        "DeletePublicAccessBlock",
        "GetBucketAccelerateConfiguration",
        "GetBucketAcl",
        "GetBucketCors",
        "GetBucketEncryption",
        "GetBucketLifecycle",
        "GetBucketLifecycleConfiguration",
        "GetBucketLocation",
        "GetBucketLogging",
        "GetBucketNotificationConfiguration",
        "GetBucketOwnershipControls",
        "GetBucketPolicy",
        "GetBucketPolicyStatus",
        "GetBucketReplication",
        "GetBucketTagging",
        "GetBucketVersioning",
        "GetBucketWebsite",
        "GetObject",
        "GetObjectAcl",
        "GetObjectAttributes",
        "GetObjectLegalHold",
        "GetObjectLockConfiguration",
        "GetObjectTagging",
        "GetPublicAccessBlock",
        "HeadBucket",
        "HeadObject",
        "ListBuckets",
        "ListMultipartUploads",
        "ListObjectVersions",
        "ListObjects",
        "ListObjectsV2",
        "ListParts",
        "PutBucketAccelerateConfiguration",
        "PutBucketAcl",
        "PutBucketCors",
        "PutBucketEncryption",
        "PutBucketLifecycle",
        "PutBucketLifecycleConfiguration",
        "PutBucketLogging",
        "PutBucketNotificationConfiguration",
        "PutBucketOwnershipControls",
        "PutBucketPolicy",
        "PutBucketReplication",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutBucketWebsite",
        "PutObject",
        "PutObjectAcl",
        "PutObjectLegalHold",
        "PutObjectLockConfiguration",
        "PutObjectRetention",
        "PutObjectTagging",
        "PutPublicAccessBlock",
        "RestoreObject",
        "SelectObjectContent",
        "UploadPart",
        "UploadPartCopy",
    ]
)
"""By paths and sub-resources, not by names: moto's own class does not tell."""

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


def operations(service: str) -> list[str]:
    """All that botocore's model of the service names (by boto's name), sorted."""
    return sorted(get_service_model(service).operation_names)


def carried(service: str) -> frozenset[str]:
    """Those of a service (by boto's name) that moto, or what we put in its place, has a method for."""
    if service == "s3":
        return _S3
    module = importlib.import_module(f"moto.{service}.responses")
    classes = [LocalEC2Response] if service == "ec2" else _responses(module)
    return frozenset(
        name
        for name in operations(service)
        if any(_does(getattr(kind, camelcase_to_underscores(name), None)) for kind in classes)
    )


def _responses(module: ModuleType) -> list[type]:
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, BaseResponse) and kind is not BaseResponse
    ]


def _does(method: Any) -> bool:
    """Whether there is more to it than moto's saying that it is not there yet."""
    constants = method.__code__.co_consts if method else ()
    missing = any(isinstance(it, str) and it.endswith("is not yet implemented") for it in constants)
    return method is not None and not missing
