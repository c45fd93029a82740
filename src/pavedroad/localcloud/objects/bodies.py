"""Bodies of objects and parts as they come: checked, counted and kept before the state's lock is taken.

The chunks are those of AWS's `aws-chunked` encoding, with or without signatures and trailers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.api.services import LARGEST_OBJECT, ApiRequest
from pavedroad.localcloud.objects.contents import Received
from pavedroad.localcloud.objects.digests import (
    ALGORITHMS,
    DEFAULT,
    digest_of,
    in_base64,
    is_one,
    md5,
    of_base64,
)
from pavedroad.localcloud.objects.refusals import Refused, bad_request

_STREAMING = "STREAMING-"
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})(;chunk-signature=[0-9a-fA-F]*)?\r?\n")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_LONGEST_LINE = 1024
_PIECE = 1 << 20
_CHECKSUM = "x-amz-checksum-"
_HEADERS = {f"{_CHECKSUM}{algorithm.lower()}": algorithm for algorithm in ALGORITHMS}


def receive(request: ApiRequest, store: BlobStore) -> Received:
    """The contents that it brings, out of their chunks. Refuses what is not what the request says of it:
    length, digests, checksums, trailers."""
    body = _Body(request)
    try:
        received = received_of(body, store, body.algorithms)
    finally:
        request.stream.seek(0)
    body.compare(received)
    return received


def check(request: ApiRequest) -> None:
    """The same of a document: refuses what is not what the request says of it, and keeps nothing."""
    body = _Body(request)
    if body.algorithms or "content-md5" in request.headers:
        hashed, digests = md5(), {it: digest_of(it) for it in body.algorithms}
        for piece in body:
            hashed.update(piece)
            for digest in digests.values():
                digest.update(piece)
        found = {algorithm: in_base64(digest.digest()) for algorithm, digest in digests.items()}
        body.compare_digests(hashed.digest(), found)


def received_of(pieces: Iterable[bytes], store: BlobStore, algorithms: Iterable[str] = ()) -> Received:
    """Contents that come otherwise: kept and counted. `algorithms` are those of checksums that are wanted
    besides the default; the first of them is named."""
    wanted = list(dict.fromkeys(algorithms))
    hashed = md5()
    digests = {it: digest_of(it) for it in {DEFAULT, *wanted} - {"MD5", "SHA256"}}

    def counting() -> Iterator[bytes]:
        length = 0
        for piece in pieces:
            length += len(piece)
            if length > LARGEST_OBJECT:
                raise too_large(length)
            hashed.update(piece)
            for digest in digests.values():
                digest.update(piece)
            yield piece

    blob = store.put_pieces(counting())
    checksums = {algorithm: in_base64(digest.digest()) for algorithm, digest in digests.items()}
    checksums["MD5"] = in_base64(hashed.digest())
    checksums["SHA256"] = in_base64(bytes.fromhex(blob.digest))
    return Received(blob, hashed.digest().hex(), checksums, wanted[0] if wanted else "")


def too_large(length: int) -> Refused:
    return Refused(
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size",
        ProposedSize=length,
        MaxSizeAllowed=LARGEST_OBJECT,
    )


class _Body:
    """Its content in pieces, and what its request says of it."""

    def __init__(self, request: ApiRequest) -> None:
        headers = request.headers
        self._request = request
        self._sha256 = headers.get("x-amz-content-sha256", "")
        self._chunked = self._sha256.startswith(_STREAMING)
        self._trailers: dict[str, str] = {}
        self._said = {_HEADERS[name]: value for name, value in headers.items() if name in _HEADERS}
        if len(self._said) > 1:
            raise bad_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            )
        self._trailing = self._trailer(headers)
        self._named = headers.get("x-amz-sdk-checksum-algorithm", "").upper()
        if self._named and self._named not in ALGORITHMS:
            raise bad_request("Value for x-amz-sdk-checksum-algorithm header is invalid.")
        for algorithm, value in self._said.items():
            _check_form(algorithm, value)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What is said of it, or is to be found out."""
        if self._said:
            return tuple(self._said)
        return tuple(it for it in (self._trailing or self._named,) if it)

    def __iter__(self) -> Iterator[bytes]:
        stream, length = self._request.stream, 0
        stream.seek(0)
        for piece in _chunks(stream, self._trailers) if self._chunked else _pieces(stream):
            length += len(piece)
            yield piece
        declared = self._request.headers.get("x-amz-decoded-content-length", str(length))
        if self._chunked and declared != str(length):
            raise _incomplete()

    def compare(self, received: Received) -> None:
        if (
            not self._chunked
            and _SHA256.fullmatch(self._sha256)
            and received.blob.digest != self._sha256.lower()
        ):
            raise Refused(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                ClientComputedContentSHA256=self._sha256,
                S3ComputedContentSHA256=received.blob.digest,
            )
        self.compare_digests(bytes.fromhex(received.md5), received.checksums)

    def compare_digests(self, hashed: bytes, checksums: Mapping[str, str]) -> None:
        said_md5 = self._request.headers.get("content-md5")
        if said_md5 is not None:
            said = of_base64(said_md5)
            if said is None or len(said) != len(hashed):
                raise Refused(
                    "InvalidDigest", "The Content-MD5 you specified was invalid.", ContentMD5=said_md5
                )
            if said != hashed:
                raise Refused(
                    "BadDigest",
                    "The Content-MD5 you specified did not match what we received.",
                    ExpectedDigest=said_md5,
                    CalculatedDigest=in_base64(hashed),
                )
        said_here = dict(self._said)
        if self._trailing:
            value = self._trailers.get(f"{_CHECKSUM}{self._trailing.lower()}")
            if value is None:
                raise Refused(
                    "MalformedTrailerError",
                    "The request contained trailing data that was not well-formed or did not conform to our "
                    "published schema.",
                )
            _check_form(self._trailing, value)
            said_here[self._trailing] = value
        for algorithm, value in said_here.items():
            if value != checksums[algorithm]:
                raise bad_digest(algorithm)

    def _trailer(self, headers: Mapping[str, str]) -> str:
        named = headers.get("x-amz-trailer", "").strip().lower()
        if not named:
            return ""
        if named not in _HEADERS:
            raise bad_request("The value specified in the x-amz-trailer header is not supported")
        return _HEADERS[named] if self._chunked else ""


def bad_digest(algorithm: str) -> Refused:
    return Refused("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")


def _check_form(algorithm: str, value: str) -> None:
    if not is_one(algorithm, value):
        raise bad_request(f"Value for {_CHECKSUM}{algorithm.lower()} header is invalid.")


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


def _incomplete() -> Refused:
    return Refused("IncompleteBody", "The request body terminated unexpectedly")
