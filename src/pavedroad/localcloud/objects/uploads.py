"""Objects that are uploaded in parts."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from pavedroad.localcloud.objects import conditions, encryption, ranges, settings, versions
from pavedroad.localcloud.objects.bodies import bad_digest
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.contents import check_sound, of_blob
from pavedroad.localcloud.objects.digests import (
    ALGORITHMS,
    COMPOSITE,
    DEFAULT,
    FULL_OBJECT,
    combined,
    composite,
    types_of,
)
from pavedroad.localcloud.objects.model import Bucket, Checksum, Part, Piece, Upload, Version
from pavedroad.localcloud.objects.refusals import Refused, bad_request, malformed, no_upload
from pavedroad.localcloud.objects.writing import brought, bucket_and_key, checksum_told

SMALLEST = 5 * 2**20
"""A part, but for the last."""


def create_multipart_upload(call: Call) -> Result:
    bucket, key = bucket_and_key(call)
    algorithm = settings.checksum_algorithm(call.get("ChecksumAlgorithm"), ALGORITHMS)
    kind = _type(algorithm, call.get("ChecksumType"))
    owned_by = settings.owner_of_new(call, bucket)
    said = settings.of_new(call, bucket, owned_by)
    number = versions.next_number(bucket)
    upload = Upload(
        id=f"{number:012x}{secrets.token_hex(32)}",
        key=key,
        at=call.now,
        owner=owned_by,
        initiator=call.principal,
        settings=said,
        algorithm=algorithm,
        checksum_type=kind,
    )
    bucket.uploads[upload.id] = upload
    members: dict[str, Any] = {"Bucket": bucket.name, "Key": key, "UploadId": upload.id}
    if algorithm:
        members |= {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    return Result({**members, **encryption.told(said.encryption)})


def upload_part(call: Call) -> Result:
    upload = asked(call)[2]
    received = brought(call)
    encryption.check_part_key(call, upload.settings.encryption)
    algorithm = upload.algorithm or received.algorithm or DEFAULT
    if upload.algorithm and received.algorithm != upload.algorithm:
        raise bad_request(
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, "
            f"actual checksum Type: {received.algorithm.lower() or 'null'}"
        )
    checksum = Checksum(algorithm, received.checksums[algorithm])
    whole = "" if upload.algorithm else received.checksums[DEFAULT]
    number = call.parameters["PartNumber"]
    part = Part(number, call.now, received.md5, of_blob(received.blob), checksum, whole)
    upload.parts[number] = part
    told = {name: value for name, value in checksum_told(part.checksum).items() if name != "ChecksumType"}
    return Result({"ETag": f'"{part.etag}"', **told, **encryption.told(upload.settings.encryption)})


def prepare_completion(call: Call) -> Call:
    """Damaged parts are not joined."""
    with call.lock:
        upload = call.bucket().uploads.get(call.parameters["UploadId"])
        extents = [it for part in upload.parts.values() for it in part.contents] if upload else []
    check_sound(call.contents, extents)
    return call


def complete_multipart_upload(call: Call) -> Result:
    bucket, key = bucket_and_key(call)
    wanted: list[Mapping[str, Any]] = list(call.structure("MultipartUpload").get("Parts") or ())
    if not wanted:
        raise malformed()
    upload_id = call.parameters["UploadId"]
    if upload_id not in bucket.uploads and (again := _completed(bucket, key, upload_id, wanted)):
        return _completed_told(call, bucket, key, again)
    upload = asked(call)[2]
    parts = _parts(upload, wanted)
    encryption.check_part_key(call, upload.settings.encryption)
    size = sum(part.size for part in parts)
    if call.get("MpuObjectSize") is not None and call.parameters["MpuObjectSize"] != size:
        raise bad_request(
            "The provided 'x-amz-mp-object-size' header value "
            f"{call.parameters['MpuObjectSize']} does not match what was computed: {size}"
        )
    checksum = _checksum(call, upload, parts)
    conditions.check_write(call, bucket, key)
    version = Version(
        id="",
        number=0,
        at=call.now,
        owner=upload.owner,
        etag=_etag([part.etag for part in parts]),
        contents=tuple(extent for part in parts for extent in part.contents),
        checksum=checksum,
        pieces=tuple(Piece(part.number, part.size, part.etag, part.checksum) for part in parts),
        upload=upload.id,
        settings=upload.settings,
    )
    put = versions.put(bucket, key, version)
    assert isinstance(put, Version)
    del bucket.uploads[upload.id]
    call.happened("ObjectCreated:CompleteMultipartUpload", bucket, key, put)
    return _completed_told(call, bucket, key, put)


def abort_multipart_upload(call: Call) -> Result:
    bucket, _, upload = asked(call)
    at = call.get("IfMatchInitiatedTime")
    if at is not None and at.replace(microsecond=0) != upload.at.replace(microsecond=0):
        raise Refused(
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
            412,
            Condition="x-amz-if-match-initiated-time",
        )
    del bucket.uploads[upload.id]
    return Result(status=204)


def asked(call: Call) -> tuple[Bucket, str, Upload]:
    """The upload that a call names, of the key that it names."""
    bucket, key, upload_id = call.bucket(), call.parameters["Key"], call.parameters["UploadId"]
    upload = bucket.uploads.get(upload_id)
    if upload is None or upload.key != key:
        raise no_upload(upload_id)
    number = call.get("PartNumber")
    if number is not None:
        ranges.check_number(number)
    return bucket, key, upload


def _type(algorithm: str, said: str | None) -> str:
    if not algorithm:
        if said is not None:
            raise bad_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        return FULL_OBJECT
    possible = types_of(algorithm)
    if said is not None and said not in (COMPOSITE, FULL_OBJECT):
        raise bad_request("Value for x-amz-checksum-type header is invalid.")
    if said is not None and said not in possible:
        raise bad_request(
            f"The {said} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    return said or possible[0]


def _parts(upload: Upload, wanted: Sequence[Mapping[str, Any]]) -> list[Part]:
    """Those that are named, if they are there, as they are said to be, in order and large enough."""
    parts: list[Part] = []
    for one in wanted:
        number, etag = one.get("PartNumber"), one.get("ETag")
        if number is None or etag is None:
            raise malformed()
        if parts and number <= parts[-1].number:
            raise Refused(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
                UploadId=upload.id,
            )
        part = upload.parts.get(number)
        if part is None or part.etag != etag.strip().strip('"'):
            raise _no_part(upload, number, etag)
        _compare(upload, part, one)
        parts.append(part)
    for part in parts[:-1]:
        if part.size < SMALLEST:
            raise Refused(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=part.size,
                MinSizeAllowed=SMALLEST,
                PartNumber=part.number,
                ETag=part.etag,
            )
    return parts


def _no_part(upload: Upload, number: int, etag: str) -> Refused:
    return Refused(
        "InvalidPart",
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
        "specified entity tag may not match the part's entity tag.",
        UploadId=upload.id,
        PartNumber=number,
        ETag=etag.strip().strip('"'),
    )


def _compare(upload: Upload, part: Part, said: Mapping[str, Any]) -> None:
    """The part's checksum with the one that is said of it."""
    told = {it: said[f"Checksum{it}"] for it in ALGORITHMS if said.get(f"Checksum{it}")}
    if upload.algorithm and upload.checksum_type == COMPOSITE and upload.algorithm not in told:
        raise bad_request(
            f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must "
            f"include the checksum for each part. It was missing for part {part.number} in the request."
        )
    for algorithm, value in told.items():
        if part.checksum is None or part.checksum.algorithm != algorithm:
            if upload.algorithm:
                raise bad_digest(algorithm)
            continue
        if part.checksum.value != value:
            raise _no_part(upload, part.number, part.etag)


