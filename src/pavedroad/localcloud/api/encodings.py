"""Bodies that come packed: SDKs send large ones of some services in gzip."""

from __future__ import annotations

import zlib
from dataclasses import replace
from io import BytesIO

from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError

_LARGEST_UNPACKED = 32 * 2**20


def plain(request: ApiRequest) -> ApiRequest:
    """The request with its body as it was before it was packed. S3's objects stay as they are."""
    if request.service == "s3" or not _is_packed(request):
        return request
    body = unpacked(request)
    headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    return replace(request, headers=headers, stream=BytesIO(body), length=len(body))


def unpacked(request: ApiRequest) -> bytes:
    """The body, out of its gzip where it is in one. `ServiceError` where it is not, or too large."""
    body = request.body()
    if not _is_packed(request):
        return body
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(body, _LARGEST_UNPACKED)
    except zlib.error as error:
        raise ServiceError("SerializationException", "The body is not gzip, as its header says.") from error
    if unpacking.unconsumed_tail:
        raise ServiceError(
            "RequestEntityTooLarge", f"The body unpacks to more than {_LARGEST_UNPACKED} bytes.", 413
        )
    if not unpacking.eof:
        raise ServiceError("SerializationException", "The gzip of the body ends too early.")
    return found


def _is_packed(request: ApiRequest) -> bool:
    return "gzip" in request.headers.get("content-encoding", "").lower()
