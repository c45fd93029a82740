"""Results and refusals as S3 writes them: statuses, headers, documents and contents."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from botocore.model import OperationModel, Shape, StructureShape

from pavedroad.localcloud.api.services import ApiRequest, ApiResponse, Content
from pavedroad.localcloud.errors import DetailedError, ServiceError
from pavedroad.localcloud.objects.call import Result
from pavedroad.localcloud.objects.wire.forms import Form
from pavedroad.localcloud.objects.wire.writers import DECLARATION, NAMESPACE, document, instant, text

Headers = tuple[tuple[str, str], ...]

_ROOTS: Mapping[str, str] = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationsResult",
    "ListBucketIntelligentTieringConfigurations": "ListBucketIntelligentTieringConfigurationsOutput",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
"""The names of documents, which the model leaves out."""

_LOCATION, _LOCATION_ROOT = "GetBucketLocation", "LocationConstraint"
_XML = ("content-type", "application/xml")


def answer(request: ApiRequest, operation: OperationModel, result: Result) -> ApiResponse:
    """The result of an operation, of the names and types of the model's output."""
    status = result.status or int(operation.http.get("responseCode", 200))
    shape = operation.output_shape
    headers = [*_said(request), *result.headers.items()]
    if shape is not None:
        headers += _in_headers(shape, result.members)
    body: bytes | Content = b""
    if shape is not None and status not in (204, 304):
        body = _body(operation, shape, result.members)
    if isinstance(body, bytes) and body and not _is_contents(shape):
        headers.append(("content-type", "application/json") if _is_text(shape) else _XML)
    if request.method == "HEAD" or isinstance(body, Content):
        content = None if request.method == "HEAD" else body
        return ApiResponse(status, tuple(headers), b"", content if isinstance(content, Content) else None)
    return ApiResponse(status, _without_length(headers), body)


def posted(request: ApiRequest, form: Form, bucket: str, result: Result) -> ApiResponse:
    """To a web page's form, as it wants it."""
    etag, key = str(result.members.get("ETag", "")), form.key
    location = f"http://{request.headers.get('host', '')}/{bucket}/{quote(key)}"
    version = result.members.get("VersionId")
    told = [("etag", etag), *([("x-amz-version-id", str(version))] if version else [])]
    if form.redirect:
        said = urlencode({"bucket": bucket, "key": key, "etag": etag})
        place = f"{form.redirect}{'&' if '?' in form.redirect else '?'}{said}"
        return ApiResponse(303, (*_said(request), *told, ("location", place)))
    headers = (*_said(request), *told, ("location", location))
    if form.status != 201:
        return ApiResponse(form.status, headers)
    inside = {"Location": location, "Bucket": bucket, "Key": key, "ETag": etag}
    written = "".join(f"<{name}>{text(value)}</{name}>" for name, value in inside.items())
    body = f"{DECLARATION}<PostResponse>{written}</PostResponse>".encode()
    return ApiResponse(201, (*headers, _XML), body)


def empty_answer(request: ApiRequest, status: int, more: Headers = ()) -> ApiResponse:
    return ApiResponse(status, (*_said(request), *more))


def refusal(request: ApiRequest, error: ServiceError, more: Headers = ()) -> ApiResponse:
    """An error's document; to HEAD none is sent."""
    details: Mapping[str, Any] = error.details if isinstance(error, DetailedError) else {}
    own: Mapping[str, str] = getattr(error, "headers", {})
    headers = (*_said(request), *own.items(), *more)
    if request.method == "HEAD" or error.status == 304:
        return ApiResponse(error.status, headers)
    told = {
        "Code": error.code,
        "Message": error.message,
        **({name: value for name, value in details.items() if value is not None}),
        **({} if details else {"Resource": request.path}),
        "RequestId": request.request_id,
        "HostId": host_id(request),
    }
    inside = "".join(f"<{name}>{_detail(value)}</{name}>" for name, value in told.items())
    body = f"{DECLARATION}<Error>{inside}</Error>".encode()
    return ApiResponse(error.status, (*headers, _XML), body)


def _detail(value: object) -> str:
    if isinstance(value, datetime):
        return instant(value)
    return ("true" if value else "false") if isinstance(value, bool) else text(value)


def _said(request: ApiRequest) -> Headers:
    return (("x-amz-request-id", request.request_id), ("x-amz-id-2", host_id(request)))


def host_id(request: ApiRequest) -> str:
    return base64.b64encode(hashlib.sha256(request.request_id.encode()).digest()).decode()


def _without_length(headers: list[tuple[str, str]]) -> Headers:
    """The server counts what is at hand itself."""
    return tuple(it for it in headers if it[0].lower() != "content-length")


def _body(operation: OperationModel, shape: StructureShape, members: Mapping[str, Any]) -> bytes | Content:
    payload = shape.serialization.get("payload")
    if payload is None:
        if operation.name == _LOCATION:
            where = text(members.get("LocationConstraint") or "")
            return (
                f'{DECLARATION}<LocationConstraint xmlns="{NAMESPACE}">{where}</LocationConstraint>'.encode()
            )
        root = _ROOTS.get(operation.name)
        return document(shape, root, members) if root else b""
    member, value = shape.members[payload], members.get(payload)
    if value is None:
        return b""
    if isinstance(member, StructureShape) and not isinstance(value, bytes):
        return document(member, str(member.serialization.get("name", payload)), value)
    return value.encode() if isinstance(value, str) else value


def _is_contents(shape: StructureShape | None) -> bool:
    """Whether it says its own type."""
    return shape is not None and "ContentType" in shape.members


def _is_text(shape: StructureShape | None) -> bool:
    payload = shape.serialization.get("payload") if shape else None
    return bool(shape and payload and shape.members[payload].type_name == "string")


def _in_headers(shape: StructureShape, members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, where, said_as, write in _located(shape):
        value = members.get(name)
        if value is None:
            continue
        if where == "headers":
            yield from ((f"{said_as}{it}", str(said)) for it, said in value.items())
        else:
            yield said_as, write(value)


@lru_cache(maxsize=256)
def _located(shape: StructureShape) -> tuple[tuple[str, str, str, Callable[[Any], str]], ...]:
    return tuple(
        (name, where, str(member.serialization.get("name", name)).lower(), _writer(member))
        for name, member in shape.members.items()
        if (where := member.serialization.get("location")) in ("header", "headers")
    )


def _writer(shape: Shape) -> Callable[[Any], str]:
    if shape.type_name == "boolean":
        return lambda value: "true" if value else "false"
    if shape.type_name == "timestamp":
        return instant if shape.serialization.get("timestampFormat") == "iso8601" else _http_date
    return str


def _http_date(value: datetime | str) -> str:
    return value if isinstance(value, str) else format_datetime(value, usegmt=True)
