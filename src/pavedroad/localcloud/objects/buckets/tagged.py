"""Tags of buckets, for the tagging API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pavedroad.localcloud.objects import tagging
from pavedroad.localcloud.objects.buckets.operations import MOST_TAGS, arn_of
from pavedroad.localcloud.objects.model import Bucket, Store
from pavedroad.localcloud.objects.refusals import no_bucket
from pavedroad.localcloud.state import State
from pavedroad.localcloud.tagging.model import Tagged

_KEPT_AS = "BucketTagging"


class TaggedBuckets:
    """`pavedroad.localcloud.tagging.model.Tags`."""

    def __init__(self, state: State, store: Callable[[], Store]) -> None:
        self._state = state
        self._store = store

    def tagged(self, account: str, region: str) -> Iterator[Tagged]:
        for bucket in self._store().buckets.values():
            if (bucket.account, bucket.region) == (account, region):
                yield Tagged(arn_of(bucket.name), "s3", _tags(bucket))

    def has(self, arn: str) -> bool:
        return arn.startswith("arn:aws:s3:::") and "/" not in arn

    def tag(self, account: str, region: str, arn: str, tags: Mapping[str, str]) -> None:
        with self._state.changing():
            bucket = self._bucket(account, arn)
            _keep(bucket, {**_tags(bucket), **tags})

    def untag(self, account: str, region: str, arn: str, keys: Sequence[str]) -> None:
        with self._state.changing():
            bucket = self._bucket(account, arn)
            _keep(bucket, {key: value for key, value in _tags(bucket).items() if key not in keys})

    def _bucket(self, account: str, arn: str) -> Bucket:
        name = arn.rpartition(":")[2]
        bucket = self._store().buckets.get(name)
        if bucket is None or bucket.account != account:
            raise no_bucket(name)
        return bucket


def _tags(bucket: Bucket) -> dict[str, str]:
    kept: Mapping[str, Any] = bucket.configuration.get(_KEPT_AS) or {}
    return {tag["Key"]: tag["Value"] for tag in kept.get("TagSet", ())}


def _keep(bucket: Bucket, tags: Mapping[str, str]) -> None:
    said = [{"Key": key, "Value": value} for key, value in tags.items()]
    if said:
        bucket.configuration[_KEPT_AS] = {"TagSet": tagging.listed(tagging.checked(said, MOST_TAGS))}
    else:
        bucket.configuration.pop(_KEPT_AS, None)
