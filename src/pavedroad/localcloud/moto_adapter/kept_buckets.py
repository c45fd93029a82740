# pyright: basic, reportAttributeAccessIssue=false
"""What moto kept for a bucket, as documents of the API's input."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.objects.owners import owner
from pavedroad.localcloud.objects.wire.documents import read_document

_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_NOTIFIED = {
    "topic": ("TopicConfigurations", "TopicArn"),
    "queue": ("QueueConfigurations", "QueueArn"),
    "cloud_function": ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
}


def configuration_of(account: str, kept: Any, tags: dict[str, str]) -> dict[str, Any]:
    """By the names that `pavedroad.localcloud.objects.model.Bucket.configuration` has."""
    found = dict(_documents(account, vars(kept)))
    if tags:
        found["BucketTagging"] = {"TagSet": [{"Key": key, "Value": it or ""} for key, it in tags.items()]}
    return found


def grants_of(account: str, acl: Any) -> tuple[dict[str, Any], ...] | None:
    """None where they are but the owner's full control."""
    grants = [
        {"Grantee": _grantee(account, grantee), "Permission": permission}
        for grant in (acl.grants if acl is not None else ())
        for grantee in grant.grantees
        for permission in grant.permissions
    ]
    plain = all("URI" not in it["Grantee"] and it["Permission"] == "FULL_CONTROL" for it in grants)
    return None if plain else tuple(grants)


def _grantee(account: str, kept: Any) -> dict[str, str]:
    if kept.uri:
        return {"Type": "Group", "URI": kept.uri}
    return {"Type": "CanonicalUser", **owner(account)}


def _documents(account: str, said: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if policy := said.get("policy"):
        yield "BucketPolicy", policy.decode() if isinstance(policy, bytes) else policy
    if website := said.get("website_configuration"):
        document = _of_xml("WebsiteConfiguration", website)
        if document is not None:
            yield "BucketWebsite", document
    if cors := said.get("cors"):
        yield "BucketCors", {"CORSRules": [_cors(rule) for rule in cors]}
    if rules := said.get("rules"):
        yield (
            "BucketLifecycleConfiguration",
            {
                "Rules": [_rule(rule) for rule in rules],
                "TransitionDefaultMinimumObjectSize": "all_storage_classes_128K",
            },
        )
    if said.get("acl") is not None and (grants := grants_of(account, said["acl"])):
        yield "BucketAcl", {"Owner": owner(account), "Grants": list(grants)}
    if said.get("payer", "BucketOwner") != "BucketOwner":
        yield "BucketRequestPayment", {"Payer": said["payer"]}
    if status := said.get("accelerate_configuration"):
        yield "BucketAccelerateConfiguration", {"Status": status}
    if (block := said.get("public_access_block")) is not None:
        names = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
        kept = {
            title: str(getattr(block, name)).lower() == "true"
            for title, name in zip(_BLOCKS, names, strict=True)
        }
        yield "PublicAccessBlock", kept
    if said.get("object_lock_enabled") and (lock := _lock(said)):
        yield "ObjectLockConfiguration", lock
    if (notified := said.get("notification_configuration")) is not None:
        yield "BucketNotificationConfiguration", _notified(notified)
    if encryption := _encryption(said.get("encryption")):
        yield "BucketEncryption", encryption
    if ownership := _ownership(said.get("ownership_rule")):
        yield "BucketOwnershipControls", {"Rules": [{"ObjectOwnership": ownership}]}


def _of_xml(shape: str, document: bytes | str) -> Any:
    try:
        return read_document(shape, document.encode() if isinstance(document, str) else document)
    except ServiceError:
        return None


def _cors(kept: Any) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "AllowedMethods": list(kept.allowed_methods),
        "AllowedOrigins": list(kept.allowed_origins),
    }
    if kept.allowed_headers:
        rule["AllowedHeaders"] = list(kept.allowed_headers)
    if kept.exposed_headers:
        rule["ExposeHeaders"] = list(kept.exposed_headers)
    if kept.max_age_seconds is not None:
        rule["MaxAgeSeconds"] = int(kept.max_age_seconds)
    if vars(kept).get("id_"):
        rule["ID"] = kept.id_
    return rule


