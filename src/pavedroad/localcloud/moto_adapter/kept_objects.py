# pyright: basic, reportAttributeAccessIssue=false
"""Buckets and objects of states that were saved while moto had them.

moto's own classes for them are not imported any more: what was pickled of each comes as a `Kept`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pavedroad.localcloud.api.objects import Blob
from pavedroad.localcloud.moto_adapter.kept_buckets import configuration_of, grants_of
from pavedroad.localcloud.objects.contents import of_blob
from pavedroad.localcloud.objects.keys import Keys
from pavedroad.localcloud.objects.model import (
    NULL,
    Bucket,
    Checksum,
    DeleteMarker,
    Entry,
    Part,
    Retention,
    Settings,
    Store,
    Upload,
    Version,
)

_OF_S3 = frozenset(
    {
        *("CorsRule", "FakeAcl", "FakeBucket", "FakeBucketInventoryConfiguration", "FakeDeleteMarker"),
        *("FakeGrant", "FakeGrantee", "FakeKey", "FakeMultipart", "FakeTableStorageBucket"),
        *("LifeCycleNoncurrentVersionTransition", "LifecycleAndFilter", "LifecycleFilter", "LifecycleRule"),
        *("LifecycleTransition", "MultipartDict", "Notification", "NotificationConfiguration"),
        *("PublicAccessBlock", "S3Backend", "TransitionDefaultMinimumObjectSize", "_VersionedKeyStore"),
    }
)
"""moto's names of what it kept."""

_EMPTY = Blob(0, hashlib.sha256(b"").hexdigest(), b"")
_METADATA = "x-amz-meta-"
_HEADERS = {
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
    "content-type": "ContentType",
    "expires": "Expires",
}
_OF_NO_TYPE = "binary/octet-stream"


class Kept(dict[Any, Any]):
    """Whatever was pickled of moto's S3, with the attributes that it had; some are dictionaries too."""

    def __init__(self, *_: Any) -> None:
        super().__init__()


def is_kept(module: str, name: str) -> bool:
    """Whether what is called so was moto's S3."""
    return (module.startswith("moto.s3.") and name in _OF_S3) or module == "moto.s3control.models"


def kept_objects(accounts: dict[str, dict[str, Any]]) -> Store:
    """moto's backends by account and partition, as this cloud keeps them."""
    store = Store()
    for account, partitions in accounts.items():
        for backend in partitions.values():
            tags = _tags(backend)
            for bucket in vars(backend).get("buckets", {}).values():
                store.buckets[bucket.name] = _bucket(account, bucket, tags)
    return store


def _tags(backend: Any) -> dict[str, dict[str, str]]:
    """By the ARNs that moto makes up."""
    tagger = vars(backend).get("tagger")
    return vars(tagger).get("tags", {}) if tagger is not None else {}


def _bucket(account: str, kept: Any, tags: dict[str, dict[str, str]]) -> Bucket:
    said = vars(kept)
    bucket = Bucket(kept.name, account, kept.region_name, _utc(kept.creation_date))
    bucket.versioning = said.get("versioning_status") or ""
    bucket.locks_objects = bool(said.get("object_lock_enabled"))
    bucket.configuration = configuration_of(account, kept, tags.get(f"arn:aws:s3:::{kept.name}", {}))
    ordered: dict[str, list[Entry]] = {}
    for key, entry in sorted(_entries(kept), key=lambda it: _utc(it[1].last_modified)):
        bucket.number += 1
        made = _entry(account, bucket, key, entry, tags)
        others = [it for it in ordered.get(key, []) if it.id != made.id]
        ordered[key] = [made, *others]
    bucket.keys = Keys({key: tuple(entries) for key, entries in ordered.items()})
    for upload in said.get("multiparts", {}).values():
        bucket.uploads[upload.id] = _upload(account, bucket, upload)
    return bucket


def _entries(kept: Any) -> Iterator[tuple[str, Any]]:
    """The older ones first, for each key."""
    for key, found in dict.items(vars(kept).get("keys", {})):
        for entry in found if isinstance(found, list) else [found]:
            yield key, entry


