"""Bodies that are not what their request says of them."""

from __future__ import annotations

import base64
import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.objects.bodies import check, receive
from pavedroad.localcloud.objects.contents import Received
from pavedroad.localcloud.objects.digests import ALGORITHMS, counted

BODY = b"hello\n" * 10_000
UNSIGNED = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}


def request(body: bytes, **headers: str) -> ApiRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiRequest("s3", "us-east-1", "1", "PUT", "/b/k", "", named, BytesIO(body), len(body))


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path)


def received(store: BlobStore, body: bytes, headers: dict[str, str]) -> Received:
    return receive(request(body, **headers), store)


def refused(store: BlobStore, body: bytes, headers: dict[str, str]) -> str:
    with pytest.raises(ServiceError) as error:
        received(store, body, headers)
    return error.value.code


def chunked(body: bytes, trailer: bytes = b"", signature: bytes = b"") -> bytes:
    sizes = b"%x%s\r\n%s\r\n" % (len(body), signature, body)
    return sizes + b"0" + signature + b"\r\n" + trailer + b"\r\n"


def said(algorithm: str, body: bytes = BODY) -> str:
    return counted([algorithm], [body])[algorithm]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("trails", [False, True])
def test_every_checksum_is_counted_and_compared(store: BlobStore, algorithm: str, trails: bool) -> None:
    name = f"x-amz-checksum-{algorithm.lower()}"

    def call(value: str) -> tuple[bytes, dict[str, str]]:
        if trails:
            headers = {**UNSIGNED, "x-amz-trailer": name, "x-amz-decoded-content-length": str(len(BODY))}
            return chunked(BODY, f"{name}:{value}\r\n".encode()), headers
        return BODY, {name: value}

    found = received(store, *call(said(algorithm)))
    assert found.algorithm == algorithm
    assert found.checksums[algorithm] == said(algorithm)
    assert (found.blob.size, found.md5) == (len(BODY), hashlib.md5(BODY, usedforsecurity=False).hexdigest())
    assert refused(store, *call(said(algorithm, b"other"))) == "BadDigest"
    assert refused(store, *call("AAA=")) == "InvalidRequest"
    assert refused(store, *call("no base64")) == "InvalidRequest"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-md5": "YWJyYWNhZGFicmE="}, "InvalidDigest"),
        ({"content-md5": ""}, "InvalidDigest"),
        ({"content-md5": said("MD5", b"other")}, "BadDigest"),
        ({"x-amz-content-sha256": hashlib.sha256(b"other").hexdigest()}, "XAmzContentSHA256Mismatch"),
        ({"x-amz-checksum-crc32": said("CRC32"), "x-amz-checksum-sha1": said("SHA1")}, "InvalidRequest"),
        ({"x-amz-sdk-checksum-algorithm": "CRC31"}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": "AAAAAA==", "x-amz-sdk-checksum-algorithm": "CRC32"}, "BadDigest"),
    ],
)
def test_what_is_said_of_a_body_holds(store: BlobStore, headers: dict[str, str], code: str) -> None:
    assert refused(store, BODY, headers) == code


@pytest.mark.parametrize(
    ("body", "more", "code"),
    [
        (chunked(BODY), {"x-amz-decoded-content-length": str(len(BODY) + 4)}, "IncompleteBody"),
        (chunked(BODY)[:-20], {}, "IncompleteBody"),
        (b"no chunks", {}, "IncompleteBody"),
        (chunked(BODY), {"x-amz-trailer": "x-amz-checksum-crc32"}, "MalformedTrailerError"),
        (chunked(BODY), {"x-amz-trailer": "x-amz-checksum-rot13"}, "InvalidRequest"),
    ],
)
def test_chunks_add_up(store: BlobStore, body: bytes, more: dict[str, str], code: str) -> None:
    length = {"x-amz-decoded-content-length": str(len(BODY))}
    assert refused(store, body, {**UNSIGNED, **length, **more}) == code


def test_signed_chunks_are_taken_out_of_their_frame(store: BlobStore) -> None:
    headers = {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}
    found = received(store, chunked(BODY, signature=b";chunk-signature=" + b"ab" * 32), headers)
    assert store.get(found.blob) == BODY
    assert found.algorithm == ""
    assert found.checksums["CRC64NVME"] == said("CRC64NVME")


def test_a_body_that_is_refused_leaves_no_file(store: BlobStore, tmp_path: Path) -> None:
    assert refused(store, chunked(BODY)[:-20], UNSIGNED) == "IncompleteBody"
    assert not [it for it in tmp_path.rglob("*") if it.is_file()]


def test_documents_are_compared_too() -> None:
    check(request(BODY))
    check(request(BODY, **{"content-md5": said("MD5"), "x-amz-checksum-crc32": said("CRC32")}))
    wrong: list[dict[str, Any]] = [
        {"content-md5": base64.b64encode(b"x" * 16).decode()},
        {"x-amz-checksum-sha256": said("SHA256", b"other")},
    ]
    for headers in wrong:
        with pytest.raises(ServiceError) as error:
            check(request(BODY, **headers))
        assert error.value.code == "BadDigest"
