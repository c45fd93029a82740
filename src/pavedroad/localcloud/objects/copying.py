"""Objects that are made of others, whole or in part; nothing of their contents is written again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import unquote

from pavedroad.localcloud.api.services import LARGEST_OBJECT
from pavedroad.localcloud.objects import conditions, encryption, ranges, settings, uploads, versions
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.contents import check_sound, cut, pieces_of
from pavedroad.localcloud.objects.digests import ALGORITHMS, DEFAULT, FULL_OBJECT, counted, of_base64
from pavedroad.localcloud.objects.model import Bucket, Checksum, DeleteMarker, Extent, Part, Settings, Version
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, bad_request
from pavedroad.localcloud.objects.writing import bucket_and_key, checksum_told

_DIRECTIVES = ("COPY", "REPLACE")
_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the "
    "object's metadata, storage class, website redirect location or encryption attributes."
)


@dataclass(frozen=True, slots=True)
class Source:
    """What is copied, and what it is told by."""

    bucket: Bucket
    key: str
    version: Version
    by_id: bool
    contents: tuple[Extent, ...]
    etag: str = ""
    checksum: Checksum | None = None


def prepare_object(call: Call) -> Call:
    """Find what is to be copied, and count what is not known of it."""
    with call.lock:
        call.bucket()
        source = _source(call)
        if source.version.size > LARGEST_OBJECT:
            raise bad_request(
                "The specified copy source is larger than the maximum allowable size for a copy source: "
                f"{LARGEST_OBJECT}"
            )
        wanted = settings.checksum_algorithm(call.get("ChecksumAlgorithm"), ALGORITHMS)
    known = source.version.checksum
    algorithm = wanted or (known.algorithm if known else DEFAULT)
    return replace(call, copied=_counted(call, source, algorithm))


def prepare_part(call: Call) -> Call:
    with call.lock:
        upload = uploads.asked(call)[2]
        source = _source(call)
        start, length = ranges.copied(call.get("CopySourceRange"), source.version.size)
        algorithm = upload.algorithm or DEFAULT
    taken = cut(source.version.contents, start, length)
    return replace(call, copied=_counted(call, replace(source, contents=taken), algorithm))


def copy_object(call: Call) -> Result:
    bucket, key = bucket_and_key(call)
    source = cast("Source", call.copied)
    directive = _directive(call, "MetadataDirective", "metadata")
    of_tags = _directive(call, "TaggingDirective", "tagging")
    if (source.bucket.name, source.key) == (bucket.name, key) and not _changes(
        call, bucket, source, directive
    ):
        raise bad_request(_ITSELF)
    owned_by = settings.owner_of_new(call, bucket)
    said = settings.of_new(call, bucket, owned_by)
    said = _taken_over(said, source.version.settings, call, directive, of_tags)
    conditions.check_write(call, bucket, key)
    version = Version(
        id="",
        number=0,
        at=call.now,
        owner=owned_by,
        etag=source.etag,
        contents=source.contents,
        checksum=source.checksum,
        settings=said,
    )
    put = versions.put(bucket, key, version)
    call.happened("ObjectCreated:Copy", bucket, key, put)
    members: dict[str, Any] = {
        "CopyObjectResult": {
            "ETag": f'"{version.etag}"',
            "LastModified": version.at,
            **checksum_told(version.checksum),
        },
        **encryption.told(said.encryption),
        **versions.new_id_shown(bucket, put),
        **_source_told(source),
    }
    return Result(members)


def upload_part_copy(call: Call) -> Result:
    source = cast("Source", call.copied)
    upload = uploads.asked(call)[2]
    encryption.check_part_key(call, upload.settings.encryption)
    number = call.parameters["PartNumber"]
    part = Part(number, call.now, source.etag, source.contents, source.checksum)
    upload.parts[number] = part
    checksum = {k: v for k, v in checksum_told(part.checksum).items() if k != "ChecksumType"}
    return Result(
        {
            "CopyPartResult": {"ETag": f'"{part.etag}"', "LastModified": part.at, **checksum},
            **encryption.told(upload.settings.encryption),
            **_source_told(source),
        }
    )


def _source(call: Call) -> Source:
    name, key, version_id = _named(call.parameters["CopySource"])
    bucket = call.bucket_named(name, call.get("ExpectedSourceBucketOwner"))
    if version_id is not None and isinstance(versions.named(bucket, key, version_id), DeleteMarker):
        raise bad_request(
            "The source of a copy request may not specifically refer to a delete marker by version id."
        )
    version = versions.found(call, bucket, key, version_id)
    encryption.check_key(call, version.settings.encryption, "CopySource")
    conditions.check_source(version, call.parameters, call.now)
    restored = version.restored_until is not None and version.restored_until > call.now
    if version.settings.storage_class in settings.ARCHIVED and not restored:
        raise Refused(
            "InvalidObjectState",
            "Operation is not valid for the source object's storage class",
            403,
            StorageClass=version.settings.storage_class,
        )
    return Source(bucket, key, version, version_id is not None, version.contents)


def _named(source: str) -> tuple[str, str, str | None]:
    """Bucket, key and version's id; decoded once."""
    path, mark, version_id = source.partition("?versionId=")
    name, _, key = unquote(path).removeprefix("/").partition("/")
    if not name or not key:
        raise bad_argument(
            "Invalid copy source object key" if name else "Invalid copy source bucket name",
            "x-amz-copy-source",
            "x-amz-copy-source",
        )
    return name, key, unquote(version_id) if mark else None


def _counted(call: Call, source: Source, algorithm: str) -> Source:
    """With ETag and checksum, read where they are not known. Damaged contents are not copied."""
    check_sound(call.contents, source.contents)
    version = source.version
    known = version.checksum
    is_whole = source.contents == version.contents
    etag = version.etag if is_whole and "-" not in version.etag else ""
    checksum = (
        known if is_whole and known and (known.algorithm, known.type) == (algorithm, FULL_OBJECT) else None
    )
    wanted = [*([] if etag else ["MD5"]), *([] if checksum else [algorithm])]
    if wanted:
        found = counted(wanted, pieces_of(call.contents, source.contents))
        etag = etag or (of_base64(found["MD5"]) or b"").hex()
        checksum = checksum or Checksum(algorithm, found[algorithm])
    return replace(source, etag=etag, checksum=checksum)


def _directive(call: Call, name: str, of: str) -> str:
    said = call.get(name, "COPY")
    if said not in _DIRECTIVES:
        raise bad_argument(f"Unknown {of} directive.", f"x-amz-{of}-directive", said)
    return str(said)


def _changes(call: Call, bucket: Bucket, source: Source, directive: str) -> bool:
    """Whether a copy of an object to itself is another object."""
    if directive == "REPLACE" or source.by_id or "BucketEncryption" in bucket.configuration:
        return True
    names = ("StorageClass", "ServerSideEncryption", "SSECustomerAlgorithm", "WebsiteRedirectLocation")
    return any(call.get(name) is not None for name in (*names, "ChecksumAlgorithm"))


def _taken_over(said: Settings, kept: Settings, call: Call, of_metadata: str, of_tags: str) -> Settings:
    """What is said of the copy, with what the directives leave to the source."""
    if of_metadata == "COPY":
        headers = {name: value for name, value in kept.headers.items() if name in settings.HEADERS}
        said = replace(said, headers={**headers, **settings.redirect(call)}, metadata=kept.metadata)
    return said if of_tags == "REPLACE" else replace(said, tags=kept.tags)


def _source_told(source: Source) -> Mapping[str, str]:
    return {"CopySourceVersionId": source.version.id} if source.bucket.versioning else {}
