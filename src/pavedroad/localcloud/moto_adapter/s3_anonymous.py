# pyright: basic, reportAttributeAccessIssue=false
"""What S3 lets callers do who have shown no key: what a bucket's policy or an ACL opens to everybody.

moto asks this of objects only, and takes a policy that is for somebody for one that is for all.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import (
    ALL_USERS_GRANTEE,
    PERMISSION_FULL_CONTROL,
    FakeAcl,
    FakeBucket,
    s3_backends,
)
from moto.s3.responses import S3Response
from moto.s3.utils import bucket_name_from_url

from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter import ec2_backend
from pavedroad.localcloud.moto_adapter.environ import WireRequest, environ_of

_OF_OBJECTS = frozenset({"versionId", "partNumber", "x-id"})
_OF_LISTS = frozenset(
    {
        *("list-type", "prefix", "delimiter", "max-keys", "marker", "continuation-token", "start-after"),
        *("encoding-type", "fetch-owner", "x-id"),
    }
)
_WRITES = {"PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}
_MORE_THAN_WRITING = ("x-amz-acl", "x-amz-grant-", "x-amz-copy-source", "x-amz-tagging", "x-amz-object-lock")


def check_anonymous(request: ApiRequest) -> None:
    """Raises AccessDenied; called with the state's lock held."""
    if request.method != "OPTIONS" and not _is_open(request):
        raise ServiceError("AccessDenied", "Access Denied", 403)


def _is_open(request: ApiRequest) -> bool:
    name, key = _asked(request)
    bucket = s3_backends[ec2_backend.ACCOUNT]["aws"].buckets.get(name)
    if bucket is None:
        return False
    asked = {parameter for parameter, _ in parse_qsl(request.query, keep_blank_values=True)}
    if request.method in ("GET", "HEAD"):
        if not key:
            return asked <= _OF_LISTS and _may_list(bucket)
        return asked <= _OF_OBJECTS and _may_read(bucket, key, request)
    if not key or asked - {"x-id"} or any(it.startswith(_MORE_THAN_WRITING) for it in request.headers):
        return False
    action = _WRITES.get(request.method)
    return action is not None and (
        _policy_says(bucket, action, f"/{key}") is PermissionResult.PERMITTED
        or (_acl_says(bucket, bucket.acl, "WRITE") and not _is_denied(bucket, action, f"/{key}"))
    )


def _asked(request: ApiRequest) -> tuple[str, str]:
    """The bucket and the key, as moto will find them. Nothing, where it might find something else."""
    wire = WireRequest(environ_of(request))
    if S3Response.subdomain_based_buckets(wire):
        host = request.headers.get("host", "")
        return bucket_name_from_url(f"http://{host}/") or "", unquote(request.path)[1:]
    name, _, key = request.path.removeprefix("/").partition("/")
    return ("", "") if unquote(name) != name else (name, unquote(key))


def _may_list(bucket: FakeBucket) -> bool:
    said = _policy_says(bucket, "s3:ListBucket", "")
    open_by_acl = _acl_says(bucket, bucket.acl, "READ")
    return said is PermissionResult.PERMITTED or (open_by_acl and said is not PermissionResult.DENIED)


def _may_read(bucket: FakeBucket, key: str, request: ApiRequest) -> bool:
    version = dict(parse_qsl(request.query)).get("versionId")
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    said = _policy_says(bucket, action, f"/{key}")
    try:
        found = s3_backends[ec2_backend.ACCOUNT]["aws"].get_object(bucket.name, key, version)
    except S3ClientError:
        found = None
    if found is None:
        return _may_list(bucket)  # who may list may know that it is not there
    if said is not PermissionResult.NEUTRAL:
        return said is PermissionResult.PERMITTED
    return _acl_says(bucket, found.acl, "READ")


def _is_denied(bucket: FakeBucket, action: str, resource: str) -> bool:
    return _policy_says(bucket, action, resource) is PermissionResult.DENIED


def _acl_says(bucket: FakeBucket, acl: FakeAcl | None, permission: str) -> bool:
    if acl is None or _is_blocked(bucket, "ignore_public_acls"):
        return False
    enough = {permission, PERMISSION_FULL_CONTROL}
    return any(ALL_USERS_GRANTEE in it.grantees and enough & set(it.permissions) for it in acl.grants)


def _policy_says(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    """What is denied to anybody is; allowed is what is to everybody, on no condition."""
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    found: Any = json.loads(bucket.policy)
    statements = found["Statement"] if isinstance(found["Statement"], list) else [found["Statement"]]
    blocked = _is_blocked(bucket, "restrict_public_buckets")
    heeded = [it for it in statements if it.get("Effect") == "Deny" or (_is_for_all(it) and not blocked)]
    if not heeded:
        return PermissionResult.NEUTRAL
    policy = IAMPolicy(json.dumps({"Version": "2012-10-17", "Statement": heeded}))
    return policy.is_action_permitted(action, f"arn:aws:s3:::{bucket.name}{resource}")


def _is_for_all(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    everybody = "*" in named if isinstance(named, list) else named == "*"
    return everybody and "Resource" in statement and not statement.get("Condition")


def _is_blocked(bucket: FakeBucket, what: str) -> bool:
    block = bucket.public_access_block
    return block is not None and str(getattr(block, what)).lower() == "true"
