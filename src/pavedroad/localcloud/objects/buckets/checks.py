"""What S3 demands of documents that are kept for a bucket, and how it keeps them."""

from __future__ import annotations

import re
import secrets
from typing import Any

from pavedroad.localcloud.objects import acl, tagging
from pavedroad.localcloud.objects.buckets.operations import MOST_TAGS
from pavedroad.localcloud.objects.call import Call
from pavedroad.localcloud.objects.model import Bucket
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, bad_request, malformed

_METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")
_MOST_RULES = 100
_LONGEST_LOCK = {"Days": 36_500, "Years": 100}
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def acceleration(_call: Call, bucket: Bucket, document: Any) -> Any:
    if "." in bucket.name:
        raise bad_request(
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        )
    status = document.get("Status")
    if status is None:
        raise malformed()
    was_set = "BucketAccelerateConfiguration" in bucket.configuration
    return {} if status == "Suspended" and not was_set else {"Status": status}


def cors(_call: Call, _bucket: Bucket, document: Any) -> Any:
    rules = document["CORSRules"]
    if not 1 <= len(rules) <= _MOST_RULES:
        raise malformed()
    for rule in rules:
        for method in rule["AllowedMethods"]:
            if method not in _METHODS:
                raise bad_request(
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                )
        for name, kind in (("AllowedOrigins", "AllowedOrigin"), ("AllowedHeaders", "AllowedHeader")):
            for value in rule.get(name, ()):
                if value.count("*") > 1:
                    raise bad_request(f'{kind} "{value}" can not have more than one wildcard.')
        for value in rule.get("ExposeHeaders", ()):
            if "*" in value:
                raise bad_request(
                    f'ExposeHeader "{value}" contains wildcard. We currently do not support wildcard for '
                    "ExposeHeader."
                )
    return document


def encryption(_call: Call, _bucket: Bucket, document: Any) -> Any:
    rules = document["Rules"]
    if len(rules) != 1:
        raise malformed()
    said = rules[0].get("ApplyServerSideEncryptionByDefault")
    if said is None:
        if not rules[0].keys() & {"BucketKeyEnabled", "BlockedEncryptionTypes"}:
            raise malformed()
    elif said["SSEAlgorithm"] == "AES256" and said.get("KMSMasterKeyID"):
        raise bad_argument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
            "ApplyServerSideEncryptionByDefault",
        )
    return {"Rules": [{**rules[0], "BucketKeyEnabled": rules[0].get("BucketKeyEnabled", False)}]}


def logging(call: Call, bucket: Bucket, document: Any) -> Any:
    enabled = document.get("LoggingEnabled")
    if enabled is None:
        return {}
    target = call.store.buckets.get(enabled["TargetBucket"])
    if target is None or target.account != bucket.account:
        raise Refused(
            "InvalidTargetBucketForLogging",
            "The target bucket for logging does not exist, is not owned by you, or does not have the "
            "appropriate grants for the log-delivery group.",
            TargetBucket=enabled["TargetBucket"],
        )
    if target.region != bucket.region:
        raise Refused(
            "CrossLocationLoggingProhibitted",
            "Cross S3 location logging not allowed. ",
            403,
            TargetBucketLocation=target.region,
        )
    return document


def ownership(_call: Call, bucket: Bucket, document: Any) -> Any:
    rules = document["Rules"]
    if len(rules) != 1:
        raise malformed()
    kept = bucket.configuration.get("BucketAcl")
    strict = rules[0]["ObjectOwnership"] == "BucketOwnerEnforced"
    if strict and kept and list(kept["Grants"]) != acl.by_default(bucket.account):
        raise Refused(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        )
    return document


def object_lock(_call: Call, bucket: Bucket, document: Any) -> Any:
    if document.get("ObjectLockEnabled") != "Enabled":
        raise malformed()
    default = document.get("Rule", {}).get("DefaultRetention")
    if "Rule" in document:
        given = [name for name in _LONGEST_LOCK if default and name in default]
        if not default or len(given) != 1 or "Mode" not in default:
            raise malformed()
        if default[given[0]] <= 0:
            raise bad_argument("Default retention period must be a positive integer value.")
        if default[given[0]] > _LONGEST_LOCK[given[0]]:
            raise bad_argument("Default retention period too large")
    if bucket.versioning != "Enabled":
        raise Refused(
            "InvalidBucketState",
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
            409,
        )
    bucket.locks_objects = True
    return document


def public_access(_call: Call, _bucket: Bucket, document: Any) -> Any:
    return {name: bool(document.get(name)) for name in _BLOCKS}


def replication(call: Call, bucket: Bucket, document: Any) -> Any:
    if bucket.versioning != "Enabled":
        raise bad_request("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    rules = document["Rules"]
    ids = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(ids) != len(set(ids)):
        raise bad_argument("Rule Id must be unique. Found same Id for more than one rule")
    for rule in rules:
        target = call.store.buckets.get(rule["Destination"]["Bucket"].rpartition(":")[2])
        if target is None:
            raise bad_request("Destination bucket must exist.")
        if target.versioning != "Enabled":
            raise bad_request("Destination bucket must have versioning enabled.")
    return {**document, "Rules": [_with_id(rule) for rule in rules]}


def tags(_call: Call, _bucket: Bucket, document: Any) -> Any:
    return {"TagSet": tagging.listed(tagging.checked(document["TagSet"], MOST_TAGS))}


def website(_call: Call, _bucket: Bucket, document: Any) -> Any:
    redirect, index = document.get("RedirectAllRequestsTo"), document.get("IndexDocument")
    if redirect is not None:
        if document.keys() - {"RedirectAllRequestsTo"}:
            raise bad_argument(
                "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
            )
        return document
    if index is None:
        raise bad_argument(
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
            "IndexDocument",
            "null",
        )
    if not index["Suffix"] or "/" in index["Suffix"]:
        raise bad_argument("The IndexDocument Suffix is not well formed", "IndexDocument", index["Suffix"])
    if "ErrorDocument" in document and not document["ErrorDocument"]["Key"]:
        raise bad_argument(
            "The ErrorDocument Key is not well formed", "ErrorDocument", document["ErrorDocument"]["Key"]
        )
    for rule in document.get("RoutingRules", ()):
        _check_routing(rule)
    return document


def _check_routing(rule: Any) -> None:
    condition, redirect = rule.get("Condition"), rule["Redirect"]
    if condition is not None and not condition:
        raise bad_request(
            "Condition cannot be empty. To redirect all requests without a condition, the condition element "
            "shouldn't be present."
        )
    if "ReplaceKeyWith" in redirect and "ReplaceKeyPrefixWith" in redirect:
        raise bad_request("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
    code = redirect.get("HttpRedirectCode")
    if code is not None and not re.fullmatch(r"3\d\d", code):
        raise bad_request(
            f"The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300."
        )


def _with_id(rule: Any) -> Any:
    return rule if rule.get("ID") else {"ID": new_rule_id(), **rule}


def new_rule_id() -> str:
    """Of a rule that says none."""
    return secrets.token_urlsafe(36)
