"""Which operation a call is of, as far as the wire says it without reading a model."""

from __future__ import annotations

from urllib.parse import parse_qs

from pavedroad.localcloud.api.services import ApiRequest

BY_PATH = frozenset({"s3", "route53"})
"""Services whose operations are in methods and paths: faults are for all of one together."""
_FORM = "application/x-www-form-urlencoded"


def operation_of(request: ApiRequest) -> str:
    """Its name; empty where the wire does not name it."""
    headers = request.headers
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if headers.get("smithy-protocol"):
        return request.path.rstrip("/").rpartition("/")[2]
    if request.service in BY_PATH:
        return ""
    if "Action=" in request.query:
        return parse_qs(request.query).get("Action", [""])[0]
    if headers.get("content-type", "").startswith(_FORM):
        return parse_qs(request.body().decode("utf-8", "replace")).get("Action", [""])[0]
    return ""
