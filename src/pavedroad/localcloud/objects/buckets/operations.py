"""Buckets are made, found, listed and deleted."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.objects import acl, tagging
from pavedroad.localcloud.objects.buckets.names import check_name
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.model import Bucket
from pavedroad.localcloud.objects.owners import owner
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, malformed
from pavedroad.localcloud.regions import HOME, REGIONS

MOST_TAGS = 50
_MOST_LISTED = 10_000
_OLDER_NAMES = {"EU": "eu-west-1"}


def create_bucket(call: Call) -> Result:
    name = call.parameters["Bucket"]
    configured = call.structure("CreateBucketConfiguration")
    region = _region(call, configured.get("LocationConstraint"))
    check_name(name)
    ownership = call.get("ObjectOwnership", "BucketOwnerEnforced")
    made = Bucket(name, call.account, region, call.now)
    made.configuration["BucketOwnershipControls"] = {"Rules": [{"ObjectOwnership": ownership}]}
    grants = _grants(call, made, ownership)
    if grants is not None:
        made.configuration["BucketAcl"] = {"Owner": owner(call.account), "Grants": grants}
    if tags := configured.get("Tags"):
        made.configuration["BucketTagging"] = {"TagSet": tagging.listed(tagging.checked(tags, MOST_TAGS))}
    if call.get("ObjectLockEnabledForBucket"):
        made.locks_objects = True
        made.versioning = "Enabled"
    there = call.store.buckets.get(name)
    if there is None:
        call.store.buckets[name] = made
    elif there.account != call.account:
        raise Refused(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the "
            "system. Please select a different name and try again.",
            409,
            BucketName=name,
        )
    elif not there.region == call.region == region == HOME:
        raise Refused(
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
            409,
            BucketName=name,
        )
    location = f"/{name}" if region == HOME else f"http://{name}.s3.amazonaws.com/"
    return Result({"Location": location, "BucketArn": arn_of(name)})


def delete_bucket(call: Call) -> Result:
    bucket = call.bucket()
    if bucket.keys:
        more = " You must delete all versions in the bucket." if bucket.versioning else ""
        raise Refused(
            "BucketNotEmpty",
            f"The bucket you tried to delete is not empty.{more}",
            409,
            BucketName=bucket.name,
        )
    del call.store.buckets[bucket.name]
    return Result(status=204)


def head_bucket(call: Call) -> Result:
    bucket = call.bucket()
    members = {"BucketRegion": bucket.region, "AccessPointAlias": False, "BucketArn": arn_of(bucket.name)}
    return Result(members)


def get_bucket_location(call: Call) -> Result:
    region = call.bucket().region
    return Result({"LocationConstraint": None if region == HOME else region})


def list_buckets(call: Call) -> Result:
    prefix, region = call.get("Prefix", ""), call.get("BucketRegion", "")
    most = call.get("MaxBuckets", _MOST_LISTED)
    if not 1 <= most <= _MOST_LISTED:
        raise bad_argument(
            f"Argument max-buckets must be an integer between 1 and {_MOST_LISTED}", "max-buckets", most
        )
    after = _after(call.get("ContinuationToken"))
    names = sorted(
        bucket.name
        for bucket in call.store.buckets.values()
        if bucket.account == call.account
        and bucket.name.startswith(prefix)
        and bucket.name > after
        and (not region or bucket.region == region)
    )
    shown = names[:most]
    told: dict[str, Any] = {
        "Owner": owner(call.account),
        "Buckets": [_listed(call.store.buckets[name]) for name in shown],
    }
    if prefix:
        told["Prefix"] = prefix
    if len(names) > len(shown):
        told["ContinuationToken"] = base64.urlsafe_b64encode(shown[-1].encode()).decode()
    return Result(told)


def get_bucket_versioning(call: Call) -> Result:
    bucket = call.bucket()
    kept: Mapping[str, Any] = bucket.configuration.get("BucketVersioning") or {}
    status = {"Status": bucket.versioning} if bucket.versioning else {}
    return Result({**status, **{name: it for name, it in kept.items() if name == "MFADelete"}})


def put_bucket_versioning(call: Call) -> Result:
    bucket = call.bucket()
    said = call.structure("VersioningConfiguration")
    status = said.get("Status")
    if status is None:
        raise Refused(
            "IllegalVersioningConfigurationException",
            "The Versioning element must be specified",
        )
    if bucket.locks_objects and status == "Suspended":
        raise Refused(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be "
            "changed.",
            409,
        )
    bucket.versioning = status
    if said.get("MFADelete"):
        bucket.configuration["BucketVersioning"] = {"MFADelete": said["MFADelete"]}
    return Result()


def get_bucket_acl(call: Call) -> Result:
    bucket = call.bucket()
    kept = bucket.configuration.get("BucketAcl")
    return Result(kept or {"Owner": owner(bucket.account), "Grants": acl.by_default(bucket.account)})


def put_bucket_acl(call: Call) -> Result:
    bucket = call.bucket()
    grants = list(acl.said(call, bucket.account, bucket.account))
    acl.check_allowed(call, bucket)
    bucket.configuration["BucketAcl"] = {"Owner": owner(bucket.account), "Grants": grants}
    return Result()


def arn_of(name: str) -> str:
    return f"arn:aws:s3:::{name}"


def _region(call: Call, said: str | None) -> str:
    """Where a new bucket will be."""
    if said is not None and not said:
        raise malformed()
    wanted = _OLDER_NAMES.get(said or "", said)
    if wanted is None:
        if call.region == HOME:
            return HOME
        raise Refused(
            "IllegalLocationConstraintException",
            "The unspecified location constraint is incompatible for the region specific endpoint this "
            "request was sent to.",
        )
    if wanted not in REGIONS or (wanted == HOME and call.region == HOME):
        raise Refused(
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
            LocationConstraint=said,
        )
    if call.region not in (HOME, wanted):
        raise Refused(
            "IllegalLocationConstraintException",
            f"The {said} location constraint is incompatible for the region specific endpoint this request "
            "was sent to.",
        )
    return wanted


def _grants(call: Call, bucket: Bucket, ownership: str) -> list[Any] | None:
    """By headers, of which a bucket that heeds none takes those that say nothing."""
    if not acl.is_said(call):
        return None
    grants = list(acl.granted(call, bucket.account, bucket.account))
    if ownership == "BucketOwnerEnforced" and grants != acl.by_default(bucket.account):
        raise Refused(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        )
    if acl.is_public(grants):
        raise Refused(
            "InvalidBucketAclWithBlockPublicAccessError",
            "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
        )
    return grants


def _listed(bucket: Bucket) -> dict[str, Any]:
    return {
        "Name": bucket.name,
        "CreationDate": bucket.created,
        "BucketRegion": bucket.region,
        "BucketArn": arn_of(bucket.name),
    }


def _after(token: str | None) -> str:
    if token is None:
        return ""
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise bad_argument("The continuation token provided is incorrect", "continuation-token") from None
