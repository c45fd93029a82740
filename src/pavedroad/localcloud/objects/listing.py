"""Lists of what is in a bucket, a page at a time: a page leaps to where it begins.

Keys that share a prefix up to the delimiter are shown as that prefix, once, and the rest of them is leapt
over. A page that begins within such a prefix does not show it again.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pavedroad.localcloud.objects import versions
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.keys import Keys
from pavedroad.localcloud.objects.model import Bucket, DeleteMarker, Entry, Version
from pavedroad.localcloud.objects.owners import owner
from pavedroad.localcloud.objects.refusals import bad_argument

_MOST = 1000
_LAST = "\U0010ffff"
"""After every other character."""


@dataclass(slots=True)
class Page:
    """Keys and prefixes in one order; `last` is the last of them, key or prefix."""

    keys: list[str] = field(default_factory=list[str])
    prefixes: list[str] = field(default_factory=list[str])
    last: str = ""
    more: bool = False


def list_objects(call: Call) -> Result:
    marker = call.get("Marker", "")
    asked = _Asked.of(call)
    page = asked.page(call.bucket(), marker)
    told = _told(call, asked, page, with_owner=True)
    told["Marker"] = asked.encoded(marker)
    if page.more and asked.delimiter:
        told["NextMarker"] = asked.encoded(page.last)
    return Result(told)


def list_objects_v2(call: Call) -> Result:
    token, start = call.get("ContinuationToken"), call.get("StartAfter")
    asked = _Asked.of(call)
    page = asked.page(call.bucket(), _of_token(token) if token else start or "")
    told = _told(call, asked, page, with_owner=bool(call.get("FetchOwner")))
    told["KeyCount"] = len(page.keys) + len(page.prefixes)
    if token is not None:
        told["ContinuationToken"] = token
    if start is not None:
        told["StartAfter"] = asked.encoded(start)
    if page.more:
        told["NextContinuationToken"] = base64.b64encode(page.last.encode()).decode()
    return Result(told)


def list_object_versions(call: Call) -> Result:
    """A page goes on within a key, after the version that it ended with."""
    bucket, asked = call.bucket(), _Asked.of(call)
    marker, version_marker = call.get("KeyMarker", ""), call.get("VersionIdMarker")
    if version_marker is not None and not marker:
        raise bad_argument(
            "A version-id marker cannot be specified without a key marker.",
            "version-id-marker",
            version_marker,
        )
    if version_marker == "":
        raise bad_argument("A version-id marker cannot be empty.", "version-id-marker", "")
    if version_marker is not None:
        versions.check_id(bucket, version_marker)
    shown: list[dict[str, Any]] = []
    markers: list[dict[str, Any]] = []
    prefixes: list[str] = []
    last: tuple[str, str | None] = ("", None)
    more = False
    for key, entry, is_latest in _entries(bucket, asked, marker, version_marker):
        if len(shown) + len(markers) + len(prefixes) == asked.most:
            more = asked.most > 0
            break
        if entry is None:
            prefixes.append(key)
            last = (key, None)
            continue
        last = (key, entry.id)
        told = {
            "Key": asked.encoded(key),
            "VersionId": entry.id,
            "IsLatest": is_latest,
            "LastModified": entry.at,
            "Owner": owner(entry.owner),
        }
        if isinstance(entry, DeleteMarker):
            markers.append(told)
        else:
            shown.append({**told, **_of_version(entry)})
    found: dict[str, Any] = {
        "Name": bucket.name,
        "Prefix": asked.encoded(asked.prefix),
        "KeyMarker": asked.encoded(marker),
        "VersionIdMarker": version_marker or "",
        "MaxKeys": asked.most,
        "IsTruncated": more,
        **asked.told(),
    }
    if shown:
        found["Versions"] = shown
    if markers:
        found["DeleteMarkers"] = markers
    if prefixes:
        found["CommonPrefixes"] = [{"Prefix": asked.encoded(it)} for it in prefixes]
    if more:
        found["NextKeyMarker"] = asked.encoded(last[0])
        if last[1] is not None:
            found["NextVersionIdMarker"] = last[1]
    return Result(found)


def list_multipart_uploads(call: Call) -> Result:
    bucket, asked = call.bucket(), _Asked.of(call, "MaxUploads")
    marker, id_marker = call.get("KeyMarker", ""), call.get("UploadIdMarker", "")
    uploads = sorted(bucket.uploads.values(), key=lambda it: (it.key, it.id))
    shown: list[dict[str, Any]] = []
    prefixes: list[str] = []
    last, more = ("", ""), False
    for upload in uploads:
        if not upload.key.startswith(asked.prefix):
            continue
        after = (upload.key, upload.id) > (marker, id_marker) if marker and id_marker else upload.key > marker
        common = asked.common(upload.key)
        if not after or (common is not None and (common in prefixes[-1:] or common <= marker)):
            continue
        if len(shown) + len(prefixes) == asked.most:
            more = asked.most > 0
            break
        if common is not None:
            prefixes.append(common)
            last = (common, "")
            continue
        last = (upload.key, upload.id)
        told: dict[str, Any] = {
            "Key": asked.encoded(upload.key),
            "UploadId": upload.id,
            "Initiated": upload.at,
            "Owner": owner(upload.owner),
            "Initiator": {"ID": upload.initiator or owner(upload.owner)["ID"], "DisplayName": upload.owner},
            "StorageClass": upload.settings.storage_class,
        }
        if upload.algorithm:
            told |= {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type}
        shown.append(told)
    found: dict[str, Any] = {
        "Bucket": bucket.name,
        "KeyMarker": asked.encoded(marker),
        "UploadIdMarker": id_marker if marker else "",
        "Prefix": asked.encoded(asked.prefix),
        "MaxUploads": asked.most,
        "IsTruncated": more,
        **asked.told(),
    }
    if shown:
        found["Uploads"] = shown
    if prefixes:
        found["CommonPrefixes"] = [{"Prefix": asked.encoded(it)} for it in prefixes]
    if more:
        found |= {"NextKeyMarker": asked.encoded(last[0]), "NextUploadIdMarker": last[1]}
    return Result(found)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a call wants to see. An empty delimiter is none."""

    prefix: str
    delimiter: str
    most: int
    encodes: bool

    @staticmethod
    def of(call: Call, most: str = "MaxKeys") -> _Asked:
        limit = call.get(most, _MOST)
        if limit < 0 or limit > 2**31 - 1:
            name = "max-uploads" if most == "MaxUploads" else "maxKeys"
            raise bad_argument(f"Argument {name} must be an integer between 0 and 2147483647", name, limit)
        encoding = call.get("EncodingType")
        if encoding not in (None, "url"):
            raise bad_argument("Invalid Encoding Method specified in Request", "encoding-type", encoding)
        return _Asked(
            call.get("Prefix", ""), call.get("Delimiter", ""), min(limit, _MOST), encoding is not None
        )

    def encoded(self, text: str) -> str:
        return quote(text, safe="/*-._") if self.encodes else text

    def told(self) -> dict[str, str]:
        found = {"EncodingType": "url"} if self.encodes else {}
        return {**found, "Delimiter": self.encoded(self.delimiter)} if self.delimiter else found

    def common(self, key: str) -> str | None:
        """The prefix that a key is shown as."""
        if not self.delimiter:
            return None
        at = key.find(self.delimiter, len(self.prefix))
        return None if at < 0 else key[: at + len(self.delimiter)]

    def page(self, bucket: Bucket, marker: str) -> Page:
        page = Page()
        for key, common in self.walk(bucket.keys, marker):
            if common is None and versions.current(bucket, key) is None:
                continue
            if common is not None and not self._is_alive(bucket, common):
                continue
            if len(page.keys) + len(page.prefixes) == self.most:
                page.more = self.most > 0
                break
            page.last = common or key
            (page.prefixes if common else page.keys).append(page.last)
        return page

    def walk(self, keys: Keys[Any], marker: str, *, itself: bool = False) -> Iterator[tuple[str, str | None]]:
        """Keys after the marker, or with it; for those that share a prefix the first of them, and that."""
        passed = self.common(marker) if marker.startswith(self.prefix) else None
        if passed is not None:
            marker, itself = _end_of(passed), False
        start = max(marker, self.prefix)
        coming = keys.after(start, itself=itself or start != marker)
        key = next(coming, None)
        while key is not None and key.startswith(self.prefix):
            common = self.common(key)
            yield key, common
            if common is not None:
                coming = keys.after(_end_of(common))
            key = next(coming, None)

    def _is_alive(self, bucket: Bucket, common: str) -> bool:
        """Whether one of the keys that share it is there, and not only its delete markers."""
        for key in bucket.keys.after(common, itself=True):
            if not key.startswith(common):
                return False
            if versions.current(bucket, key) is not None:
                return True
        return False


