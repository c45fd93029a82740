"""Objects that are read: all of them, a part, or what there is to say of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pavedroad.localcloud.objects import conditions, encryption, locking, ranges, settings, versions
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.contents import body_of
from pavedroad.localcloud.objects.model import Bucket, Version
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, bad_request, unmet
from pavedroad.localcloud.objects.writing import checksum_told

_OVERRIDDEN = {
    f"Response{name}": name
    for name in (
        "CacheControl",
        "ContentDisposition",
        "ContentEncoding",
        "ContentLanguage",
        "ContentType",
        "Expires",
    )
}
_ATTRIBUTES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
_MOST_PARTS = 1000


def get_object(call: Call) -> Result:
    _, _, version = versions.asked(call)
    result, asked = _read(call)
    if asked is None:
        return result
    if version.settings.storage_class in settings.ARCHIVED and not _is_restored(call, version):
        raise Refused(
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
            403,
            StorageClass=version.settings.storage_class,
        )
    body = body_of(call.contents, version.contents, asked.start, asked.length)
    return Result({**result.members, "Body": body}, result.status)


def head_object(call: Call) -> Result:
    return _read(call)[0]


def get_object_attributes(call: Call) -> Result:
    bucket, _, version = versions.asked(call)
    encryption.check_key(call, version.settings.encryption)
    wanted: Sequence[str] = call.get("ObjectAttributes", ())
    if not wanted:
        raise bad_request(
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing "
            "or empty"
        )
    if any(name not in _ATTRIBUTES for name in wanted):
        raise bad_argument("Invalid attribute name specified.", "x-amz-object-attributes", ",".join(wanted))
    members: dict[str, Any] = {"LastModified": version.at, **versions.shown_id(bucket, version)}
    if "ETag" in wanted:
        members["ETag"] = version.etag
    if "ObjectSize" in wanted:
        members["ObjectSize"] = version.size
    if "StorageClass" in wanted:
        members["StorageClass"] = version.settings.storage_class
    if "Checksum" in wanted and version.checksum:
        members["Checksum"] = {
            f"Checksum{version.checksum.algorithm}": version.checksum.value.partition("-")[0],
            "ChecksumType": version.checksum.type,
        }
    if "ObjectParts" in wanted and version.pieces:
        members["ObjectParts"] = _parts(call, version)
    return Result(members)


def _read(call: Call) -> tuple[Result, ranges.Asked | None]:
    """The answer but for the body, of which nothing is sent where the object is as the caller has it."""
    bucket, _, version = versions.asked(call)
    encryption.check_key(call, version.settings.encryption)
    known: dict[str, Any] = {
        "ETag": f'"{version.etag}"',
        "LastModified": version.at,
        **versions.shown_id(bucket, version),
    }
    verdict = conditions.failed(version, call.parameters, call.now)
    if verdict and conditions.not_modified(verdict):
        return Result(known, status=304), None
    if verdict:
        raise unmet(verdict)
    asked = ranges.asked(version, call.get("Range"), call.get("PartNumber"))
    return Result({**known, **_told(call, bucket, version, asked)}, 0 if asked.whole else 206), asked


def _told(call: Call, bucket: Bucket, version: Version, asked: ranges.Asked) -> dict[str, Any]:
    members: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "ContentLength": asked.length,
        **settings.told(version.settings),
        **locking.told(version),
        **_checksum(call, version, asked),
    }
    if not asked.whole:
        members["ContentRange"] = asked.told(version.size)
    if call.get("PartNumber") is not None and version.pieces:
        members["PartsCount"] = len(version.pieces)
    if version.restored_until is not None:
        until = version.restored_until.strftime("%a, %d %b %Y %H:%M:%S GMT")
        members["Restore"] = f'ongoing-request="false", expiry-date="{until}"'
    for parameter, name in _OVERRIDDEN.items():
        if call.get(parameter) is not None:
            if call.anonymous:
                raise bad_request(
                    "Request specific response headers cannot be used for anonymous GET requests."
                )
            members[name] = call.parameters[parameter]
    return members


def _checksum(call: Call, version: Version, asked: ranges.Asked) -> dict[str, str]:
    """Of the object, or of the part that is asked for; of any other range of it nothing is known."""
    if str(call.get("ChecksumMode", "")).upper() != "ENABLED" or version.checksum is None:
        return {}
    if asked.piece is not None and asked.piece.checksum is not None:
        return {**checksum_told(asked.piece.checksum), "ChecksumType": version.checksum.type}
    return checksum_told(version.checksum) if asked.length == version.size else {}


def _is_restored(call: Call, version: Version) -> bool:
    return version.restored_until is not None and version.restored_until > call.now


def _parts(call: Call, version: Version) -> dict[str, Any]:
    marker = ranges.marker(call.get("PartNumberMarker"))
    most = max(0, min(call.get("MaxParts", _MOST_PARTS), _MOST_PARTS))
    coming = [piece for piece in version.pieces if piece.number > marker]
    shown = coming[:most]
    found: dict[str, Any] = {
        "TotalPartsCount": len(version.pieces),
        "PartNumberMarker": marker,
        "MaxParts": most,
        "IsTruncated": len(coming) > len(shown),
        "NextPartNumberMarker": shown[-1].number if shown else 0,
    }
    if version.checksum and version.checksum.type == "COMPOSITE":
        found["Parts"] = [
            {
                "PartNumber": piece.number,
                "Size": piece.size,
                **({f"Checksum{piece.checksum.algorithm}": piece.checksum.value} if piece.checksum else {}),
            }
            for piece in shown
        ]
    return found
