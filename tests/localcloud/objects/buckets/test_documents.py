"""What is put for a bucket is given as it was put; what was not put is missed by S3's own code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.localcloud.objects.buckets.conftest import Served, refused

_RULE = {
    "ID": "all",
    "Status": "Enabled",
    "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}},
    "Expiration": {"Days": 3},
    "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
    "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
}
_CORS = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
LIFECYCLE = "bucket_lifecycle_configuration"
_KMS = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:123456789012:key/one"}
_DENY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}
_INVENTORY = {
    "Id": "one",
    "IsEnabled": True,
    "IncludedObjectVersions": "All",
    "Schedule": {"Frequency": "Daily"},
    "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::any", "Format": "CSV"}},
    "OptionalFields": ["Size", "ETag"],
}
DOCUMENTS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "bucket_cors": (
        "CORSConfiguration",
        "",
        {"CORSRules": [{"ID": "a", "AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 9}]},
        "NoSuchCORSConfiguration",
    ),
    "bucket_encryption": (
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfiguration",
        {"Rules": [{"ApplyServerSideEncryptionByDefault": _KMS, "BucketKeyEnabled": True}]},
        "",
    ),
    LIFECYCLE: (
        "LifecycleConfiguration",
        "",
        {"Rules": [_RULE, {"ID": "none", "Status": "Disabled", "Prefix": "", "Expiration": {"Days": 1}}]},
        "NoSuchLifecycleConfiguration",
    ),
    "bucket_ownership_controls": (
        "OwnershipControls",
        "OwnershipControls",
        {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
        "",
    ),
    "bucket_request_payment": ("RequestPaymentConfiguration", "", {"Payer": "Requester"}, ""),
    "bucket_tagging": (
        "Tagging",
        "",
        {"TagSet": [{"Key": "b", "Value": ""}, {"Key": "a", "Value": "é"}]},
        "NoSuchTagSet",
    ),
    "bucket_website": (
        "WebsiteConfiguration",
        "",
        {
            "IndexDocument": {"Suffix": "index.html"},
            "RoutingRules": [{"Condition": {"KeyPrefixEquals": "d/"}, "Redirect": {"ReplaceKeyWith": "e"}}],
        },
        "NoSuchWebsiteConfiguration",
    ),
    "public_access_block": (
        "PublicAccessBlockConfiguration",
        "PublicAccessBlockConfiguration",
        {
            "BlockPublicAcls": True,
            "IgnorePublicAcls": False,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": False,
        },
        "",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_was_put_is_given_and_goes_again(served: Served, name: str) -> None:
    said, given, document, missing = DOCUMENTS[name]
    bucket = served.bucket()
    get: Any = getattr(served.s3, f"get_{name}")
    if missing:
        with refused(missing, 404) as told:
            get(Bucket=bucket)
        assert told["BucketName"] == bucket
    getattr(served.s3, f"put_{name}")(Bucket=bucket, **{said: document})
    found = get(Bucket=bucket)
    found = found[given] if given else {key: value for key, value in found.items() if key in document}
    assert found == document
    delete = f"delete_{name.removesuffix('_configuration')}"
    if hasattr(served.s3, delete):
        getattr(served.s3, delete)(Bucket=bucket)
        getattr(served.s3, delete)(Bucket=bucket)
        if missing:
            with refused(missing, 404):
                get(Bucket=bucket)


def test_a_new_bucket_is_as_a_new_one_of_aws_is_but_for_the_block_on_what_is_public(served: Served) -> None:
    s3, bucket = served.s3, served.bucket()
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    assert encryption == [default]
    ownership = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    with refused("AccessControlListNotSupported"):
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        s3.get_public_access_block(Bucket=bucket)
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{bucket}",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    with refused("AccessDenied", 403):
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def test_several_of_a_kind_are_kept_by_their_ids(served: Served) -> None:
    s3, bucket = served.s3, served.bucket()
    s3.put_bucket_inventory_configuration(Bucket=bucket, Id="one", InventoryConfiguration=_INVENTORY)
    found = s3.list_bucket_inventory_configurations(Bucket=bucket)
    assert (found["InventoryConfigurationList"], found["IsTruncated"]) == ([_INVENTORY], False)
    with refused("NoSuchConfiguration", 404):
        s3.get_bucket_inventory_configuration(Bucket=bucket, Id="other")
    for number in range(102):
        name = f"{number:03}"
        s3.put_bucket_metrics_configuration(Bucket=bucket, Id=name, MetricsConfiguration={"Id": name})
    first = s3.list_bucket_metrics_configurations(Bucket=bucket)
    rest = s3.list_bucket_metrics_configurations(
        Bucket=bucket, ContinuationToken=first["NextContinuationToken"]
    )
    assert [len(it["MetricsConfigurationList"]) for it in (first, rest)] == [100, 2]


@pytest.mark.parametrize(
    ("operation", "document", "code"),
    [
        (
            "bucket_cors",
            {"CORSRules": [{**_CORS, "AllowedMethods": ["PATCH"]}]},
            "InvalidRequest",
        ),
        (
            "bucket_cors",
            {"CORSRules": [{**_CORS, "AllowedOrigins": ["*.*"]}]},
            "InvalidRequest",
        ),
        (LIFECYCLE, {"Rules": [{**_RULE, "Prefix": "x"}]}, "MalformedXML"),
        (LIFECYCLE, {"Rules": [_RULE, _RULE]}, "InvalidArgument"),
        (
            LIFECYCLE,
            {"Rules": [{**_RULE, "Expiration": {"Days": 0}}]},
            "InvalidArgument",
        ),
        (
            LIFECYCLE,
            {"Rules": [{"Status": "Enabled", "Filter": {}}]},
            "InvalidRequest",
        ),
        (LIFECYCLE, {"Rules": [{**_RULE, "Status": "Maybe"}]}, "MalformedXML"),
        (
            "bucket_tagging",
            {"TagSet": [{"Key": "a", "Value": "1"}] * 2},
            "InvalidTag",
        ),
        ("bucket_website", {"ErrorDocument": {"Key": "x"}}, "InvalidArgument"),
    ],
)
def test_what_is_malformed_is_refused_and_changes_nothing(
    served: Served, operation: str, document: dict[str, Any], code: str
) -> None:
    said, given, good, _ = DOCUMENTS[operation]
    bucket = served.bucket()
    put: Any = getattr(served.s3, f"put_{operation}")
    put(Bucket=bucket, **{said: good})
    with refused(code):
        put(Bucket=bucket, **{said: document})
    found = getattr(served.s3, f"get_{operation}")(Bucket=bucket)
    assert {key: value for key, value in (found[given] if given else found).items() if key in good} == good


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("{", "valid JSON"),
        ("{}", "Statement"),
        (json.dumps({"Statement": [{"Effect": "Allow"}]}), "Principal"),
        (json.dumps({"Statement": [{**_DENY, "Action": "ec2:*", "Resource": "*"}]}), "action"),
        (json.dumps({"Statement": {**_DENY, "Resource": "arn:aws:s3:::another/*"}}), "resource"),
    ],
)
def test_a_policy_that_is_none_is_refused(served: Served, policy: str, said: str) -> None:
    with refused("MalformedPolicy") as told:
        served.s3.put_bucket_policy(Bucket=served.bucket(), Policy=policy)
    assert said in told["Message"]
