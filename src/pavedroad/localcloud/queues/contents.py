"""What a message may say, and the digests by which clients check that it was heard right."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Mapping
from typing import Any

from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.queues.refusals import invalid

LARGEST = 2**20
Attributes = Mapping[str, Mapping[str, Any]]
_MOST_ATTRIBUTES = 10
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_TYPES = ("String", "Number", "Binary")
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)


def check_body(body: str) -> None:
    if not body:
        raise ServiceError("MissingParameter", "The request must contain the parameter MessageBody.")
    if found := _NO_TEXT.search(body):
        raise ServiceError(
            "InvalidMessageContents",
            f"Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
            f"#xE000 to #xFFFD | #x10000 to #x10FFFF. The first is at {found.start()}.",
        )


def check_attributes(attributes: Attributes) -> None:
    if len(attributes) > _MOST_ATTRIBUTES:
        raise invalid(f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10].")
    for name, attribute in attributes.items():
        _check_name(name)
        kind = _type(attribute)
        if not kind:
            raise invalid(f"The message attribute '{name}' must contain a non-empty message attribute type.")
        base = kind.partition(".")[0]
        if base not in _TYPES or len(kind) > 256:
            raise invalid(
                f"The message attribute '{name}' has an invalid message attribute type, the set of "
                "supported type prefixes is Binary, Number, and String."
            )
        value = attribute.get("BinaryValue" if base == "Binary" else "StringValue")
        if not value:
            raise invalid(f"The message attribute '{name}' must contain a non-empty message attribute value.")
        if isinstance(value, str) and _NO_TEXT.search(value):
            raise ServiceError(
                "InvalidMessageContents", f"The message attribute '{name}' has invalid characters."
            )
        if base == "Number" and not _NUMBER.fullmatch(value):
            raise invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name.startswith(".") or name.endswith(".") or ".." in name:
        raise invalid(
            f"The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, "
            "underscore (_), hyphen (-), and period (.) characters."
        )
    if name.lower().startswith(("aws.", "amazon.")):
        raise invalid(
            f"The message attribute name '{name}' is invalid. Attribute names cannot start with it."
        )


def size_of(body: str, attributes: Attributes) -> int:
    """In bytes, as limits count it: names, types and values of attributes too, as far as they have any."""
    return len(body.encode()) + sum(
        len(name.encode()) + len(_type(it).encode()) + len(_value(it)) for name, it in attributes.items()
    )


def md5_of(body: str) -> str:
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Attributes) -> str:
    """Of the names in order, each with its type and value. Source: "Calculating the MD5 message digest for
    message attributes", Amazon SQS developer guide."""
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        for part in (name.encode(), _type(attribute).encode()):
            digest.update(struct.pack("!I", len(part)) + part)
        value = _value(attribute)
        digest.update(b"\x02" if _is_binary(attribute) else b"\x01")
        digest.update(struct.pack("!I", len(value)) + value)
    return digest.hexdigest()


def _value(attribute: Mapping[str, Any]) -> bytes:
    if _is_binary(attribute):
        return attribute.get("BinaryValue") or b""
    return str(attribute.get("StringValue") or "").encode()


def _is_binary(attribute: Mapping[str, Any]) -> bool:
    return _type(attribute).startswith("Binary")


def _type(attribute: Mapping[str, Any]) -> str:
    return str(attribute.get("DataType") or "")
