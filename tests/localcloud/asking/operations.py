"""What operations want that their models do not say: parameters by service and operation."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.localcloud.asking.balancing import BALANCING
from tests.localcloud.asking.given import TAGS, Given, There
from tests.localcloud.certificates import self_signed

Call = Callable[[str, str, dict[str, Any]], dict[str, Any]]

CERTIFICATE = self_signed("asked.example.com")
NOW = datetime.now(UTC)
_SOON, _LATER = NOW + timedelta(days=1), NOW + timedelta(days=2)
SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHnCpiGVzBLgTqtGKQlyxQOBsR3bVmmM2k9OQaS5Jpfa asked"
_STATEMENT = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [_STATEMENT]})
_TRUSTED = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [_TRUSTED]})
_ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::kept/*"}
_TEMPLATE = {"LaunchTemplateName": "kept", "Version": "$Latest"}
ALARM = {
    "Namespace": "Kept",
    "MetricName": "plain",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
_STAT = {"Metric": {"Namespace": "Kept", "MetricName": "plain"}, "Period": 60, "Stat": "Sum"}
_PERMISSION = {"IpProtocol": "tcp", "FromPort": 7, "ToPort": 7, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
_EVERYWHERE = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
_ETAG = '"1cb251ec0d568de6a929b520c4aed8d1"'  # of "text"


def _route(there: There) -> dict[str, Any]:
    return {
        "RouteTableId": there["EmptyRouteTableId"],
        "DestinationCidrBlock": "10.200.0.0/16",
        "GatewayId": there["EmptyGatewayId"],
    }


def _hooked(there: There) -> dict[str, Any]:
    return {"AutoScalingGroupName": "hooked", "InstanceId": there["HookedInstanceId"]}


OPERATIONS: dict[str, dict[str, Given]] = {
    "autoscaling": {
        "AttachLoadBalancers": {"LoadBalancerNames": ["old"]},
        "AttachTrafficSources": lambda there: {"TrafficSources": [{"Identifier": there["TargetGroupARN"]}]},
        "CreateAutoScalingGroup": {
            "AutoScalingGroupName": "asked",
            "LaunchTemplate": _TEMPLATE,
            "MaxSize": 2,
            "MinSize": 0,
            "AvailabilityZones": ["us-east-1a"],
        },
        "CreateLaunchConfiguration": {
            "LaunchConfigurationName": "asked",
            "ImageId": "ami-12c6146b",
            "InstanceType": "t3.nano",
        },
        "CreateOrUpdateTags": {
            "Tags": [
                {
                    "Key": "a",
                    "Value": "b",
                    "ResourceId": "main",
                    "ResourceType": "auto-scaling-group",
                    "PropagateAtLaunch": True,
                }
            ]
        },
        "DetachLoadBalancers": {"LoadBalancerNames": []},
        "DetachTrafficSources": lambda there: {"TrafficSources": [{"Identifier": there["TargetGroupARN"]}]},
        "ExecutePolicy": {"AutoScalingGroupName": "main", "PolicyName": "simple"},
        "LaunchInstances": {"AvailabilityZones": ["us-east-1a"]},
        "PutLifecycleHook": {
            "LifecycleHookName": "asked",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
        },
        "PutScalingPolicy": {
            "PolicyName": "asked",
            "PolicyType": "SimpleScaling",
            "AdjustmentType": "ChangeInCapacity",
            "ScalingAdjustment": 1,
        },
        "PutScheduledUpdateGroupAction": {"ScheduledActionName": "asked", "StartTime": _SOON, "MinSize": 0},
        "CancelInstanceRefresh": {"AutoScalingGroupName": "refreshing"},
        "CompleteLifecycleAction": _hooked,
        "DeleteAutoScalingGroup": {"AutoScalingGroupName": "asked"},
        "DeleteLaunchConfiguration": {"LaunchConfigurationName": "asked"},
        "DeleteLifecycleHook": {"LifecycleHookName": "asked"},
        "DeletePolicy": {"AutoScalingGroupName": "main", "PolicyName": "asked"},
        "DeleteScheduledAction": {"ScheduledActionName": "asked"},
        "DetachInstances": lambda there: {
            "InstanceIds": [there["MainInstanceId"]],
            "ShouldDecrementDesiredCapacity": False,
        },
        "RecordLifecycleActionHeartbeat": _hooked,
        "RollbackInstanceRefresh": {"AutoScalingGroupName": "refreshing"},
    },
    "cloudwatch": {
        "GetMetricData": {"MetricDataQueries": [{"Id": "m", "MetricStat": _STAT}]},
        "GetMetricStatistics": {
            "Namespace": "Kept",
            "MetricName": "plain",
            "Period": 60,
            "Statistics": ["Sum"],
        },
        "PutCompositeAlarm": {"AlarmName": "askedboth", "AlarmRule": "TRUE"},
        "PutDashboard": {"DashboardName": "asked", "DashboardBody": '{"widgets": []}'},
        "PutMetricAlarm": {"AlarmName": "asked", **ALARM},
        "PutMetricData": {"Namespace": "Kept", "MetricData": [{"MetricName": "plain", "Value": 1.0}]},
        "ListTagsForResource": lambda there: {"ResourceARN": there["AlarmArn"]},
        "TagResource": lambda there: {"ResourceARN": there["AlarmArn"]},
        "UntagResource": lambda there: {"ResourceARN": there["AlarmArn"]},
        "SetAlarmState": {"AlarmName": "asked", "StateValue": "ALARM", "StateReason": "asked"},
    },
    **BALANCING,
    "ec2": {
        "CreateSubnetCidrReservation": lambda there: {
            "SubnetId": there["EmptySubnetId"],
            "Cidr": "10.77.0.16/28",
        },
        "CreateVpcEndpointServiceConfiguration": lambda there: {
            "NetworkLoadBalancerArns": [there["LoadBalancerArn"]]
        },
        "DeleteFleets": lambda there: {"FleetIds": [there["FleetId"]], "TerminateInstances": False},
        "RequestSpotFleet": {
            "SpotFleetRequestConfig": {
                "IamFleetRole": "arn:aws:iam::123456789012:role/server",
                "TargetCapacity": 1,
                "AllocationStrategy": "lowestPrice",
                "LaunchTemplateConfigs": [{"LaunchTemplateSpecification": _TEMPLATE}],
            }
        },
        "AssociateRouteTable": lambda there: {
            "RouteTableId": there["EmptyRouteTableId"],
            "SubnetId": there["EmptySubnetId"],
        },
        "AttachVolume": lambda there: {
            "VolumeId": there["SpareVolumeId"],
            "InstanceId": there["StoppedInstanceId"],
            "Device": "/dev/sdx",
        },
        "CreateRoute": _route,
        "DeleteInternetGateway": lambda there: {"InternetGatewayId": there["EmptyGatewayId"]},
        "DeleteRoute": lambda there: {
            "RouteTableId": there["EmptyRouteTableId"],
            "DestinationCidrBlock": "10.200.0.0/16",
        },
        "DeleteSecurityGroup": lambda there: {"GroupId": there["SpareGroupId"]},
        "DeleteVpc": lambda there: {"VpcId": there["LoneVpcId"]},
        "DeleteVolume": lambda there: {"VolumeId": there["LooseVolumeId"]},
        "DetachInternetGateway": lambda there: {
            "InternetGatewayId": there["EmptyGatewayId"],
            "VpcId": there["EmptyVpcId"],
        },
        "DetachVolume": lambda there: {"VolumeId": there["HeldVolumeId"]},
        "ModifyVolume": lambda there: {"VolumeId": there["LooseVolumeId"], "Size": 20},
        "ReplaceRoute": _route,
        "CopySnapshot": lambda there: {"SourceSnapshotId": there["SnapshotId"]},
        "DisassociateRouteTable": lambda there: {"AssociationId": there["RouteTableAssociationId"]},
        "ReplaceRouteTableAssociation": lambda there: {"AssociationId": there["RouteTableAssociationId"]},
        "ModifySecurityGroupRules": lambda there: {
            "GroupId": there["WallGroupId"],
            "SecurityGroupRules": [
                {
                    "SecurityGroupRuleId": there["WallRuleId"],
                    "SecurityGroupRule": {
                        "IpProtocol": "tcp",
                        "FromPort": 9,
                        "ToPort": 9,
                        "CidrIpv4": "10.0.0.0/8",
                    },
                }
            ],
        },
        "RevokeSecurityGroupEgress": lambda there: {
            "GroupId": there["WallGroupId"],
            "IpPermissions": [_EVERYWHERE],
        },
        "RevokeSecurityGroupIngress": lambda there: {
            "GroupId": there["WallGroupId"],
            "IpPermissions": [_PERMISSION],
        },
        "AllocateAddress": {"Domain": "vpc"},
        "AssociateIamInstanceProfile": {"IamInstanceProfile": {"Name": "server"}},
        "AssignPrivateIpAddresses": {"SecondaryPrivateIpAddressCount": 1},
        "AuthorizeSecurityGroupIngress": lambda there: {
            "GroupId": there["WallGroupId"],
            "IpPermissions": [_PERMISSION],
        },
        "AuthorizeSecurityGroupEgress": lambda there: {
            "GroupId": there["WallGroupId"],
            "IpPermissions": [_PERMISSION],
        },
        "CopyImage": lambda there: {"Name": "asked", "SourceImageId": there["ImageId"]},
        "CreateFleet": {
            "Type": "instant",
            "LaunchTemplateConfigs": [{"LaunchTemplateSpecification": _TEMPLATE}],
            "TargetCapacitySpecification": {
                "TotalTargetCapacity": 1,
                "DefaultTargetCapacityType": "on-demand",
            },
        },
        "CreateFlowLogs": lambda there: {
            "ResourceIds": [there["VpcId"]],
            "TrafficType": "ALL",
            "LogDestinationType": "s3",
            "LogDestination": "arn:aws:s3:::kept",
        },
        "CreateKeyPair": {"KeyName": "asked", "KeyType": "ed25519"},
        "CreateLaunchTemplate": {
            "LaunchTemplateName": "asked",
            "LaunchTemplateData": {"ImageId": "ami-12c6146b", "InstanceType": "t3.nano"},
        },
        "CreateLaunchTemplateVersion": {
            "LaunchTemplateName": "kept",
            "LaunchTemplateData": {"ImageId": "ami-12c6146b", "InstanceType": "t3.nano"},
        },
        "CreateTags": lambda there: {"Resources": [there["VpcId"]]},
        "CreateSubnet": lambda there: {"VpcId": there["EmptyVpcId"], "CidrBlock": "10.77.1.0/24"},
        "CreateVolume": {"AvailabilityZone": "us-east-1a", "Size": 1},
        "CreateVpc": {"CidrBlock": "10.10.0.0/16"},
        "CreateVpcPeeringConnection": lambda there: {"PeerVpcId": there["VpcId"]},
        "DeleteLaunchTemplateVersions": {"LaunchTemplateName": "kept", "Versions": ["2"]},
        "DeleteTags": lambda there: {"Resources": [there["VpcId"]]},
        "DescribeLaunchTemplateVersions": {"LaunchTemplateName": "kept"},
        "DisassociateAddress": lambda there: {"PublicIp": there["PublicIp"]},
        "ImportKeyPair": {"KeyName": "imported", "PublicKeyMaterial": SSH.encode()},
        "ModifyInstanceAttribute": {"DisableApiStop": {"Value": False}},
        "ModifyInstancePlacement": lambda there: {"InstanceId": there["StoppedInstanceId"], "GroupName": ""},
        "ModifyLaunchTemplate": {"LaunchTemplateName": "kept", "DefaultVersion": "1"},
        "ReplaceIamInstanceProfileAssociation": {"IamInstanceProfile": {"Name": "server"}},
        "RequestSpotInstances": {
            "LaunchSpecification": {"ImageId": "ami-12c6146b", "InstanceType": "t3.nano"}
        },
        "RunInstances": {
            "ClientToken": "",
            "ImageId": "ami-12c6146b",
            "InstanceType": "t3.nano",
            "MinCount": 1,
            "MaxCount": 1,
        },
        "SearchTransitGatewayRoutes": {"Filters": [{"Name": "state", "Values": ["active"]}]},
    },
    "s3": {
        "GetObjectLockConfiguration": {"Bucket": "locked"},
        "GetObjectLegalHold": {"Bucket": "locked"},
        "GetObjectRetention": {"Bucket": "locked"},
        "AbortMultipartUpload": lambda there: {"Key": "asked", "UploadId": there["AbortedUploadId"]},
        "ListParts": lambda there: {"Key": "asked", "UploadId": there["ListedUploadId"]},
        "PutBucketAccelerateConfiguration": {"AccelerateConfiguration": {"Status": "Enabled"}},
        "SelectObjectContent": {
            "Key": "table",
            "Expression": "SELECT * FROM S3Object",
            "ExpressionType": "SQL",
            "InputSerialization": {"CSV": {"FileHeaderInfo": "USE"}},
            "OutputSerialization": {"JSON": {}},
        },
        "CompleteMultipartUpload": lambda there: {
            "Key": "asked",
            "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": _ETAG}]},
        },
        "CreateBucket": {"Bucket": "asked"},
        "CreateMultipartUpload": {"Key": "asked"},
        "DeleteBucket": {"Bucket": "asked"},
        "PutBucketAcl": {"ACL": "private"},
        "PutBucketCors": {
            "CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
        },
        "PutBucketEncryption": {
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            }
        },
        "PutBucketLifecycle": {
            "LifecycleConfiguration": {
                "Rules": [{"ID": "a", "Prefix": "t/", "Status": "Enabled", "Expiration": {"Days": 900}}]
            }
        },
        "PutBucketLifecycleConfiguration": {
            "LifecycleConfiguration": {
                "Rules": [
                    {"ID": "a", "Filter": {"Prefix": "t/"}, "Status": "Enabled", "Expiration": {"Days": 900}}
                ]
            }
        },
        "PutBucketPolicy": {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [_ANYBODY]})},
        "PutBucketReplication": {
            "ReplicationConfiguration": {
                "Role": "arn:aws:iam::123456789012:role/server",
                "Rules": [
                    {
                        "ID": "r",
                        "Priority": 1,
                        "Filter": {"Prefix": ""},
                        "Status": "Enabled",
                        "DeleteMarkerReplication": {"Status": "Disabled"},
                        "Destination": {"Bucket": "arn:aws:s3:::locked"},
                    }
                ],
            }
        },
        "PutBucketVersioning": {"VersioningConfiguration": {"Status": "Enabled"}},
        "PutBucketWebsite": {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}},
        "PutObject": {"Body": b"text"},
        "PutObjectAcl": {"ACL": "private"},
        "PutObjectLegalHold": {"Bucket": "locked", "LegalHold": {"Status": "OFF"}},
        "PutObjectLockConfiguration": {
            "Bucket": "lockable",
            "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"},
        },
        "PutObjectRetention": {
            "Bucket": "locked",
            "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": _SOON},
        },
        "PutObjectTagging": {"Tagging": {"TagSet": TAGS}},
        "PutPublicAccessBlock": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
        "RestoreObject": {"Key": "frozen", "RestoreRequest": {"Days": 1}},
        "UploadPart": {"Key": "asked", "PartNumber": 1, "Body": b"text"},
        "UploadPartCopy": {"Key": "asked", "PartNumber": 1},
    },
    "sns": {
        "ListTagsForResource": lambda there: {"ResourceArn": there["TopicArn"]},
        "TagResource": lambda there: {"ResourceArn": there["TopicArn"]},
        "UntagResource": lambda there: {"ResourceArn": there["TopicArn"]},
        "AddPermission": {"ActionName": ["Publish"]},
        "CreatePlatformApplication": {"Platform": "APNS", "Attributes": {}},
        "Publish": lambda there: {"TopicArn": there["TopicArn"]},
        "Subscribe": {"Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:123456789012:inbox"},
        "SetSubscriptionAttributes": {"AttributeName": "RawMessageDelivery", "AttributeValue": "true"},
    },
    "sqs": {
        "DeleteMessage": lambda there: {
            "QueueUrl": there["InboxUrl"],
            "ReceiptHandle": there["ReceiptHandle"],
        },
        "RemovePermission": lambda there: {"QueueUrl": there["InboxUrl"]},
        "ReceiveMessage": lambda there: {"QueueUrl": there["InboxUrl"]},
        "AddPermission": lambda there: {
            "QueueUrl": there["InboxUrl"],
            "Actions": ["SendMessage"],
            "AWSAccountIds": ["123456789012"],
        },
        "CreateQueue": {"QueueName": "asked"},
        "ListMessageMoveTasks": lambda there: {"SourceArn": there["DeadQueueArn"]},
        "StartMessageMoveTask": lambda there: {"SourceArn": there["DeadQueueArn"]},
        "SetQueueAttributes": {"Attributes": {"VisibilityTimeout": "30"}},
    },
    "acm": {
        "ImportCertificate": {
            "Certificate": CERTIFICATE["Certificate"],
            "PrivateKey": CERTIFICATE["PrivateKey"],
        },
        "RequestCertificate": {"DomainName": "asked.example.com"},
        "ResendValidationEmail": {"Domain": "asked.example.com", "ValidationDomain": "example.com"},
    },
    "iam": {
        "CreateServiceLinkedRole": {"AWSServiceName": "autoscaling.amazonaws.com"},
        "GetLoginProfile": {"UserName": "ann"},
        "UpdateLoginProfile": {"UserName": "ann"},
        "DeleteLoginProfile": {"UserName": "asked"},
        "DeletePolicy": {"PolicyArn": "arn:aws:iam::123456789012:policy/asked0"},
        "DeleteUser": {"UserName": "leaves"},
        "CreateLoginProfile": {"UserName": "asked", "Password": "asked"},
        "UpdateAssumeRolePolicy": {"PolicyDocument": TRUST},
        "PutRolePermissionsBoundary": lambda there: {"PermissionsBoundary": there["PolicyArn"]},
        "UploadSSHPublicKey": {"SSHPublicKeyBody": SSH},
    },
    "route53": {
        "AssociateVPCWithHostedZone": lambda there: {
            "HostedZoneId": there["PrivateZoneId"],
            "VPC": {"VPCRegion": "us-east-1", "VPCId": "vpc-87654321"},
        },
        "DisassociateVPCFromHostedZone": lambda there: {
            "HostedZoneId": there["PrivateZoneId"],
            "VPC": {"VPCRegion": "us-east-1", "VPCId": "vpc-87654321"},
        },
        "DeleteHostedZone": lambda there: {"Id": there.every("HostedZoneId")[-1]},
        "GetReusableDelegationSet": lambda there: {"Id": there["DelegationSetId"]},
        "UpdateHostedZoneComment": lambda there: {"Id": there["HostedZoneId"]},
        "ChangeResourceRecordSets": {
            "ChangeBatch": {
                "Changes": [
                    {
                        "Action": "UPSERT",
                        "ResourceRecordSet": {
                            "Name": "asked.example.test",
                            "Type": "A",
                            "TTL": 60,
                            "ResourceRecords": [{"Value": "127.0.0.1"}],
                        },
                    }
                ]
            }
        },
        "CreateHostedZone": {"Name": "asked.test", "CallerReference": "asked"},
        "CreateHealthCheck": {
            "CallerReference": "asked",
            "HealthCheckConfig": {"Type": "TCP", "IPAddress": "127.0.0.1", "Port": 80},
        },
        "CreateQueryLoggingConfig": {
            "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:asked"
        },
    },
}