def _end_of(prefix: str) -> str:
    """What comes after all keys that begin so, and before every other."""
    return prefix + _LAST * 4


def _entries(
    bucket: Bucket, asked: _Asked, marker: str, version_marker: str | None
) -> Iterator[tuple[str, Entry | None, bool]]:
    """Versions after the marker, with whether they are their key's newest; a shared prefix has none."""
    for key, common in asked.walk(bucket.keys, marker, itself=bool(version_marker)):
        if common is not None:
            yield common, None, False
            continue
        entries = bucket.keys.versions(key)
        skipped = 0
        if version_marker and key == marker:
            skipped = next((n for n, it in enumerate(entries, 1) if it.id == version_marker), 0)
        for place, entry in enumerate(entries):
            if place >= skipped:
                yield key, entry, place == 0


def _told(call: Call, asked: _Asked, page: Page, *, with_owner: bool) -> dict[str, Any]:
    bucket = call.bucket()
    found: dict[str, Any] = {
        "Name": bucket.name,
        "Prefix": asked.encoded(asked.prefix),
        "MaxKeys": asked.most,
        "IsTruncated": page.more,
        **asked.told(),
    }
    if page.keys:
        found["Contents"] = [
            _content(asked, key, version, with_owner)
            for key in page.keys
            if (version := versions.current(bucket, key)) is not None
        ]
    if page.prefixes:
        found["CommonPrefixes"] = [{"Prefix": asked.encoded(it)} for it in page.prefixes]
    return found


def _content(asked: _Asked, key: str, version: Version, with_owner: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"Key": asked.encoded(key), "LastModified": version.at, **_of_version(version)}
    return {**told, "Owner": owner(version.owner)} if with_owner else told


def _of_version(version: Version) -> Mapping[str, Any]:
    told: dict[str, Any] = {
        "ETag": f'"{version.etag}"',
        "Size": version.size,
        "StorageClass": version.settings.storage_class,
    }
    if version.checksum is not None:
        told |= {"ChecksumAlgorithm": [version.checksum.algorithm], "ChecksumType": version.checksum.type}
    return told


def _of_token(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except ValueError:
        raise bad_argument(
            "The continuation token provided is incorrect", "continuation-token", token
        ) from None
