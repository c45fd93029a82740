"""Values by the names of parameters, what has to be there first, and what cannot be answered."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.localcloud.asking.balancing import PROXY
from tests.localcloud.asking.given import TAGS
from tests.localcloud.asking.operations import CERTIFICATE, NOW, POLICY, TRUST, Call

_METADATA = "<EntityDescriptor>" + "x" * 1000 + "</EntityDescriptor>"
NAMES: dict[str, dict[str, Any]] = {
    "autoscaling": {
        "AutoScalingGroupName": "main",
        "Granularity": "1Minute",
        "HealthStatus": "Healthy",
        "LifecycleActionResult": "CONTINUE",
        "LifecycleHookName": "coming",
        "NotificationTypes": ["autoscaling:EC2_INSTANCE_LAUNCH"],
        "ResourceType": "auto-scaling-group",
        "ResourceId": "main",
    },
    "cloudwatch": {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW},
    "elb": {"LoadBalancerName": "old", "LoadBalancerNames": ["old"]},
    "elbv2": {"Tags": TAGS, "TagKeys": ["asked"]},
    "ec2": {"Tags": TAGS, "SourceRegion": "us-east-1"},
    "s3": {"Bucket": "kept", "Key": "object", "CopySource": "kept/object", "ContentMD5": ""},
    "sns": {
        "Token": "x",
        "PhoneNumber": "+15550100",
        "phoneNumber": "+15550100",
        "AWSAccountId": ["123456789012"],
    },
    "sqs": {"QueueName": "inbox", "ActionName": "SendMessage", "Label": "asked"},
    "acm": {},
    "iam": {
        "AssumeRolePolicyDocument": TRUST,
        "PolicyDocument": POLICY,
        "PolicyName": "inline",
        "UserName": "ann",
        "Path": "/",
        "Url": "https://idp.example.com",
        "SAMLMetadataDocument": _METADATA,
        "AuthenticationCode1": "123456",
        "AuthenticationCode2": "123456",
        "CertificateBody": CERTIFICATE["Certificate"].decode(),
        "PrivateKey": CERTIFICATE["PrivateKey"].decode(),
        "AWSServiceName": "autoscaling.amazonaws.com",
    },
    "route53": {"VPC": {"VPCRegion": "us-east-1", "VPCId": "vpc-12345678"}},
}


def prepare(call: Call) -> dict[str, Any]:
    """In a cloud that has what the released states have: the names of what no list tells apart, and a few
    things more."""
    for bucket in ("locked", "lockable"):
        call("s3", "CreateBucket", {"Bucket": bucket, "ObjectLockEnabledForBucket": True})
    for bucket, key, more in (
        ("locked", "object", {}),
        ("kept", "table", {"Body": b"a,b\n1,2\n"}),
        ("kept", "frozen", {"StorageClass": "GLACIER"}),
    ):
        call("s3", "PutObject", {"Bucket": bucket, "Key": key, **more})
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": NOW + timedelta(hours=1)}
    call("s3", "PutObjectRetention", {"Bucket": "locked", "Key": "object", "Retention": retention})
    listed, aborted = (
        call("s3", "CreateMultipartUpload", {"Bucket": "kept", "Key": "asked"})["UploadId"] for _ in range(2)
    )
    dead = call("sqs", "CreateQueue", {"QueueName": "dead"})["QueueUrl"]
    letters = call("sqs", "GetQueueAttributes", {"QueueUrl": dead, "AttributeNames": ["QueueArn"]})
    dead_arn = letters["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    call("sqs", "CreateQueue", {"QueueName": "living", "Attributes": {"RedrivePolicy": redrive}})
    inbox = call("sqs", "GetQueueUrl", {"QueueName": "inbox"})["QueueUrl"]
    call("sqs", "SendMessage", {"QueueUrl": inbox, "MessageBody": "text"})
    for user in ("asked", "leaves"):
        call("iam", "CreateUser", {"UserName": user})
    call("iam", "CreateLoginProfile", {"UserName": "ann", "Password": "asked"})
    for version in range(2):
        call("iam", "CreatePolicy", {"PolicyName": f"asked{version}", "PolicyDocument": POLICY})
    shown = call("acm", "ListCertificates", {})["CertificateSummaryList"][0]["CertificateArn"]
    listening = {"Protocol": "HTTPS", "LoadBalancerPort": 8181, "SSLCertificateId": shown}
    old = {"LoadBalancerName": "old", "AvailabilityZones": ["us-east-1a", "us-east-1b"]}
    inside = {"InstanceProtocol": "HTTP", "InstancePort": 80}
    call("elb", "CreateLoadBalancer", {**old, "Listeners": [{**listening, **inside}]})
    proxy = {"LoadBalancerName": "old", "PolicyName": "proxy", **PROXY}
    call("elb", "CreateLoadBalancerPolicy", proxy)
    vpc = {"VPCRegion": "us-east-1", "VPCId": "vpc-12345678"}
    made = call("ec2", "CreateVpc", {"CidrBlock": "10.77.0.0/16"})["Vpc"]["VpcId"]
    subnet = call("ec2", "CreateSubnet", {"VpcId": made, "CidrBlock": "10.77.0.0/24"})["Subnet"]["SubnetId"]
    lone = call("ec2", "CreateVpc", {"CidrBlock": "10.78.0.0/16"})["Vpc"]["VpcId"]
    routed = call("ec2", "CreateRouteTable", {"VpcId": made})["RouteTable"]["RouteTableId"]
    gateway = call("ec2", "CreateInternetGateway", {})["InternetGateway"]["InternetGatewayId"]
    call("ec2", "AttachInternetGateway", {"InternetGatewayId": gateway, "VpcId": made})
    spare_group = call("ec2", "CreateSecurityGroup", {"GroupName": "spare", "Description": "spare"})[
        "GroupId"
    ]
    private = {"Name": "private.test", "CallerReference": "private", "VPC": vpc}
    zone = call("route53", "CreateHostedZone", {**private, "HostedZoneConfig": {"PrivateZone": True}})
    hooked = call("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroupNames": ["hooked", "main"]})
    members = {it["AutoScalingGroupName"]: it["Instances"] for it in hooked["AutoScalingGroups"]}
    named = [{"Name": "group-name", "Values": ["wall"]}]
    wall = call("ec2", "DescribeSecurityGroups", {"Filters": named})["SecurityGroups"][0]["GroupId"]
    rules = call("ec2", "DescribeSecurityGroupRules", {"Filters": [{"Name": "group-id", "Values": [wall]}]})
    stopped = [{"Name": "instance-state-name", "Values": ["stopped"]}]
    at_rest = call("ec2", "DescribeInstances", {"Filters": stopped})["Reservations"]
    resting = at_rest[0]["Instances"][0]
    spare, loose, held = (
        call(
            "ec2", "CreateVolume", {"AvailabilityZone": resting["Placement"]["AvailabilityZone"], "Size": 9}
        )["VolumeId"]
        for _ in range(3)
    )
    place = {"InstanceId": resting["InstanceId"], "Device": "/dev/sdw"}
    call("ec2", "AttachVolume", {"VolumeId": held, **place})
    return {
        "EmptyGatewayId": gateway,
        "EmptyRouteTableId": routed,
        "HeldVolumeId": held,
        "ListedUploadId": listed,
        "AbortedUploadId": aborted,
        "LoneVpcId": lone,
        "LooseVolumeId": loose,
        "SpareGroupId": spare_group,
        "SpareVolumeId": spare,
        "HookedInstanceId": members["hooked"][0]["InstanceId"],
        "MainInstanceId": members["main"][0]["InstanceId"],
        "EmptyVpcId": made,
        "EmptySubnetId": subnet,
        "WallGroupId": wall,
        "WallRuleId": next(
            it["SecurityGroupRuleId"] for it in rules["SecurityGroupRules"] if not it["IsEgress"]
        ),
        "StoppedInstanceId": resting["InstanceId"],
        "InboxUrl": inbox,
        "DeadQueueArn": dead_arn,
        "PrivateZoneId": zone["HostedZone"]["Id"].rpartition("/")[2],
    }


NOT_ANSWERED: set[tuple[str, str]] = {
    ("acm", "ExportCertificate"),
    ("autoscaling", "CompleteLifecycleAction"),
    ("autoscaling", "GetPredictiveScalingForecast"),
    ("autoscaling", "PutAccountSetting"),
    ("autoscaling", "RecordLifecycleActionHeartbeat"),
    ("autoscaling", "RollbackInstanceRefresh"),
    ("ec2", "AcceptTransitGatewayPeeringAttachment"),
    ("ec2", "CreateDefaultSubnet"),
    ("ec2", "CreateDefaultVpc"),
    ("ec2", "CreateVpcEndpointServiceConfiguration"),
    ("ec2", "DeleteFleets"),
    ("ec2", "DeleteNetworkInterface"),
    ("ec2", "DeleteVpcEndpoints"),
    ("ec2", "DescribeVpcEndpointServicePermissions"),
    ("ec2", "DetachNetworkInterface"),
    ("ec2", "DisassociateRouteTable"),
    ("ec2", "DisassociateSubnetCidrBlock"),
    ("ec2", "DisassociateVpcCidrBlock"),
    ("ec2", "ModifyEbsDefaultKmsKeyId"),
    ("ec2", "ModifyVpcEndpointServiceConfiguration"),
    ("ec2", "ModifyVpcEndpointServicePermissions"),
    ("ec2", "RejectTransitGatewayPeeringAttachment"),
    ("ec2", "RejectVpcPeeringConnection"),
    ("ec2", "ReplaceNetworkAclAssociation"),
    ("ec2", "RevokeSecurityGroupEgress"),
    ("iam", "DeletePolicyVersion"),
    ("iam", "DeleteServiceLinkedRole"),
    ("route53", "CreateQueryLoggingConfig"),
    ("route53", "DeleteQueryLoggingConfig"),
    ("route53", "GetQueryLoggingConfig"),
    ("sns", "ConfirmSubscription"),
    ("sqs", "CancelMessageMoveTask"),
    ("sts", "AssumeRoleWithSAML"),
}
"""Operations that are served, and refuse all that is asked here: most for what this cloud does not have."""
