"""Which operation a call is of, as far as the wire says it without reading a model; whether it only reads."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from pavedroad.localcloud.api.services import ApiRequest

BY_PATH = frozenset({"s3", "route53"})
"""Services whose operations are in methods and paths: faults are for all of one together."""

_READING = (
    "BatchGet",
    "Check",
    "Decode",
    "Describe",
    "Get",
    "Head",
    "List",
    "Search",
    "Select",
    "Simulate",
    "Test",
    "Validate",
)
"""How the operations begin that change nothing that is to be kept; what begins otherwise is saved."""
_READING_TOO = frozenset(
    {
        *("ExportCertificate", "ReceiveMessage"),
        *("Query", "Scan", "TransactGetItems", "FilterLogEvents", "LookupEvents"),
        *("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateMac"),
        *("GenerateRandom", "ReEncrypt", "Sign", "Verify", "VerifyMac"),
    }
)
"""Who received a message, and until when it is hidden from others, is not kept over a restart: it is received
again, as SQS lets happen."""
_CHANGING = frozenset({"GetFederationToken", "GetParametersForImport", "GetSessionToken"})
"""They make credentials, and calls are signed with those, or keys."""
_READING_POSTS = re.compile(r"/[^/]+/tags/[^/]+/?")
"""Of paths: Route 53's `ListTagsForResources`."""
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


def reads(operation: str) -> bool:
    """Whether an operation changes nothing that is to be kept, by its name."""
    if operation in _CHANGING:
        return False
    return operation.startswith(_READING) or operation in _READING_TOO


def only_reads(request: ApiRequest) -> bool:
    """Whether a call does. What cannot be told is taken for one that changes something."""
    if request.service not in BY_PATH:
        return reads(operation_of(request))
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return True
    if request.service == "s3":
        return request.method == "POST" and "select" in parse_qs(request.query, keep_blank_values=True)
    return request.method == "POST" and bool(_READING_POSTS.fullmatch(request.path))
