"""AWS errors on the wire: EC2's XML, S3's XML, the query protocol's XML, JSON, or CBOR."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

from pavedroad.localcloud import cbor
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.errors import ServiceError

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NOT_IN_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
"""Characters that XML 1.0 cannot hold, not even escaped; a message may echo them from the request."""


_NO_REST_JSON = frozenset(
    {
        "",
        "autoscaling",
        "cloudfront",
        "ec2",
        "elasticloadbalancing",
        "iam",
        "monitoring",
        "route53",
        "s3",
        "sns",
        "sqs",
        "sts",
    }
)
"""Services that say what is wrong in XML, but for calls that name a JSON protocol."""


def legible(response: ApiResponse) -> ApiResponse:
    """An XML error as XML can hold it."""
    kind = next((value for name, value in response.headers if name.lower() == "content-type"), "")
    if response.status < 400 or "xml" not in kind:
        return response
    return replace(response, body=_NOT_IN_XML.sub(b"?", response.body))


def error_response(
    request: ApiRequest, error: ServiceError, *, shape: str = "", details: Mapping[str, Any] | None = None
) -> ApiResponse:
    """The error as the called service would write it. `shape` is the model's name of it, where that is
    another than its code, and `details` its further members; both are for JSON and CBOR."""
    if speaks_cbor(request.headers) or _is_json(request):
        return _document(request, error, shape or error.code, details or {})
    return ApiResponse(
        error.status,
        (
            ("content-type", "application/xml" if request.service == "s3" else "text/xml;charset=UTF-8"),
            ("x-amz-request-id", request.request_id),
        ),
        b"" if request.method == "HEAD" else (_XML + _xml(request, error)).encode(),
    )


def speaks_cbor(headers: Mapping[str, str]) -> bool:
    """Whether the client speaks Smithy's RPC protocol, with CBOR for bodies."""
    return headers.get("smithy-protocol", "").lower() == "rpc-v2-cbor"


def _document(
    request: ApiRequest, error: ServiceError, shape: str, details: Mapping[str, Any]
) -> ApiResponse:
    members = {"__type": shape, "message": error.message, **details}
    fault = "Sender" if error.status < 500 else "Receiver"
    headers = [("x-amzn-errortype", shape), ("x-amzn-requestid", request.request_id)]
    if shape != error.code or "x-amzn-query-mode" in request.headers:
        # Services that once spoke the query protocol alone keep its codes for clients that know them.
        headers.append(("x-amzn-query-error", f"{error.code};{fault}"))
    if speaks_cbor(request.headers):
        headers += [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        return ApiResponse(error.status, tuple(headers), cbor.dumps(members))
    asked = request.headers.get("content-type", "")
    # Never what the client made up: a browser might take an error for a page.
    kind = asked if asked.startswith("application/x-amz-json-") and asked.isascii() else "application/json"
    return ApiResponse(error.status, (("content-type", kind), *headers), json.dumps(members).encode())


def _is_json(request: ApiRequest) -> bool:
    """The JSON protocols by their headers, and REST by its paths, where it is not XML."""
    content_type = request.headers.get("content-type", "")
    rest = request.path != "/" and request.service not in _NO_REST_JSON
    form = content_type.startswith("application/x-www-form-urlencoded")
    json_named = "x-amz-target" in request.headers or content_type.startswith("application/x-amz-json")
    return json_named or (rest and not form)


def _xml(request: ApiRequest, error: ServiceError) -> str:
    code, message, request_id = escape(error.code), escape(error.message), escape(request.request_id)
    said = f"<Code>{code}</Code><Message>{message}</Message>"
    if request.service == "ec2":
        return (
            f"<Response><Errors><Error>{said}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
    if request.service == "s3":
        resource = escape(request.path)
        return f"<Error>{said}<Resource>{resource}</Resource><RequestId>{request_id}</RequestId></Error>"
    fault = "Sender" if error.status < 500 else "Receiver"
    return (
        f"<ErrorResponse><Error><Type>{fault}</Type>{said}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
