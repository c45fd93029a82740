"""What S3 refuses, in its words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from pavedroad.localcloud.errors import DetailedError


class Refused(DetailedError):
    """`details` are further elements of the error's document, in S3's order (`ContentMD5` is `Content-MD5`);
    `headers` go with it."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        *,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(code, message, status, details=details)
        self.headers = dict(headers or {})


def no_bucket(name: str) -> Refused:
    return Refused("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)


def no_key(key: str, headers: Mapping[str, str] | None = None) -> Refused:
    return Refused("NoSuchKey", "The specified key does not exist.", 404, headers=headers, Key=key)


def deleted(key: str, version: str) -> Refused:
    """The newest version of the key is a delete marker."""
    return no_key(key, {"x-amz-delete-marker": "true", "x-amz-version-id": version})


def no_version(key: str, version: str) -> Refused:
    return Refused("NoSuchVersion", "The specified version does not exist.", 404, Key=key, VersionId=version)


def is_marker(method: str, version: str, at: datetime) -> Refused:
    """A delete marker was asked for by its id."""
    return Refused(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        405,
        headers={
            "x-amz-delete-marker": "true",
            "x-amz-version-id": version,
            "last-modified": format_datetime(at, usegmt=True),
            "allow": "DELETE",
        },
        Method=method,
        ResourceType="DeleteMarker",
    )


def no_upload(upload_id: str) -> Refused:
    return Refused(
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
        "aborted or completed.",
        404,
        UploadId=upload_id,
    )


def unmet(condition: str) -> Refused:
    """`condition` is the header's name."""
    return Refused(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        412,
        Condition=condition,
    )


def not_satisfiable(asked: str, size: int) -> Refused:
    return Refused(
        "InvalidRange",
        "The requested range is not satisfiable",
        416,
        headers={"content-range": f"bytes */{size}"},
        RangeRequested=asked,
        ActualObjectSize=size,
    )


def bad_argument(message: str, name: str = "", value: object = None) -> Refused:
    if not name:
        return Refused("InvalidArgument", message)
    return Refused("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)


def bad_request(message: str) -> Refused:
    return Refused("InvalidRequest", message)


def malformed() -> Refused:
    """Of an XML document."""
    return Refused(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


def denied(message: str = "Access Denied") -> Refused:
    return Refused("AccessDenied", message, 403)


def not_offered(operation: str) -> Refused:
    return Refused("NotImplemented", f"{operation} is not offered by this cloud yet.", 501)
