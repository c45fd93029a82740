"""S3."""

from __future__ import annotations

import json

from tests.localcloud.whole.scripts.step import do

_TAGS = {"TagSet": [{"Key": "kept", "Value": "there"}]}
_POLICY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::there/secret"}
_RULES = {
    "Rules": [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "a"}, "Expiration": {"Days": 900}}]
}
_REPLICATION = {
    "Role": "arn:aws:iam::123456789012:role/there",
    "Rules": [
        {
            "ID": "all",
            "Status": "Enabled",
            "Priority": 1,
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": "arn:aws:s3:::locked"},
        }
    ],
}

S3 = [
    do("CreateBucket", Bucket="there"),
    do("CreateBucket", "locked", Bucket="locked", ObjectLockEnabledForBucket=True),
    do("PutObject", Bucket="there", Key="key", Body=b"first"),
    do("PutBucketVersioning", Bucket="there", VersioningConfiguration={"Status": "Enabled"}),
    do("PutObject", "second", Bucket="there", Key="key", Body=b"x" * 70_000),
    do("PutObjectTagging", Bucket="there", Key="key", Tagging=_TAGS),
    do("DeleteObjectTagging", Bucket="there", Key="key"),
    do("PutObjectAcl", Bucket="there", Key="key", ACL="bucket-owner-full-control"),
    do("CopyObject", Bucket="there", Key="copy", CopySource="there/key"),
    do("CreateMultipartUpload", Bucket="there", Key="parts"),
    do("UploadPart", "part", Bucket="there", Key="parts", PartNumber=1, UploadId="$UploadId", Body=b"part"),
    do(
        "CompleteMultipartUpload",
        Bucket="there",
        Key="parts",
        UploadId="$UploadId",
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": "$part.ETag"}]},
    ),
    do("CreateMultipartUpload", "again", Bucket="there", Key="parts"),
    do(
        "UploadPartCopy",
        Bucket="there",
        Key="parts",
        PartNumber=1,
        UploadId="$again.UploadId",
        CopySource="there/key",
    ),
    do("AbortMultipartUpload", Bucket="there", Key="parts", UploadId="$again.UploadId"),
    do("DeleteObject", Bucket="there", Key="copy"),
    do("DeleteObjects", Bucket="there", Delete={"Objects": [{"Key": "parts"}]}),
    do("PutObject", "frozen", Bucket="there", Key="cold", Body=b"cold", StorageClass="GLACIER"),
    do("RestoreObject", Bucket="there", Key="cold", RestoreRequest={"Days": 2}),
    do("PutBucketTagging", Bucket="there", Tagging=_TAGS),
    do("DeleteBucketTagging", Bucket="there"),
    do("PutBucketAcl", Bucket="there", ACL="private"),
    do(
        "PutBucketCors",
        Bucket="there",
        CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
    ),
    do("DeleteBucketCors", Bucket="there"),
    do(
        "PutBucketEncryption",
        Bucket="there",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    ),
    do("DeleteBucketEncryption", Bucket="there"),
    do("PutBucketLifecycleConfiguration", Bucket="there", LifecycleConfiguration=_RULES),
    do("DeleteBucketLifecycle", Bucket="there"),
    do(
        "PutBucketOwnershipControls",
        Bucket="there",
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
    ),
    do("DeleteBucketOwnershipControls", Bucket="there"),
    do(
        "PutBucketPolicy",
        Bucket="there",
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [_POLICY]}),
    ),
    do("DeleteBucketPolicy", Bucket="there"),
    do("PutBucketVersioning", "locked", Bucket="locked", VersioningConfiguration={"Status": "Enabled"}),
    do("PutBucketReplication", Bucket="there", ReplicationConfiguration=_REPLICATION),
    do("DeleteBucketReplication", Bucket="there"),
    do("PutBucketWebsite", Bucket="there", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}),
    do("DeleteBucketWebsite", Bucket="there"),
    do("PutBucketAccelerateConfiguration", Bucket="there", AccelerateConfiguration={"Status": "Enabled"}),
    do("CreateBucket", "logs", Bucket="logs", ObjectOwnership="ObjectWriter"),
    do("PutBucketAcl", "logs", Bucket="logs", ACL="log-delivery-write"),
    do(
        "PutBucketLogging",
        Bucket="there",
        BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "a"}},
    ),
    do(
        "PutBucketNotificationConfiguration",
        Bucket="there",
        NotificationConfiguration={
            "QueueConfigurations": [
                {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:told", "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    ),
    do(
        "PutPublicAccessBlock",
        Bucket="there",
        PublicAccessBlockConfiguration={"BlockPublicAcls": True},
    ),
    do("DeletePublicAccessBlock", Bucket="there"),
    do(
        "PutObjectLockConfiguration",
        Bucket="locked",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    ),
    do("PutObject", "held", Bucket="locked", Key="held", Body=b"held"),
    do("PutObjectLegalHold", Bucket="locked", Key="held", LegalHold={"Status": "ON"}),
    do(
        "PutObjectRetention",
        Bucket="locked",
        Key="held",
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": "2035-01-01T00:00:00Z"},
    ),
    do("PutBucketRequestPayment", Bucket="there", RequestPaymentConfiguration={"Payer": "Requester"}),
    do("PutBucketAbac", Bucket="there", AbacStatus={"Status": "Enabled"}),
    do(
        "PutBucketAnalyticsConfiguration",
        Bucket="there",
        Id="a",
        AnalyticsConfiguration={"Id": "a", "StorageClassAnalysis": {}},
    ),
    do("DeleteBucketAnalyticsConfiguration", Bucket="there", Id="a"),
    do("PutBucketMetricsConfiguration", Bucket="there", Id="a", MetricsConfiguration={"Id": "a"}),
    do("DeleteBucketMetricsConfiguration", Bucket="there", Id="a"),
    do(
        "PutBucketIntelligentTieringConfiguration",
        Bucket="there",
        Id="a",
        IntelligentTieringConfiguration={
            "Id": "a",
            "Status": "Enabled",
            "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}],
        },
    ),
    do("DeleteBucketIntelligentTieringConfiguration", Bucket="there", Id="a"),
    do(
        "PutBucketInventoryConfiguration",
        Bucket="there",
        Id="a",
        InventoryConfiguration={
            "Id": "a",
            "IsEnabled": True,
            "IncludedObjectVersions": "All",
            "Schedule": {"Frequency": "Daily"},
            "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::locked", "Format": "CSV"}},
        },
    ),
    do("DeleteBucketInventoryConfiguration", Bucket="there", Id="a"),
    do("CreateBucket", "brief", Bucket="brief"),
    do("DeleteBucket", Bucket="brief"),
]
