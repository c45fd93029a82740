"""The parts of an upload that is going on, a page at a time."""

from __future__ import annotations

from typing import Any

from pavedroad.localcloud.objects import encryption, ranges, uploads
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.owners import owner
from pavedroad.localcloud.objects.refusals import bad_argument

_MOST = 1000


def list_parts(call: Call) -> Result:
    bucket, key, upload = uploads.asked(call)
    encryption.customer_key(call)
    most, marker = call.get("MaxParts", _MOST), ranges.marker(call.get("PartNumberMarker"))
    if not 0 <= most <= 2**31 - 1:
        raise bad_argument(
            "Argument max-parts must be an integer between 0 and 2147483647", "max-parts", most
        )
    most = min(most, _MOST)
    coming = [number for number in sorted(upload.parts) if number > marker]
    shown = [upload.parts[number] for number in coming[:most]]
    initiator = {"ID": upload.initiator or owner(upload.owner)["ID"], "DisplayName": upload.owner}
    told: dict[str, Any] = {
        "Bucket": bucket.name,
        "Key": key,
        "UploadId": upload.id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "MaxParts": most,
        "IsTruncated": most > 0 and len(coming) > len(shown),
        "Initiator": initiator,
        "Owner": owner(upload.owner),
        "StorageClass": upload.settings.storage_class,
    }
    if upload.algorithm:
        told |= {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type}
    if shown:
        told["Parts"] = [
            {
                "PartNumber": part.number,
                "LastModified": part.at,
                "ETag": f'"{part.etag}"',
                "Size": part.size,
                **({f"Checksum{part.checksum.algorithm}": part.checksum.value} if part.checksum else {}),
            }
            for part in shown
        ]
    return Result(told)
