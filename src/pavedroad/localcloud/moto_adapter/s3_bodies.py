"""Bodies of S3 objects that are not what their request says of them: refused before anything is overwritten.

The chunks are those of AWS's `aws-chunked` encoding, with or without signatures and trailers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.s3_digests import Crc32, Digest, digest_of, in_base64, md5, sha1

_STREAMING = "STREAMING-"
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})(;chunk-signature=[0-9a-fA-F]*)?\r?\n")
_LONGEST_LINE = 1024
_PIECE = 1 << 20
_CHECKSUM = "x-amz-checksum-"

_DIGESTS: dict[str, tuple[str, Callable[[], Digest]]] = {
    "content-md5": ("Content-MD5", md5),
    "x-amz-checksum-crc32": ("CRC32", Crc32),
    "x-amz-checksum-sha1": ("SHA1", sha1),
    "x-amz-checksum-sha256": ("SHA256", hashlib.sha256),
}
"""What a request may say of its body, by header or trailer, and how it is counted. CRC32C and CRC64NVME are
taken unseen."""


class Body:
    """The content of an upload, in pieces. Iterating raises, in S3's words, for chunks that do not add up and
    digests that do not match."""

    def __init__(self, request: ApiRequest) -> None:
        self._request = request
        self._stream = request.stream
        self._said = {name: request.headers[name] for name in _DIGESTS if name in request.headers}
        self._trailers: dict[str, str] = {}
        self._md5 = md5()
        self._chunked = request.headers.get("x-amz-content-sha256", "").startswith(_STREAMING)
        self._trailer = request.headers.get("x-amz-trailer", "").strip().lower()
        named = request.headers.get("x-amz-sdk-checksum-algorithm", "")
        self._named = digest_of(named) if named else None
        self._name = _CHECKSUM + named.lower()

    @property
    def is_checked(self) -> bool:
        """Whether the request says anything that it could be held against."""
        return self._chunked or bool(self._said)

    @property
    def etag(self) -> str:
        return self._md5.digest().hex()

    @property
    def checksums(self) -> dict[str, str]:
        """Headers with what is known of the content: what trailers said, and what was asked for."""
        found = {name: it for name, it in self._trailers.items() if name.startswith(_CHECKSUM)}
        if self._named and self._name not in found:
            found[self._name] = in_base64(self._named.digest())
        return found

    def __iter__(self) -> Iterator[bytes]:
        self._stream.seek(0)
        digests = {name: _DIGESTS[name][1]() for name in (*self._said, self._trailer) if name in _DIGESTS}
        counting = [self._md5, *digests.values(), *([self._named] if self._named else [])]
        length = 0
        for piece in _chunks(self._stream, self._trailers) if self._chunked else _pieces(self._stream):
            length += len(piece)
            for digest in counting:
                digest.update(piece)
            yield piece
        declared = self._request.headers.get("x-amz-decoded-content-length", str(length))
        if self._chunked and declared != str(length):
            raise _incomplete()
        said = dict(self._said)
        if self._trailer in digests:
            said[self._trailer] = self._trailers.get(self._trailer, "")
        for name, value in said.items():
            _compare(name, value, digests[name].digest())


def check_body(request: ApiRequest) -> None:
    """Of a setting; digests of a POST are of the object that it completes."""
    body = Body(request)
    if request.method == "PUT" and "x-amz-copy-source" not in request.headers and body.is_checked:
        for _ in body:
            pass


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
