"""Bodies of S3 objects that are not what their request says of them: refused before anything is overwritten.

The chunks are those of AWS's `aws-chunked` encoding, with or without signatures and trailers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError

_STREAMING = "STREAMING-"
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})(;chunk-signature=[0-9a-fA-F]*)?\r?\n")
_LONGEST_LINE = 1024
_PIECE = 1 << 20


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._sum = 0

    def update(self, data: bytes, /) -> None:
        self._sum = zlib.crc32(data, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(4, "big")


_DIGESTS: dict[str, tuple[str, Callable[[], _Digest]]] = {
    "content-md5": ("Content-MD5", lambda: hashlib.md5(usedforsecurity=False)),
    "x-amz-checksum-crc32": ("CRC32", _Crc32),
    "x-amz-checksum-sha1": ("SHA1", lambda: hashlib.sha1(usedforsecurity=False)),
    "x-amz-checksum-sha256": ("SHA256", hashlib.sha256),
}
"""What a request may say of its body, by header or trailer, and how it is counted. CRC32C and CRC64NVME are
taken unseen."""


def check_body(request: ApiRequest) -> None:
    """Chunks that do not add up, and digests that do not match, in S3's words. Digests of a POST are of the
    object that it completes."""
    if request.method != "PUT" or "x-amz-copy-source" in request.headers:
        return
    said = {name: request.headers[name] for name in _DIGESTS if name in request.headers}
    chunked = request.headers.get("x-amz-content-sha256", "").startswith(_STREAMING)
    if not chunked and not said:
        return
    trailer = request.headers.get("x-amz-trailer", "").strip().lower()
    digests = {name: _DIGESTS[name][1]() for name in (*said, trailer) if name in _DIGESTS}
    request.stream.seek(0)
    trailers: dict[str, str] = {}
    length = 0
    for piece in _chunks(request.stream, trailers) if chunked else _pieces(request.stream):
        length += len(piece)
        for digest in digests.values():
            digest.update(piece)
    if chunked and request.headers.get("x-amz-decoded-content-length", str(length)) != str(length):
        raise _incomplete()
    if trailer in digests:
        said[trailer] = trailers.get(trailer, "")
    for name, value in said.items():
        _compare(name, value, digests[name].digest())


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        yield piece


def _chunks(stream: BinaryIO, trailers: dict[str, str]) -> Iterator[bytes]:
    """The content; what comes after it goes into `trailers`."""
    while True:
        found = _SIZE.fullmatch(stream.readline(_LONGEST_LINE))
        if found is None:
            raise _incomplete()
        left = int(found[1], 16)
        if left == 0:
            break
        while left:
            piece = stream.read(min(left, _PIECE))
            if not piece:
                raise _incomplete()
            left -= len(piece)
            yield piece
        if stream.readline(3) not in (b"\r\n", b"\n"):
            raise _incomplete()
    for line in iter(lambda: stream.readline(_LONGEST_LINE), b""):
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()


def _compare(name: str, said: str, counted: bytes) -> None:
    title = _DIGESTS[name][0]
    try:
        expected = base64.b64decode(said, validate=True)
    except (binascii.Error, ValueError):
        expected = b""
    if len(expected) != len(counted):
        if name == "content-md5":
            raise ServiceError("InvalidDigest", "The Content-MD5 you specified was invalid.")
        raise ServiceError("InvalidRequest", f"Value for {name} header is invalid.")
    if expected != counted:
        against = "what we received" if name == "content-md5" else "the calculated checksum"
        raise ServiceError("BadDigest", f"The {title} you specified did not match {against}.")


def _incomplete() -> ServiceError:
    return ServiceError("IncompleteBody", "The request body terminated unexpectedly")
