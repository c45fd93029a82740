"""What callers may do who have shown no key: what a bucket's policy or an ACL opens to everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

from pavedroad.localcloud.objects import acl, versions
from pavedroad.localcloud.objects.buckets import policies
from pavedroad.localcloud.objects.call import Call
from pavedroad.localcloud.objects.model import Bucket, Version
from pavedroad.localcloud.objects.refusals import denied

_ACTIONS: Mapping[str, str] = {
    "CopyObject": "PutObject",
    "DeleteObject": "DeleteObject",
    "DeleteObjectTagging": "DeleteObjectTagging",
    "GetBucketAcl": "GetBucketAcl",
    "GetBucketLocation": "GetBucketLocation",
    "GetBucketPolicyStatus": "GetBucketPolicyStatus",
    "GetObject": "GetObject",
    "GetObjectAcl": "GetObjectAcl",
    "GetObjectAttributes": "GetObjectAttributes",
    "GetObjectTagging": "GetObjectTagging",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PostObject": "PutObject",
    "PutObject": "PutObject",
    "PutObjectAcl": "PutObjectAcl",
    "PutObjectTagging": "PutObjectTagging",
}
"""What an operation needs, by its name; what is not here is for those alone who have a key, as
uploads in parts are."""
_OF_VERSIONS = frozenset(
    {"DeleteObject", "DeleteObjectTagging", "GetObject", "GetObjectAcl", "GetObjectTagging", "PutObjectAcl"}
)
_GRANTED: Mapping[str, str] = {
    "DeleteObject": "WRITE",
    "GetBucketAcl": "READ_ACP",
    "ListBucket": "READ",
    "ListBucketMultipartUploads": "READ",
    "ListBucketVersions": "READ",
    "PutObject": "WRITE",
}
"""Permissions of a bucket's ACL, by what they allow."""
_GRANTED_OF_OBJECTS: Mapping[str, str] = {
    "GetObject": "READ",
    "GetObjectAcl": "READ_ACP",
    "GetObjectAttributes": "READ",
    "GetObjectVersion": "READ",
    "PutObjectAcl": "WRITE_ACP",
}


def check_anonymous(call: Call) -> None:
    """Raises AccessDenied. Called with the state's lock held."""
    bucket = call.store.buckets.get(call.get("Bucket", ""))
    if bucket is None or (call.operation not in _ACTIONS and call.operation != "DeleteObjects"):
        raise denied()
    for where, action, key in _needed(call, bucket):
        if not _may(call, where, action, key):
            raise denied()


def _needed(call: Call, bucket: Bucket) -> Iterator[tuple[Bucket, str, str]]:
    """All that it must be allowed, each on which bucket and key."""
    if call.operation == "DeleteObjects":
        for it in call.structure("Delete").get("Objects", ()):
            yield bucket, "DeleteObjectVersion" if it.get("VersionId") else "DeleteObject", it["Key"]
        return
    action, key = _ACTIONS[call.operation], call.get("Key", "")
    if action in _OF_VERSIONS and call.get("VersionId") is not None:
        action = action.replace("Object", "ObjectVersion") if "Object" in action else action
    yield bucket, action, key
    if acl.is_said(call) and action != "PutObjectAcl":
        yield bucket, "PutObjectAcl", key
    if call.get("Tagging") is not None and isinstance(call.get("Tagging"), str):
        yield bucket, "PutObjectTagging", key
    if call.get("ObjectLockMode") is not None:
        yield bucket, "PutObjectRetention", key
    if call.get("ObjectLockLegalHoldStatus") is not None:
        yield bucket, "PutObjectLegalHold", key
    if source := call.get("CopySource"):
        name, _, source_key = unquote(source.partition("?versionId=")[0]).removeprefix("/").partition("/")
        found = call.store.buckets.get(name)
        if found is None:
            raise denied()
        yield found, "GetObject", source_key


def _may(call: Call, bucket: Bucket, action: str, key: str) -> bool:
    version = versions.current(bucket, key) if key else None
    context = _context(call, version)
    resource = f"arn:aws:s3:::{bucket.name}" + (f"/{key}" if key else "")
    said = policies.verdict(bucket, f"s3:{action}", resource, context)
    if said == "deny":
        return False
    if action in ("GetObject", "GetObjectVersion") and not bucket.keys.versions(key):
        return _may(call, bucket, "ListBucket", "")  # who may list may know that it is not there
    return said == "allow" or _is_granted(bucket, action, version)


def _is_granted(bucket: Bucket, action: str, version: Version | None) -> bool:
    """By an ACL, where the bucket heeds any."""
    blocked = bucket.configured("PublicAccessBlock", "PublicAccessBlockConfiguration")
    if blocked.get("IgnorePublicAcls") or acl.ownership(bucket) == "BucketOwnerEnforced":
        return False
    if permission := _GRANTED_OF_OBJECTS.get(action):
        return version is not None and acl.allows_all(version.settings.grants or (), permission)
    permission = _GRANTED.get(action)
    grants: Sequence[acl.Grant] = bucket.configured("BucketAcl", "AccessControlPolicy").get("Grants", ())
    return permission is not None and acl.allows_all(grants, permission)


def _context(call: Call, version: Version | None) -> dict[str, str]:
    """What conditions of policies may ask for."""
    said = {
        "aws:securetransport": "false",
        "aws:sourceip": "127.0.0.1",
        "aws:currenttime": call.now.isoformat(),
        "s3:authtype": "",
    }
    for key, name in (("aws:referer", "referer"), ("aws:useragent", "user-agent")):
        if name in call.headers:
            said[key] = call.headers[name]
    for key, name in (("s3:prefix", "Prefix"), ("s3:delimiter", "Delimiter"), ("s3:max-keys", "MaxKeys")):
        if call.get(name) is not None:
            said[key] = str(call.get(name))
    for name, value in call.headers.items():
        if name.startswith("x-amz-"):
            said[f"s3:{name}"] = value
    tags: Mapping[str, str] = version.settings.tags if version else {}
    for name, value in tags.items():
        said[f"s3:existingobjecttag/{name}".lower()] = value
    return said