def _checksum(call: Call, upload: Upload, parts: Sequence[Part]) -> Checksum | None:
    """Of the whole, or of the parts' checksums; compared with what the call says of it."""
    algorithm = upload.algorithm or DEFAULT
    kind = call.get("ChecksumType")
    if kind is not None and upload.algorithm and kind != upload.checksum_type:
        raise bad_request(
            f"The upload was created using the {upload.checksum_type} checksum mode. The complete request "
            "must use the same checksum mode."
        )
    values = [(_value(part, algorithm), part.size) for part in parts]
    if not all(value for value, _ in values):
        return None
    if upload.checksum_type == COMPOSITE:
        found = composite(algorithm, [value for value, _ in values])
    else:
        found = combined(algorithm, values)
    said = call.get(f"Checksum{algorithm}")
    if said is not None and said.partition("-")[0] != found.partition("-")[0]:
        raise bad_digest(algorithm)
    return Checksum(algorithm, found, upload.checksum_type)


def _value(part: Part, algorithm: str) -> str:
    if part.checksum is not None and part.checksum.algorithm == algorithm:
        return part.checksum.value
    return part.crc64nvme if algorithm == DEFAULT else ""


def _etag(etags: Sequence[str]) -> str:
    joined = b"".join(bytes.fromhex(etag) for etag in etags)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(etags)}"


def _completed(
    bucket: Bucket, key: str, upload_id: str, wanted: Sequence[Mapping[str, Any]]
) -> Version | None:
    """What the upload has become already, for who did not hear of it and asks again."""
    for it in bucket.keys.versions(key):
        if isinstance(it, Version) and it.upload == upload_id:
            said = [(one.get("PartNumber"), str(one.get("ETag")).strip().strip('"')) for one in wanted]
            return it if said == [(piece.number, piece.etag) for piece in it.pieces] else None
    return None


def _completed_told(call: Call, bucket: Bucket, key: str, version: Version) -> Result:
    host = call.headers.get("host") or f"s3.{bucket.region}.amazonaws.com"
    members: dict[str, Any] = {
        "Bucket": bucket.name,
        "Key": key,
        "ETag": f'"{version.etag}"',
        "Location": f"http://{host}/{bucket.name}/{key}",
        **checksum_told(version.checksum),
        **encryption.told(version.settings.encryption),
        **versions.new_id_shown(bucket, version),
    }
    return Result(members)
