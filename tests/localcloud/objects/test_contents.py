"""Contents of objects are hashed, stored, read and joined while others go on; what readers see is whole."""

from __future__ import annotations

import base64
import hashlib
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import pytest

from pavedroad.localcloud.api.objects import Blob, BlobStore
from pavedroad.localcloud.api.services import ApiResponse
from tests.localcloud.moto_adapter.bench import Answer, Bench

HEADERS = {"content-type": "text/plain", "authorization": "AWS4-HMAC-SHA256 Credential=any"}
FIRST, SECOND = b"a" * (5 << 20), b"b" * 100_000
_numbers = count()


class Bucket:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.path = f"/contents-{next(_numbers)}"
        self.call("PUT", "")

    def call(self, method: str, path: str, body: bytes = b"", /, **headers: str) -> ApiResponse:
        given = {**HEADERS, **headers}
        answer = self.bench.send("s3", body, method=method, path=self.path + path, headers=given)
        assert answer.status < 300, answer.body
        return answer

    def header(self, name: str, method: str, path: str, body: bytes = b"", /, **headers: str) -> str:
        answer = self.call(method, path, body, **headers)
        return next(value for known, value in answer.headers if known.lower() == name)

    def read(self, path: str, **headers: str) -> bytes:
        return self.call("GET", path, b"", **headers).body

    def uploaded(self, path: str) -> str:
        """An upload of two parts that is to be completed."""
        upload = Answer(self.call("POST", f"{path}?uploads")).first("UploadId")
        for number, part in enumerate((FIRST, SECOND), start=1):
            self.call("PUT", f"{path}?partNumber={number}&uploadId={upload}", part)
        return upload

    def complete(self, path: str, upload: str) -> Answer:
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{_md5(part)}</ETag></Part>"
            for number, part in enumerate((FIRST, SECOND), start=1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        return Answer(self.call("POST", f"{path}?uploadId={upload}", body))


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def bucket(bench: Bench) -> Bucket:
    return Bucket(bench)


@contextmanager
def slow_store(monkeypatch: pytest.MonkeyPatch, method: str) -> Iterator[threading.Event]:
    """Work on contents stands still in the middle, until the block is left; the event says that it does."""
    stands, goes_on = threading.Event(), threading.Event()
    moto = getattr(BlobStore, method)

    def slow(*given: object) -> object:
        stands.set()
        assert goes_on.wait(60)
        return moto(*given)

    with monkeypatch.context() as patched:
        patched.setattr(BlobStore, method, slow)
        try:
            yield stands
        finally:
            goes_on.set()


def put(bucket: Bucket) -> None:
    bucket.call("PUT", "/key", SECOND)


def put_a_part(bucket: Bucket) -> None:
    bucket.call("PUT", f"/large?partNumber=2&uploadId={bucket.uploaded('/large')}", FIRST)


def complete(bucket: Bucket) -> None:
    bucket.complete("/large", bucket.uploaded("/large"))


def copy_a_part(bucket: Bucket) -> None:
    source = f"{bucket.path}/source"
    upload = bucket.uploaded("/large")
    copied = {"x-amz-copy-source": source, "x-amz-copy-source-range": "bytes=1-99999"}
    bucket.call("PUT", f"/large?partNumber=2&uploadId={upload}", b"", **copied)


def copy_with_checksum(bucket: Bucket) -> None:
    source = {"x-amz-copy-source": f"{bucket.path}/source", "x-amz-checksum-algorithm": "SHA1"}
    bucket.call("PUT", "/copy", b"", **source)


def post_a_form(bucket: Bucket) -> None:
    post(bucket, FIRST)


def post(bucket: Bucket, content: bytes) -> None:
    parts = [
        b'--edge\r\nContent-Disposition: form-data; name="key"\r\n\r\nposted',
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="it"\r\n\r\n' + content,
        b"--edge--\r\n",
    ]
    bucket.call("POST", "", b"\r\n".join(parts), **{"content-type": "multipart/form-data; boundary=edge"})


@pytest.mark.parametrize(
    ("call", "slow"),
    [
        (put, "put_pieces"),
        (put_a_part, "put_pieces"),
        (complete, "put_pieces"),
        (copy_a_part, "put_pieces"),
        (copy_with_checksum, "pieces"),
        (post_a_form, "put_pieces"),
    ],
)
def test_others_go_on_while_contents_are_worked_on(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, call: Callable[[Bucket], None], slow: str
) -> None:
    bucket.call("PUT", "/source", FIRST)
    with ThreadPoolExecutor(1) as pool:
        with slow_store(monkeypatch, slow) as stands:
            calling = pool.submit(call, bucket)
            assert stands.wait(60)
            assert bucket.bench.ask("DescribeInstances").status == 200
            assert bucket.bench.ask("ListUsers", service="iam").status == 200
            assert not calling.done()
        calling.result(60)


def test_what_is_put_is_what_is_read(bucket: Bucket) -> None:
    for content in (b"", b"small", SECOND, FIRST):
        assert bucket.header("etag", "PUT", "/key", content) == f'"{_md5(content)}"'
        assert bucket.read("/key") == content
        assert bucket.header("content-length", "HEAD", "/key") == str(len(content))


@pytest.mark.parametrize(
    ("asked", "found"),
    [("bytes=10-19", slice(10, 20)), ("bytes=-7", slice(-7, None)), ("bytes=99990-", slice(99_990, None))],
)
def test_ranges_are_read(bucket: Bucket, asked: str, found: slice) -> None:
    content = bytes(range(250)) * 400
    bucket.call("PUT", "/key", content)
    answer = bucket.call("GET", "/key", range=asked)
    assert (answer.status, answer.body) == (206, content[found])


def test_parts_become_one(bucket: Bucket) -> None:
    upload = bucket.uploaded("/large")
    etags = b"".join(bytes.fromhex(_md5(part)) for part in (FIRST, SECOND))
    assert bucket.complete("/large", upload).first("ETag") == f'"{_md5(etags)}-2"'
    assert bucket.read("/large") == FIRST + SECOND
    assert bucket.complete("/large", upload).status == 200, "once more is the same"


def test_copies_have_the_contents_and_digests_of_their_own(bucket: Bucket) -> None:
    bucket.complete("/large", bucket.uploaded("/large"))
    source = {"x-amz-copy-source": f"{bucket.path}/large"}
    copied = Answer(bucket.call("PUT", "/copy", b"", **source, **{"x-amz-checksum-algorithm": "SHA1"}))
    assert copied.first("ETag") == f'"{_md5(FIRST + SECOND)}"'
    whole = hashlib.sha1(FIRST + SECOND, usedforsecurity=False).digest()
    assert copied.first("ChecksumSHA1") == base64.b64encode(whole).decode()
    assert bucket.read("/copy") == FIRST + SECOND


def test_a_part_is_copied_from_a_range(bucket: Bucket) -> None:
    copy_a_part_from = b"0123456789" * 100_000
    bucket.call("PUT", "/source", copy_a_part_from)
    upload = Answer(bucket.call("POST", "/large?uploads")).first("UploadId")
    source = {"x-amz-copy-source": f"{bucket.path}/source", "x-amz-copy-source-range": "bytes=5-99999"}
    etag = Answer(bucket.call("PUT", f"/large?partNumber=1&uploadId={upload}", b"", **source)).first("ETag")
    assert etag == f'"{_md5(copy_a_part_from[5:100_000])}"'


def test_trailing_checksums_are_told_again(bucket: Bucket) -> None:
    said = base64.b64encode(zlib.crc32(SECOND).to_bytes(4, "big")).decode()
    body = b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % (len(SECOND), SECOND, said.encode())
    chunked = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(SECOND)),
        "x-amz-sdk-checksum-algorithm": "CRC32",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    assert bucket.header("x-amz-checksum-crc32", "PUT", "/key", body, **chunked) == said
    mode = {"x-amz-checksum-mode": "ENABLED"}
    assert bucket.header("x-amz-checksum-crc32", "GET", "/key", b"", **mode) == said
    assert bucket.read("/key") == SECOND
    unsaid = {"x-amz-sdk-checksum-algorithm": "CRC32"}
    assert bucket.header("x-amz-checksum-crc32", "PUT", "/other", SECOND, **unsaid) == said


