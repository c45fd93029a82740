"""Access control lists, of objects and of buckets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pavedroad.localcloud.objects import versions
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.model import Bucket, first
from pavedroad.localcloud.objects.owners import owner
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, bad_request, malformed

Grant = Mapping[str, Any]

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
FULL_CONTROL = "FULL_CONTROL"

_GROUPS = (ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY)
_PERMISSIONS = (FULL_CONTROL, "READ", "READ_ACP", "WRITE", "WRITE_ACP")
_HEADERS = {
    "GrantFullControl": FULL_CONTROL,
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_GRANTEE = re.compile(r'\s*(\w+)\s*=\s*"?([^",]*)"?\s*')
_ID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{64}")
_EXEC_READER = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c"
"""Who reads machine images for EC2."""


def get_object_acl(call: Call) -> Result:
    bucket, _, version = versions.asked(call)
    grants = list(version.settings.grants or by_default(version.owner))
    return Result({"Owner": owner(version.owner), "Grants": grants, **versions.shown_id(bucket, version)})


def put_object_acl(call: Call) -> Result:
    bucket, key, version = versions.asked(call)
    grants = tuple(said(call, version.owner, bucket.account))
    check_allowed(call, bucket)
    changed = replace(version, settings=replace(version.settings, grants=grants))
    versions.change(bucket, key, version, changed)
    call.happened("ObjectAcl:Put", bucket, key, changed)
    return Result(versions.shown_id(bucket, version))


def of_new(call: Call, bucket: Bucket, owned_by: str) -> tuple[Grant, ...] | None:
    """What a call that puts an object grants; None where it says nothing."""
    if not is_said(call):
        return None
    grants = tuple(granted(call, owned_by, bucket.account))
    check_allowed(call, bucket)
    return grants


def is_said(call: Call) -> bool:
    """Whether its headers grant anything."""
    return call.get("ACL") is not None or any(call.get(name) for name in _HEADERS)


def said(call: Call, owned_by: str, bucket_owner: str) -> Sequence[Grant]:
    """What a call that puts an ACL grants, by its document or headers."""
    document = call.structure("AccessControlPolicy")
    by_header = is_said(call)
    if document and by_header:
        raise Refused("UnexpectedContent", "This request contains unsupported content")
    if by_header:
        return granted(call, owned_by, bucket_owner)
    if not document:
        raise Refused(
            "MissingSecurityHeader",
            "Your request was missing a required header",
            MissingHeaderName="x-amz-acl",
        )
    named: Mapping[str, Any] = document.get("Owner") or {}
    told = named.get("ID")
    if told is None:
        raise Refused(
            "MalformedACLError",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    if told != owner(owned_by)["ID"]:
        raise Refused("AccessDenied", "Access Denied", 403)
    return [_checked(grant) for grant in document.get("Grants") or ()]


def granted(call: Call, owned_by: str, bucket_owner: str) -> Sequence[Grant]:
    """By a canned ACL or by headers."""
    name = call.get("ACL")
    headers = {permission: call.get(header) for header, permission in _HEADERS.items() if call.get(header)}
    if name is not None:
        if headers:
            raise bad_request("Specifying both Canned ACLs and Header Grants is not allowed")
        return canned(name, owned_by, bucket_owner)
    return [
        {"Grantee": grantee, "Permission": permission}
        for permission, text in headers.items()
        for grantee in _grantees(text)
    ]


def canned(name: str, owned_by: str, bucket_owner: str) -> list[Grant]:
    """As the ACL of that name has them."""
    if name not in _CANNED:
        raise bad_argument("", "x-amz-acl", name)
    return [*by_default(owned_by), *_CANNED[name](owned_by, bucket_owner)]


def by_default(owned_by: str) -> list[Grant]:
    """The owner's full control."""
    return [{"Grantee": _user(owned_by), "Permission": FULL_CONTROL}]


def check_allowed(call: Call, bucket: Bucket) -> None:
    """Whether the bucket heeds ACLs, and lets them make public what is in it."""
    if ownership(bucket) == "BucketOwnerEnforced" and not _is_harmless(call, bucket):
        raise Refused("AccessControlListNotSupported", "The bucket does not allow ACLs")
    blocked = bucket.configured("PublicAccessBlock", "PublicAccessBlockConfiguration")
    if blocked.get("BlockPublicAcls") and is_public(said(call, bucket.account, bucket.account)):
        raise Refused("AccessDenied", "Access Denied", 403)


