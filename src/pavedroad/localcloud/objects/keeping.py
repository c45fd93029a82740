"""Which contents are held, by what; and which of them are damaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pavedroad.localcloud.api.integrity import Damage
from pavedroad.localcloud.api.objects import Blob
from pavedroad.localcloud.objects.model import Store, Version


def all_contents(store: Store) -> Iterator[tuple[str, str, Blob]]:
    """Of all versions and parts: the bucket and the key that have it (a part's key is empty), and what."""
    for bucket in store.buckets.values():
        for key in bucket.keys:
            for entry in bucket.keys.versions(key):
                if isinstance(entry, Version):
                    for extent in entry.contents:
                        yield bucket.name, key, extent.blob
        for upload in bucket.uploads.values():
            for part in upload.parts.values():
                for extent in part.contents:
                    yield bucket.name, "", extent.blob


def damage(store: Store, damages: Mapping[str, Damage]) -> str:
    """In a sentence; empty where what is damaged is held by nothing."""
    for bucket, key, blob in all_contents(store) if damages else ():
        if found := damages.get(blob.digest):
            where = f"s3://{bucket}/{key}" if key else "a part of an upload to S3"
            more = f" So are {len(damages) - 1} more files." if len(damages) > 1 else ""
            return (
                f"The contents of {where} are damaged: {found.path} {found.why}.{more} Put a copy of the "
                "file in its place, or put the object again, or delete it."
            )
    return ""
