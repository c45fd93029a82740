"""Tags of objects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from pavedroad.localcloud.objects import versions
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.refusals import Refused, bad_argument

MOST_OF_OBJECTS = 10
_ALLOWED = re.compile(r"[\w\s.:+=@/\-]*")


def get_object_tagging(call: Call) -> Result:
    bucket, _, version = versions.asked(call)
    return Result({"TagSet": listed(version.settings.tags), **versions.shown_id(bucket, version)})


def put_object_tagging(call: Call) -> Result:
    bucket, key, version = versions.asked(call)
    tags = checked(call.structure("Tagging").get("TagSet") or (), MOST_OF_OBJECTS)
    changed = replace(version, settings=replace(version.settings, tags=tags))
    versions.change(bucket, key, version, changed)
    call.happened("ObjectTagging:Put", bucket, key, changed)
    return Result(versions.shown_id(bucket, version))


def delete_object_tagging(call: Call) -> Result:
    bucket, key, version = versions.asked(call)
    changed = replace(version, settings=replace(version.settings, tags={}))
    versions.change(bucket, key, version, changed)
    call.happened("ObjectTagging:Delete", bucket, key, changed)
    return Result(versions.shown_id(bucket, version), status=204)


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def of_header(said: str | None) -> dict[str, str]:
    """`a=b&c=d`, percent-encoded."""
    if not said:
        return {}
    pairs = parse_qsl(said, keep_blank_values=True)
    if not pairs and said.strip("&"):
        raise bad_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
            "without tag name duplicates.",
            "x-amz-tagging",
            said,
        )
    if len({key for key, _ in pairs}) < len(pairs):
        raise bad_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
            "without tag name duplicates.",
            "x-amz-tagging",
            said,
        )
    return checked([{"Key": key, "Value": value} for key, value in pairs], MOST_OF_OBJECTS)


def checked(tags: Sequence[Mapping[str, Any]], most: int) -> dict[str, str]:
    """By key, in the order in which they were put; refused where they are not what tags may be."""
    if len(tags) > most:
        kind = "Object" if most == MOST_OF_OBJECTS else "Bucket"
        code = "BadRequest" if most == MOST_OF_OBJECTS else "InvalidTag"
        raise Refused(code, f"{kind} tags cannot be greater than {most}")
    found: dict[str, str] = {}
    for tag in tags:
        key, value = str(tag.get("Key") or ""), str(tag.get("Value") or "")
        if not 1 <= len(key) <= 128 or not _ALLOWED.fullmatch(key):
            raise Refused("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if len(value) > 256 or not _ALLOWED.fullmatch(value):
            raise Refused(
                "InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value
            )
        if key.startswith("aws:"):
            raise Refused("InvalidTag", "System tags cannot be added/updated by requester", TagKey=key)
        if key in found:
            raise Refused("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey=key)
        found[key] = value
    return found
