"""What is kept for a bucket as it was put: one document of a kind, or several by their ids."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pavedroad.localcloud.objects.buckets import checks, lifecycle, notifications, policies
from pavedroad.localcloud.objects.call import Call, Operation, Result
from pavedroad.localcloud.objects.model import Bucket
from pavedroad.localcloud.objects.refusals import Refused, bad_argument

Document = Any
Check = Callable[[Call, Bucket, Any], Document]
"""What is kept of what was put; refuses what S3 does."""
_MOST_LISTED = 100
_MOST_KEPT = 1000


def _as_it_is(_call: Call, _bucket: Bucket, document: Document) -> Document:
    return document


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is that of the operations without their verbs, `said` the member of the input that has the
    document. It is `given` as a member of that name, or by its own members. Where nothing was put, `unset` is
    given, or a refusal with the code and message of `missing`. What is deleted as another name says so."""

    name: str
    said: str
    given: str = ""
    check: Check = _as_it_is
    missing: tuple[str, str] = ("", "")
    unset: Document = None
    can_be_deleted: bool = True
    deleted_as: str = ""


KINDS = (
    Kind("BucketAbac", "AbacStatus", "AbacStatus", unset={"Status": "Disabled"}, can_be_deleted=False),
    Kind(
        "BucketAccelerateConfiguration",
        "AccelerateConfiguration",
        check=checks.acceleration,
        unset={},
        can_be_deleted=False,
    ),
    Kind(
        "BucketCors",
        "CORSConfiguration",
        check=checks.cors,
        missing=("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    ),
    Kind(
        "BucketEncryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfiguration",
        check=checks.encryption,
        unset={
            "Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
            ]
        },
    ),
    Kind(
        "BucketLifecycleConfiguration",
        "LifecycleConfiguration",
        check=lifecycle.checked,
        missing=("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
        deleted_as="BucketLifecycle",
    ),
    Kind("BucketLogging", "BucketLoggingStatus", check=checks.logging, unset={}, can_be_deleted=False),
    Kind(
        "BucketNotificationConfiguration",
        "NotificationConfiguration",
        check=notifications.checked,
        unset={},
        can_be_deleted=False,
    ),
    Kind(
        "BucketOwnershipControls",
        "OwnershipControls",
        "OwnershipControls",
        check=checks.ownership,
        missing=("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    ),
    Kind(
        "BucketPolicy",
        "Policy",
        "Policy",
        check=policies.checked,
        missing=("NoSuchBucketPolicy", "The bucket policy does not exist"),
    ),
    Kind(
        "BucketReplication",
        "ReplicationConfiguration",
        "ReplicationConfiguration",
        check=checks.replication,
        missing=(
            "ReplicationConfigurationNotFoundError",
            "The replication configuration was not found",
        ),
    ),
    Kind(
        "BucketRequestPayment",
        "RequestPaymentConfiguration",
        unset={"Payer": "BucketOwner"},
        can_be_deleted=False,
    ),
    Kind(
        "BucketTagging",
        "Tagging",
        check=checks.tags,
        missing=("NoSuchTagSet", "The TagSet does not exist"),
    ),
    Kind(
        "BucketWebsite",
        "WebsiteConfiguration",
        check=checks.website,
        missing=(
            "NoSuchWebsiteConfiguration",
            "The specified bucket does not have a website configuration",
        ),
    ),
    Kind(
        "ObjectLockConfiguration",
        "ObjectLockConfiguration",
        "ObjectLockConfiguration",
        check=checks.object_lock,
        missing=(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ),
        can_be_deleted=False,
    ),
    Kind(
        "PublicAccessBlock",
        "PublicAccessBlockConfiguration",
        "PublicAccessBlockConfiguration",
        check=checks.public_access,
        missing=(
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ),
    ),
)

_SEVERAL = ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
"""Kinds of which there are several, each with its id."""


def operations() -> Mapping[str, Operation]:
    """By name."""
    found: dict[str, Operation] = {}
    for kind in KINDS:
        found |= dict(_operations_of(kind))
    for name in _SEVERAL:
        found |= dict(_operations_of_several(name))
    return found


def _operations_of(kind: Kind) -> Iterator[tuple[str, Operation]]:
    def put(call: Call) -> Result:
        bucket = call.bucket()
        if kind.said not in call.parameters:
            raise Refused("MissingRequestBodyError", "Request Body is empty")
        document = kind.check(call, bucket, call.parameters[kind.said])
        bucket.configuration[kind.name] = document
        # One of them is told of in a header of the answer.
        return Result(cast("dict[str, Any]", document) if isinstance(document, dict) else {})

    def get(call: Call) -> Result:
        bucket = call.bucket()
        document = bucket.configuration.get(kind.name, kind.unset)
        if kind.name == "ObjectLockConfiguration" and document is None and bucket.locks_objects:
            document = {"ObjectLockEnabled": "Enabled"}
        if document is None:
            code, message = kind.missing
            raise Refused(code, message, 404, BucketName=bucket.name)
        return Result({kind.given: document} if kind.given else document)

    def delete(call: Call) -> Result:
        call.bucket().configuration.pop(kind.name, None)
        return Result(status=204)

    yield f"Put{kind.name}", put
    yield f"Get{kind.name}", get
    if kind.can_be_deleted:
        yield f"Delete{kind.deleted_as or kind.name}", delete


def _operations_of_several(name: str) -> Iterator[tuple[str, Operation]]:
    kept_as, said = f"Bucket{name}Configuration", f"{name}Configuration"

    def kept(bucket: Bucket) -> dict[str, Any]:
        return bucket.configuration.setdefault(kept_as, {})

    def put(call: Call) -> Result:
        bucket, document, name = call.bucket(), call.structure(said), call.parameters["Id"]
        if document.get("Id") != name:
            raise bad_argument("The configuration's Id is another than the one in the address.", "id", name)
        documents = kept(bucket)
        if name not in documents and len(documents) >= _MOST_KEPT:
            raise Refused("TooManyConfigurations", "You have reached the limit of configurations.")
        documents[name] = document
        return Result()

    def get(call: Call) -> Result:
        document = kept(call.bucket()).get(call.parameters["Id"])
        if document is None:
            raise _no_configuration()
        return Result({said: document})

    def delete(call: Call) -> Result:
        if kept(call.bucket()).pop(call.parameters["Id"], None) is None:
            raise _no_configuration()
        return Result(status=204)

    def show(call: Call) -> Result:
        documents = kept(call.bucket())
        token = call.get("ContinuationToken", "")
        after = base64.urlsafe_b64decode(token.encode() + b"==").decode("utf-8", "replace") if token else ""
        names = sorted(it for it in documents if it > after)
        told: dict[str, Any] = {"IsTruncated": len(names) > _MOST_LISTED}
        if token:
            told["ContinuationToken"] = token
        if shown := names[:_MOST_LISTED]:
            told[f"{said}List"] = [documents[it] for it in shown]
        if told["IsTruncated"]:
            told["NextContinuationToken"] = base64.urlsafe_b64encode(shown[-1].encode()).decode().rstrip("=")
        return Result(told)

    yield f"Put{kept_as}", put
    yield f"Get{kept_as}", get
    yield f"Delete{kept_as}", delete
    yield f"List{kept_as}s", show


def _no_configuration() -> Refused:
    return Refused("NoSuchConfiguration", "The specified configuration does not exist.", 404)
