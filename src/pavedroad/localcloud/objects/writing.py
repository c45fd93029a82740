"""Objects that are put whole."""

from __future__ import annotations

from typing import Any

from pavedroad.localcloud.objects import conditions, encryption, settings, versions
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.contents import Received, of_blob
from pavedroad.localcloud.objects.digests import DEFAULT
from pavedroad.localcloud.objects.model import Bucket, Checksum, Version
from pavedroad.localcloud.objects.refusals import Refused, bad_request


def put_object(call: Call) -> Result:
    bucket, key = bucket_and_key(call)
    if call.get("WriteOffsetBytes") is not None:
        raise Refused(
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
            501,
            Header="x-amz-write-offset-bytes",
        )
    owned_by = settings.owner_of_new(call, bucket)
    said = settings.of_new(call, bucket, owned_by)
    if (said.retention or said.legal_hold) and _unchecked(call):
        raise bad_request(
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock "
            "parameters"
        )
    conditions.check_write(call, bucket, key)
    received = brought(call)
    checksum = checksum_of(received)
    version = Version(
        id="",
        number=0,
        at=call.now,
        owner=owned_by,
        etag=received.md5,
        contents=of_blob(received.blob),
        checksum=checksum,
        settings=said,
    )
    put = versions.put(bucket, key, version)
    call.happened(call.made_by or "ObjectCreated:Put", bucket, key, put)
    members: dict[str, Any] = {
        "ETag": f'"{version.etag}"',
        **checksum_told(checksum),
        **encryption.told(said.encryption),
        **versions.new_id_shown(bucket, put),
    }
    return Result(members)


def brought(call: Call) -> Received:
    """The contents that came with the call; nothing has come where there was no body."""
    assert call.received is not None
    return call.received


def checksum_of(received: Received) -> Checksum:
    """The one that is kept: the one that was named, or the default."""
    algorithm = received.algorithm or DEFAULT
    return Checksum(algorithm, received.checksums[algorithm])


def checksum_told(checksum: Checksum | None) -> dict[str, str]:
    """The members that tell of it."""
    if checksum is None:
        return {}
    return {f"Checksum{checksum.algorithm}": checksum.value, "ChecksumType": checksum.type}


def _unchecked(call: Call) -> bool:
    """Whether retention was asked for, and nothing said that the contents could be held against."""
    asked = call.get("ObjectLockMode") or call.get("ObjectLockLegalHoldStatus")
    received = brought(call)
    return bool(asked) and not received.algorithm and call.get("ContentMD5") is None


def bucket_and_key(call: Call) -> tuple[Bucket, str]:
    key = call.parameters["Key"]
    settings.check_key(key)
    return call.bucket(), key
