"""What a call that puts an object says of it, checked."""

from __future__ import annotations

from typing import Any

from pavedroad.localcloud.objects import acl, encryption, locking, tagging
from pavedroad.localcloud.objects.call import Call
from pavedroad.localcloud.objects.model import Bucket, Settings
from pavedroad.localcloud.objects.refusals import Refused, bad_argument

HEADERS = (
    "ContentType",
    "ContentEncoding",
    "ContentLanguage",
    "ContentDisposition",
    "CacheControl",
    "Expires",
)
_REDIRECT = "WebsiteRedirectLocation"
_CLASSES = frozenset(
    {
        *("STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING"),
        *("GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"),
    }
)
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_LONGEST_KEY = 1024
_LARGEST_METADATA = 2048
_OF_NO_TYPE = "binary/octet-stream"
_CHUNKED = "aws-chunked"


def check_key(key: str) -> None:
    length = len(key.encode(errors="surrogatepass"))
    if length > _LONGEST_KEY:
        raise Refused("KeyTooLongError", "Your key is too long", Size=length, MaxSizeAllowed=_LONGEST_KEY)


def of_new(call: Call, bucket: Bucket, owned_by: str) -> Settings:
    """All of them, as the call says, or as the bucket has them by default."""
    retention, hold = locking.of_new(call, bucket)
    return Settings(
        headers=headers(call),
        metadata=metadata(call),
        encryption=encryption.wanted(call, bucket),
        storage_class=storage_class(call),
        tags=tagging.of_header(call.get("Tagging")),
        grants=acl.of_new(call, bucket, owned_by),
        retention=retention,
        legal_hold=hold,
    )


def headers(call: Call) -> dict[str, str]:
    """With the content's type, and without the way in which it came."""
    found = {name: str(call.get(name)) for name in HEADERS if call.get(name) is not None}
    found["ContentType"] = found.get("ContentType") or _OF_NO_TYPE
    encodings = [it.strip() for it in found.pop("ContentEncoding", "").split(",")]
    kept = ",".join(it for it in encodings if it and it != _CHUNKED)
    if kept:
        found["ContentEncoding"] = kept
    return {**found, **redirect(call)}


def redirect(call: Call) -> dict[str, str]:
    said = call.get(_REDIRECT)
    if said is None:
        return {}
    if not said.startswith(("/", "http://", "https://")):
        raise Refused(
            "InvalidRedirectLocation",
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
        )
    return {_REDIRECT: said}


def metadata(call: Call) -> dict[str, str]:
    found = {name.lower(): str(value) for name, value in call.structure("Metadata").items()}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in found.items())
    if size > _LARGEST_METADATA:
        raise Refused(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            Size=size,
            MaxSizeAllowed=_LARGEST_METADATA,
        )
    return found


def storage_class(call: Call) -> str:
    said = call.get("StorageClass", "STANDARD")
    if said not in _CLASSES:
        raise Refused(
            "InvalidStorageClass",
            "The storage class you specified is not valid",
            StorageClassRequested=said,
        )
    return str(said)


def owner_of_new(call: Call, bucket: Bucket) -> str:
    """Whose the object will be."""
    ownership = acl.ownership(bucket)
    gives_it = call.get("ACL") == "bucket-owner-full-control" and ownership == "BucketOwnerPreferred"
    if call.anonymous or gives_it or ownership == "BucketOwnerEnforced":
        return bucket.account
    return call.account


def told(settings: Settings) -> dict[str, Any]:
    """The members that tell of them to who reads the object."""
    found: dict[str, Any] = {**settings.headers, "Metadata": dict(settings.metadata)}
    if settings.storage_class != "STANDARD":
        found["StorageClass"] = settings.storage_class
    if settings.tags:
        found["TagCount"] = len(settings.tags)
    return {**found, **encryption.told(settings.encryption)}


def checksum_algorithm(said: str | None, allowed: tuple[str, ...]) -> str:
    """One that was named, if S3 has it."""
    if said is None:
        return ""
    if said.upper() not in allowed:
        raise bad_argument(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(allowed)}]",
            "x-amz-checksum-algorithm",
            said,
        )
    return said.upper()