def _rule(kept: Any) -> dict[str, Any]:
    said = vars(kept)
    rule: dict[str, Any] = {"ID": kept.id or "", "Status": kept.status}
    if kept.filter is not None or kept.prefix is None:
        rule["Filter"] = _filter(kept.filter)
    else:
        rule["Prefix"] = kept.prefix
    expiration: dict[str, Any] = {}
    if said.get("expiration_days"):
        expiration["Days"] = int(kept.expiration_days)
    if said.get("expiration_date"):
        expiration["Date"] = _at(kept.expiration_date)
    if said.get("expired_object_delete_marker"):
        expiration["ExpiredObjectDeleteMarker"] = str(kept.expired_object_delete_marker).lower() == "true"
    if expiration:
        rule["Expiration"] = expiration
    if transitions := said.get("transitions"):
        rule["Transitions"] = [_transition(it) for it in transitions]
    if said.get("nve_noncurrent_days"):
        rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(kept.nve_noncurrent_days)}
    if older := said.get("noncurrent_version_transitions"):
        rule["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays": int(it.days), "StorageClass": it.storage_class} for it in older
        ]
    if said.get("aimu_days"):
        rule["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(kept.aimu_days)}
    return rule


def _filter(kept: Any) -> dict[str, Any]:
    if kept is None:
        return {}
    both = vars(kept).get("and_filter")
    if both is not None:
        tags = [{"Key": key, "Value": value} for key, value in both.tags.items()]
        return {"And": {**({"Prefix": both.prefix} if both.prefix is not None else {}), "Tags": tags}}
    if vars(kept).get("tag_key"):
        return {"Tag": {"Key": kept.tag_key, "Value": kept.tag_value or ""}}
    return {"Prefix": kept.prefix or ""}


def _transition(kept: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"StorageClass": kept.storage_class}
    if kept.days is not None:
        found["Days"] = int(kept.days)
    if kept.date is not None:
        found["Date"] = _at(kept.date)
    return found


def _at(said: Any) -> datetime:
    at = said if isinstance(said, datetime) else datetime.fromisoformat(str(said))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _lock(said: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    if mode := said.get("default_lock_mode"):
        days, years = said.get("default_lock_days") or 0, said.get("default_lock_years") or 0
        length = {"Days": int(days)} if days else {"Years": int(years)}
        found["Rule"] = {"DefaultRetention": {"Mode": mode, **length}}
    return found


def _notified(kept: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute, (name, member) in _NOTIFIED.items():
        wishes = [_wish(it, member) for it in vars(kept).get(attribute, ())]
        if wishes:
            found[name] = wishes
    if vars(kept).get("event_bridge") is not None:
        found["EventBridgeConfiguration"] = {}
    return found


def _wish(kept: Any, member: str) -> dict[str, Any]:
    found = {"Id": kept.id, member: kept.arn, "Events": list(kept.events)}
    rules = kept.filters.get("S3Key", {}).get("FilterRule", [])
    if rules:
        rules = rules if isinstance(rules, list) else [rules]
        told = [{"Name": it["Name"].capitalize(), "Value": it.get("Value") or ""} for it in rules]
        found["Filter"] = {"Key": {"FilterRules": told}}
    return found


def _encryption(kept: Any) -> dict[str, Any] | None:
    found: Any = (kept or {}).get("Rule") or {}
    rule: Any = found[0] if isinstance(found, list) else found
    said = rule.get("ApplyServerSideEncryptionByDefault")
    if not said or not said.get("SSEAlgorithm"):
        return None
    default = {name: said[name] for name in ("SSEAlgorithm", "KMSMasterKeyID") if said.get(name)}
    keyed = str(rule.get("BucketKeyEnabled", "false")).lower() == "true"
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": keyed}]}


def _ownership(kept: Any) -> str:
    if isinstance(kept, dict):
        rule = kept.get("Rule", kept)
        kept = rule.get("ObjectOwnership", "") if isinstance(rule, dict) else ""
    return str(kept or "")
