"""Objects that are deleted: one, or many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.objects import conditions, locking, settings, versions
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.model import NULL, Bucket, DeleteMarker, Entry, Version
from pavedroad.localcloud.objects.refusals import malformed

_MOST = 1000


def delete_object(call: Call) -> Result:
    bucket, key = call.bucket(), call.parameters["Key"]
    settings.check_key(key)
    demanded = {
        "ETag": call.get("IfMatch"),
        "LastModifiedTime": call.get("IfMatchLastModifiedTime"),
        "Size": call.get("IfMatchSize"),
    }
    version_id = call.get("VersionId")
    gone, marker = _delete(call, bucket, key, version_id, demanded)
    if marker is not None:
        return Result({"DeleteMarker": True, "VersionId": marker.id}, status=204)
    members: dict[str, Any] = {}
    if version_id is not None and bucket.versioning:
        members["VersionId"] = version_id
    if isinstance(gone, DeleteMarker) and version_id is not None:
        members["DeleteMarker"] = True
    return Result(members, status=204)


def delete_objects(call: Call) -> Result:
    bucket = call.bucket()
    asked = call.structure("Delete")
    wanted: list[Mapping[str, Any]] = list(asked.get("Objects") or ())
    if not 1 <= len(wanted) <= _MOST:
        raise malformed()
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for one in wanted:
        key, version_id = one.get("Key") or "", one.get("VersionId")
        named = {"Key": key, **({"VersionId": version_id} if version_id is not None else {})}
        try:
            if not key:
                raise malformed()
            settings.check_key(key)
            gone, marker = _delete(call, bucket, key, version_id, one)
        except ServiceError as error:
            errors.append({**named, "Code": error.code, "Message": error.message})
            continue
        if marker is not None:
            named |= {"DeleteMarker": True, "DeleteMarkerVersionId": marker.id}
        elif isinstance(gone, DeleteMarker) and version_id is not None:
            named |= {"DeleteMarker": True, "DeleteMarkerVersionId": gone.id}
        deleted.append(named)
    told: dict[str, Any] = {"Errors": errors} if errors else {}
    if deleted and not asked.get("Quiet"):
        told["Deleted"] = deleted
    return Result(told)


def _delete(
    call: Call, bucket: Bucket, key: str, version_id: str | None, demanded: Mapping[str, Any]
) -> tuple[Entry | None, DeleteMarker | None]:
    """What has gone for good, and the marker that has come."""
    if version_id is not None:
        gone = versions.named(bucket, key, version_id)
        if gone is None:
            return None, None
        conditions.check_delete(bucket, key, demanded)
    else:
        conditions.check_delete(bucket, key, demanded)
        if bucket.versioning:
            return None, _mark(call, bucket, key)
        gone = next(iter(bucket.keys.versions(key)), None)
        if gone is None:
            return None, None
    if isinstance(gone, Version):
        locking.check_delete(call, gone)
    versions.take(bucket, key, gone)
    call.happened("ObjectRemoved:Delete", bucket, key, gone)
    return gone, None


def _mark(call: Call, bucket: Bucket, key: str) -> DeleteMarker:
    """On top, in place of the null version while versioning is suspended."""
    if bucket.versioning == "Suspended":
        for it in bucket.keys.versions(key):
            if it.id == NULL and isinstance(it, Version):
                locking.check_delete(call, it)
    marker = versions.put(bucket, key, DeleteMarker("", 0, call.now, call.account or bucket.account))
    assert isinstance(marker, DeleteMarker)
    call.happened("ObjectRemoved:DeleteMarkerCreated", bucket, key, marker)
    return marker