def ownership(bucket: Bucket) -> str:
    """As it was set; empty where it never was."""
    configured = bucket.configured("BucketOwnershipControls", "OwnershipControls")
    return str(first(configured.get("Rules")).get("ObjectOwnership", ""))


def is_public(grants: Sequence[Grant]) -> bool:
    return any(grant["Grantee"].get("URI") in (ALL_USERS, AUTHENTICATED_USERS) for grant in grants)


def allows_all(grants: Sequence[Grant], permission: str) -> bool:
    """Whether everybody has it."""
    return any(
        grant["Grantee"].get("URI") == ALL_USERS and grant["Permission"] in (permission, FULL_CONTROL)
        for grant in grants
    )


def _is_harmless(call: Call, bucket: Bucket) -> bool:
    """What says no more than that its owner owns the bucket."""
    if call.get("ACL") in ("bucket-owner-full-control", "private"):
        return True
    grants = said(call, bucket.account, bucket.account)
    return list(grants) == by_default(bucket.account)


def _user(account: str) -> dict[str, str]:
    return {**owner(account), "Type": "CanonicalUser"}


def _group(uri: str) -> dict[str, str]:
    return {"Type": "Group", "URI": uri}


def _grantees(text: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for part in text.split(","):
        match = _GRANTEE.fullmatch(part)
        kind, value = (match[1].lower(), match[2]) if match else ("", "")
        if kind == "id":
            found.append(_checked_grantee({"Type": "CanonicalUser", "ID": value}))
        elif kind == "uri":
            found.append(_checked_grantee({"Type": "Group", "URI": value}))
        elif kind == "emailaddress":
            found.append(_checked_grantee({"Type": "AmazonCustomerByEmail", "EmailAddress": value}))
        else:
            raise bad_argument("Argument format not recognized", "x-amz-grant", text)
    return found


def _checked(grant: Grant) -> Grant:
    permission = grant.get("Permission")
    if permission not in _PERMISSIONS:
        raise malformed()
    return {"Grantee": _checked_grantee(grant.get("Grantee") or {}), "Permission": permission}


def _checked_grantee(grantee: Mapping[str, Any]) -> dict[str, str]:
    kind = grantee.get("Type") or ("Group" if grantee.get("URI") else "CanonicalUser")
    if kind == "Group":
        if grantee.get("URI") not in _GROUPS:
            raise bad_argument("Invalid group uri", "uri", grantee.get("URI"))
        return _group(grantee["URI"])
    if kind == "AmazonCustomerByEmail":
        raise Refused(
            "UnresolvableGrantByEmailAddress",
            "The e-mail address you provided does not match any account on record.",
        )
    identity = str(grantee.get("ID") or "")
    if not _ID.fullmatch(identity):
        raise bad_argument("Invalid id", "id", identity)
    name = grantee.get("DisplayName")
    return {"ID": identity, **({"DisplayName": name} if name else {}), "Type": "CanonicalUser"}


def _to_bucket_owner(permission: str) -> Callable[[str, str], list[Grant]]:
    return lambda owned_by, bucket_owner: (
        [] if owned_by == bucket_owner else [{"Grantee": _user(bucket_owner), "Permission": permission}]
    )


def _to_groups(*grants: tuple[str, str]) -> Callable[[str, str], list[Grant]]:
    return lambda _owner, _bucket_owner: [
        {"Grantee": _group(uri), "Permission": permission} for uri, permission in grants
    ]


def _to_nobody(_owner: str, _bucket_owner: str) -> list[Grant]:
    return []


def _to_ec2(_owner: str, _bucket_owner: str) -> list[Grant]:
    return [{"Grantee": {"Type": "CanonicalUser", "ID": _EXEC_READER}, "Permission": "READ"}]


_CANNED: Mapping[str, Callable[[str, str], list[Grant]]] = {
    "private": _to_nobody,
    "public-read": _to_groups((ALL_USERS, "READ")),
    "public-read-write": _to_groups((ALL_USERS, "READ"), (ALL_USERS, "WRITE")),
    "authenticated-read": _to_groups((AUTHENTICATED_USERS, "READ")),
    "aws-exec-read": _to_ec2,
    "bucket-owner-read": _to_bucket_owner("READ"),
    "bucket-owner-full-control": _to_bucket_owner(FULL_CONTROL),
    "log-delivery-write": _to_groups((LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")),
}