def _entry(account: str, bucket: Bucket, key: str, kept: Any, tags: dict[str, dict[str, str]]) -> Entry:
    said = vars(kept)
    number, at = bucket.number, _utc(kept.last_modified)
    version_id = said.get("_version_id") or NULL
    if "_etag" not in said:
        return DeleteMarker(version_id, number, at, account)
    contents = of_blob(said.get("_blob", _EMPTY))
    return Version(
        id=version_id,
        number=number,
        at=at,
        owner=account,
        etag=str(said["_etag"] or "").strip('"'),
        contents=contents,
        checksum=_checksum(said),
        settings=_settings(account, said, tags.get(f"arn:aws:s3:::{bucket.name}/{key}/{version_id}", {})),
    )


def _settings(account: str, said: dict[str, Any], tags: dict[str, str]) -> Settings:
    headers, metadata = _headers(said.get("_metadata") or {})
    if place := said.get("website_redirect_location"):
        headers["WebsiteRedirectLocation"] = place
    method = said.get("encryption") or "AES256"
    encryption: dict[str, Any] = {"ServerSideEncryption": method}
    if method.startswith("aws:kms") and said.get("kms_key_id"):
        encryption["SSEKMSKeyId"] = said["kms_key_id"]
    return Settings(
        headers=headers,
        metadata=metadata,
        encryption=encryption,
        storage_class=said.get("_storage_class") or "STANDARD",
        tags={name: value or "" for name, value in tags.items()},
        grants=grants_of(account, said.get("acl")),
        retention=_retention(said),
        legal_hold=said.get("lock_legal_status") or "",
    )


def _headers(kept: Any) -> tuple[dict[str, str], dict[str, str]]:
    headers: dict[str, str] = {}
    metadata: dict[str, str] = {}
    for name, value in kept.items():
        lower = str(name).lower()
        if lower.startswith(_METADATA):
            metadata[lower.removeprefix(_METADATA)] = str(value)
        elif lower in _HEADERS and value:
            headers[_HEADERS[lower]] = str(value)
    return {"ContentType": _OF_NO_TYPE, **headers}, metadata


def _checksum(said: dict[str, Any]) -> Checksum | None:
    value, algorithm = said.get("checksum_value"), said.get("checksum_algorithm")
    if not value or not algorithm:
        return None
    text = value.decode() if isinstance(value, bytes) else str(value)
    if algorithm in ("CRC32C", "CRC64NVME"):
        return None  # moto counted another in their place
    return Checksum(algorithm, text, said.get("checksum_type") or "FULL_OBJECT")


def _retention(said: dict[str, Any]) -> Retention | None:
    mode, until = said.get("lock_mode"), said.get("lock_until")
    if not mode or not until:
        return None
    return Retention(mode, _utc(until if isinstance(until, datetime) else datetime.fromisoformat(str(until))))


def _upload(account: str, bucket: Bucket, kept: Any) -> Upload:
    said = vars(kept)
    headers, metadata = _headers(said.get("metadata") or {})
    method = said.get("sse_encryption") or "AES256"
    settings = Settings(
        headers=headers,
        metadata=metadata,
        encryption={"ServerSideEncryption": method},
        storage_class=said.get("storage") or "STANDARD",
        tags={name: value or "" for name, value in (said.get("tags") or {}).items()},
        grants=grants_of(account, said.get("acl")),
    )
    parts = {int(number): _part(int(number), part) for number, part in said.get("parts", {}).items()}
    begun = min((part.at for part in parts.values()), default=bucket.created)
    return Upload(
        id=kept.id,
        key=kept.key_name,
        at=begun,
        owner=account,
        initiator=f"arn:aws:iam::{account}:root",
        settings=settings,
        parts=dict(sorted(parts.items())),
    )


def _part(number: int, kept: Any) -> Part:
    said = vars(kept)
    blob = said.get("_blob", _EMPTY)
    return Part(
        number=number,
        at=_utc(kept.last_modified),
        etag=str(said["_etag"] or "").strip('"'),
        contents=of_blob(blob),
    )


def _utc(at: datetime) -> datetime:
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).replace(microsecond=0)
