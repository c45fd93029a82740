# pyright: basic
"""Calls of S3 that moto takes and AWS refuses, or that moto would choke on later."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from moto.core.utils import get_service_model

from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError

_LONGEST_KEY = 1024
_MOST_DELETED = 1000
_NEED_BODIES = {"tagging", "versioning", "website"}
_WORDS = {
    "x-amz-metadata-directive": ("MetadataDirective", "InvalidArgument", "Unknown metadata directive."),
    "x-amz-object-lock-legal-hold": (
        "ObjectLockLegalHoldStatus",
        "InvalidArgument",
        "Legal Hold must be either of 'ON' or 'OFF'",
    ),
    "x-amz-object-lock-mode": ("ObjectLockMode", "InvalidArgument", "Unknown wormMode directive."),
    "x-amz-object-ownership": (
        "ObjectOwnership",
        "InvalidArgument",
        "Invalid x-amz-object-ownership header.",
    ),
    "x-amz-request-payer": ("RequestPayer", "InvalidArgument", "Unknown request payer."),
    "x-amz-sdk-checksum-algorithm": (
        "ChecksumAlgorithm",
        "InvalidRequest",
        "Value for x-amz-sdk-checksum-algorithm header is invalid.",
    ),
    "x-amz-server-side-encryption": (
        "ServerSideEncryption",
        "InvalidArgument",
        "The encryption method specified is not supported",
    ),
    "x-amz-storage-class": (
        "StorageClass",
        "InvalidStorageClass",
        "The storage class you specified is not valid",
    ),
    "x-amz-tagging-directive": ("TaggingDirective", "InvalidArgument", "Unknown tagging directive."),
}
"""Headers with the shape of what they may say, and AWS's error for anything else."""


def check_s3(request: ApiRequest) -> None:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    key = unquote_to_bytes(request.path).lstrip(b"/").partition(b"/")[2]
    if len(key) > _LONGEST_KEY:
        raise ServiceError("KeyTooLongError", "Your key is too long")
    for header, (shape, code, message) in _WORDS.items():
        said = request.headers.get(header)
        if said is not None and said not in _words(shape):
            raise ServiceError(code, message)
    if query.get("encoding-type", "url") != "url":
        raise ServiceError("InvalidArgument", "Invalid Encoding Method specified in Request")
    if request.method == "PUT":
        _check_setting(request, query)
    elif request.method == "POST" and "delete" in query and request.body().count(b"<Key>") > _MOST_DELETED:
        raise malformed()


def _check_setting(request: ApiRequest, query: dict[str, str]) -> None:
    if query.keys() & _NEED_BODIES and request.length == 0:
        raise ServiceError("MissingRequestBodyError", "Request Body is empty")
    if "policy" in query:
        _check_policy(request.body())
    if "versioning" in query:
        said = request.body()
        if not any(b"<Status>%s</Status>" % word in said for word in (b"Enabled", b"Suspended")):
            raise malformed() if b"<Status>" in said else _no_status()


def _check_policy(body: bytes) -> None:
    """moto takes any text for a bucket's policy, and then fails at every later call to the bucket."""
    try:
        policy = json.loads(body)
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict) or not isinstance(policy.get("Statement"), list | dict):
        raise ServiceError("MalformedPolicy", "The policy must be a JSON object with its statements.")


@cache
def _words(shape: str) -> frozenset[str]:
    found: Any = get_service_model("s3").shape_for(shape)
    return frozenset(found.enum)


def malformed() -> ServiceError:
    """Of an XML document."""
    return ServiceError(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


def _no_status() -> ServiceError:
    return ServiceError(
        "IllegalVersioningConfigurationException",
        "The Versioning element must be specified",
    )
