"""Conditions that calls put on what there is: RFC 9110's, as S3 has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from pavedroad.localcloud.objects.call import Call
from pavedroad.localcloud.objects.model import Bucket, Version
from pavedroad.localcloud.objects.refusals import no_key, unmet
from pavedroad.localcloud.objects.versions import current

ANY = "*"
Verdict = Literal["", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"]


def failed(version: Version, parameters: Mapping[str, Any], now: datetime, prefix: str = "") -> Verdict:
    """Which of a reading call's conditions does not hold; of two that say the same, ETags decide. `prefix` is
    what their names begin with (`CopySource`)."""
    match, none_match, since, until = (
        parameters.get(f"{prefix}{name}")
        for name in ("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
    )
    changed = version.at.replace(microsecond=0)
    if match is not None:
        if not matches(match, version.etag):
            return "If-Match"
    elif until is not None and changed > until:
        return "If-Unmodified-Since"
    if none_match is not None:
        if matches(none_match, version.etag):
            return "If-None-Match"
    elif since is not None and changed <= since <= now + timedelta(seconds=1):
        return "If-Modified-Since"
    return ""


def check_write(call: Call, bucket: Bucket, key: str) -> None:
    """What a call that puts an object demands of the one that is there now."""
    match, none_match = call.get("IfMatch"), call.get("IfNoneMatch")
    if match is None and none_match is None:
        return
    there = current(bucket, key)
    if match is not None:
        if there is None:
            raise no_key(key)
        if not matches(match, there.etag):
            raise unmet("If-Match")
    if none_match is not None and there is not None and matches(none_match, there.etag):
        raise unmet("If-None-Match")


def check_delete(bucket: Bucket, key: str, demanded: Mapping[str, Any]) -> None:
    """`demanded` has `ETag`, `LastModifiedTime` and `Size`, of the object that is to be deleted."""
    etag, at, size = (demanded.get(name) for name in ("ETag", "LastModifiedTime", "Size"))
    if etag is None and at is None and size is None:
        return
    there = current(bucket, key)
    if there is None:
        if etag is None:
            return
        raise unmet("If-Match") if bucket.keys.versions(key) else no_key(key)
    if etag is not None and not matches(etag, there.etag):
        raise unmet("If-Match")
    if at is not None and there.at.replace(microsecond=0) != at.replace(microsecond=0):
        raise unmet("x-amz-if-match-last-modified-time")
    if size is not None and there.size != size:
        raise unmet("x-amz-if-match-size")


def check_source(version: Version, parameters: Mapping[str, Any], now: datetime) -> None:
    """Of a copy."""
    verdict = failed(version, parameters, now, "CopySource")
    if verdict:
        raise unmet(f"x-amz-copy-source-{verdict}")


def matches(said: str, etag: str) -> bool:
    """Whether one of those that are said is it: with quotes or without."""
    if said.strip() == ANY:
        return True
    return any(it.strip().removeprefix("W/").strip('"') == etag for it in said.split(","))


def not_modified(verdict: Verdict) -> bool:
    """Whether that is an answer, and no error."""
    return verdict in ("If-None-Match", "If-Modified-Since")