@pytest.mark.parametrize("content", [b"small", FIRST])
def test_forms_bring_files(bucket: Bucket, content: bytes) -> None:
    post(bucket, content)
    assert bucket.read("/posted") == content


def test_queries_read_all_of_an_object(bucket: Bucket) -> None:
    bucket.call("PUT", "/table", b"a,b" + b"\n1,2" * 20_000)
    asked = (
        "<SelectObjectContentRequest><Expression>SELECT count(*) FROM S3Object</Expression>"
        "<ExpressionType>SQL</ExpressionType>"
        "<InputSerialization><CSV><FileHeaderInfo>USE</FileHeaderInfo></CSV></InputSerialization>"
        "<OutputSerialization><JSON/></OutputSerialization></SelectObjectContentRequest>"
    )
    answer = bucket.call("POST", "/table?select&select-type=2", asked.encode())
    assert b"20000" in answer.body


def test_a_reader_goes_on_with_what_it_began(
    bench: Bench, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overwritten, deleted and collected meanwhile."""
    bucket.call("PUT", "/key", FIRST)
    opened: list[bytes] = []
    moto = BlobStore.open

    def overwriting(store: BlobStore, blob: Blob) -> object:
        file = moto(store, blob)
        if not opened:
            opened.append(b"once")
            bucket.call("PUT", "/key", b"other")
            bucket.call("DELETE", "/key")
            store._path(blob.digest).unlink()  # pyright: ignore[reportPrivateUsage] - as the collector does
        return file

    monkeypatch.setattr(BlobStore, "open", overwriting)
    assert bucket.read("/key") == FIRST


def test_a_body_that_is_not_what_it_says_leaves_no_file(bucket: Bucket) -> None:
    wrong = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()
    answer = bucket.bench.send(
        "s3", FIRST + b"x", method="PUT", path=f"{bucket.path}/key", headers={**HEADERS, "content-md5": wrong}
    )
    assert b"BadDigest" in answer.body
