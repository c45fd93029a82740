"""Versions of a key: which one is meant, what comes on top, what goes."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace

from pavedroad.localcloud.objects.call import Call
from pavedroad.localcloud.objects.model import NULL, Bucket, DeleteMarker, Entry, Version
from pavedroad.localcloud.objects.refusals import bad_argument, deleted, is_marker, no_key, no_version

_ID = re.compile(r"[A-Za-z0-9._-]{20,1024}")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"


def current(bucket: Bucket, key: str) -> Version | None:
    """The object that there is now; nothing where the newest version is a delete marker."""
    found = bucket.keys.versions(key)
    return found[0] if found and isinstance(found[0], Version) else None


def named(bucket: Bucket, key: str, version_id: str) -> Entry | None:
    check_id(bucket, version_id)
    return next((it for it in bucket.keys.versions(key) if it.id == version_id), None)


def found(call: Call, bucket: Bucket, key: str, version_id: str | None) -> Version:
    """The version that is asked for, or the newest; refused where it is a delete marker."""
    if version_id is None:
        newest = bucket.keys.versions(key)
        if not newest:
            raise no_key(key)
        if isinstance(newest[0], DeleteMarker):
            raise deleted(key, newest[0].id)
        return newest[0]
    entry = named(bucket, key, version_id)
    if entry is None:
        raise no_version(key, version_id)
    if isinstance(entry, DeleteMarker):
        raise is_marker(call.method, entry.id, entry.at)
    return entry


def asked(call: Call) -> tuple[Bucket, str, Version]:
    """The object that a call names: its bucket, key and version."""
    bucket, key = call.bucket(), call.parameters["Key"]
    return bucket, key, found(call, bucket, key, call.get("VersionId"))


def check_id(bucket: Bucket, version_id: str) -> None:
    if not version_id:
        raise bad_argument("Version id cannot be the empty string", "versionId", version_id)
    if version_id == NULL:
        return
    if not bucket.versioning or not _ID.fullmatch(version_id):
        raise bad_argument("Invalid version id specified", "versionId", version_id)


def new_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(32))


def next_number(bucket: Bucket) -> int:
    bucket.number += 1
    return bucket.number


def put(bucket: Bucket, key: str, entry: Entry) -> Entry:
    """On top of the others, with the id that the bucket's versioning gives it."""
    there = bucket.keys.versions(key)
    kept = there
    if bucket.versioning == "Enabled":
        entry = replace(entry, id=new_id())
    else:
        entry = replace(entry, id=NULL)
        kept = tuple(it for it in there if it.id != NULL)
    entry = replace(entry, number=next_number(bucket))
    bucket.keys.put(key, (entry, *kept))
    return entry


def change(bucket: Bucket, key: str, old: Version, new: Version) -> None:
    """In its place."""
    bucket.keys.put(key, tuple(new if it is old else it for it in bucket.keys.versions(key)))


def take(bucket: Bucket, key: str, entry: Entry) -> None:
    """It is no more."""
    bucket.number += 1
    bucket.keys.put(key, tuple(it for it in bucket.keys.versions(key) if it is not entry))


def shown_id(bucket: Bucket, entry: Entry) -> dict[str, str]:
    """Of what is read: its id, where the bucket was ever versioned."""
    return {"VersionId": entry.id} if bucket.versioning else {}


def new_id_shown(bucket: Bucket, entry: Entry) -> dict[str, str]:
    """Of what is written: its id, while the bucket is versioned."""
    return {"VersionId": entry.id} if bucket.versioning == "Enabled" else {}
