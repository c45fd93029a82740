"""Lifecycle rules that end objects, versions and uploads, as time goes by."""

from __future__ import annotations

from datetime import datetime

from pavedroad.localcloud.objects import versions
from pavedroad.localcloud.objects.buckets import lifecycle
from pavedroad.localcloud.objects.locking import protects
from pavedroad.localcloud.objects.model import Bucket, DeleteMarker, Entry, Store, Version


def expire(store: Store, now: datetime) -> bool:
    """Whether anything has ended."""
    ended = False
    for bucket in store.buckets.values():
        if lifecycle.has_rules(bucket):
            for key in tuple(bucket.keys):
                ended |= _expire_key(bucket, key, now)
            for upload in tuple(bucket.uploads.values()):
                if lifecycle.is_abandoned(bucket, upload.key, upload.at, now):
                    del bucket.uploads[upload.id]
                    ended = True
    return ended


def _expire_key(bucket: Bucket, key: str, now: datetime) -> bool:
    entries = bucket.keys.versions(key)
    newest = entries[0]
    ended = _expire_older(bucket, key, entries, now)
    if isinstance(newest, Version) and lifecycle.has_ended(bucket, key, newest, now):
        if bucket.versioning:
            versions.put(bucket, key, DeleteMarker("", 0, now, bucket.account))
        elif not protects(newest, now):
            versions.take(bucket, key, newest)
        return True
    alone = bucket.keys.versions(key) == (newest,)
    if isinstance(newest, DeleteMarker) and alone and lifecycle.cleans_markers(bucket, key):
        versions.take(bucket, key, newest)
        return True
    return ended


def _expire_older(bucket: Bucket, key: str, entries: tuple[Entry, ...], now: datetime) -> bool:
    ended = False
    for place, entry in enumerate(entries[1:]):
        since = entries[place].at
        if (
            isinstance(entry, Version)
            and lifecycle.has_lapsed(bucket, key, entry, since=since, newer=place, now=now)
            and not protects(entry, now)
        ):
            versions.take(bucket, key, entry)
            ended = True
    return ended
