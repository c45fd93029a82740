"""S3 refuses what its model does not list, and what is too long or too much, with its own codes."""

from __future__ import annotations

import re

import pytest

from tests.localcloud.moto_adapter.bench import Bench

_SIGNED = {"content-type": "text/plain", "authorization": "AWS4-HMAC-SHA256 Credential=any"}


@pytest.fixture(scope="module")
def bucket(bench: Bench) -> str:
    assert bench.send("s3", method="PUT", path="/checked", headers=_SIGNED).status == 200
    assert bench.send("s3", b"x", method="PUT", path="/checked/key", headers=_SIGNED).status == 200
    return "checked"


def refused(
    bench: Bench, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> str:
    """With which code; nothing has changed then."""
    before = bench.state.revision
    answer = bench.send("s3", body, method=method, path=path, headers={**_SIGNED, **(headers or {})})
    assert (answer.status, bench.state.revision) == (400, before), answer.body
    found = re.search(rb"<Code>(\w+)</Code>", answer.body)
    return found[1].decode() if found else ""


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("x-amz-metadata-directive", "InvalidArgument"),
        ("x-amz-object-lock-legal-hold", "InvalidArgument"),
        ("x-amz-object-lock-mode", "InvalidArgument"),
        ("x-amz-request-payer", "InvalidArgument"),
        ("x-amz-sdk-checksum-algorithm", "InvalidRequest"),
        ("x-amz-server-side-encryption", "InvalidArgument"),
        ("x-amz-storage-class", "InvalidStorageClass"),
        ("x-amz-tagging-directive", "InvalidArgument"),
    ],
)
def test_a_header_says_only_what_the_model_lists(bench: Bench, bucket: str, header: str, code: str) -> None:
    source = {"x-amz-copy-source": f"{bucket}/key"} if header.endswith("-directive") else {}
    assert refused(bench, "PUT", f"/{bucket}/key", b"other", {header: "no-such-word", **source}) == code
    assert bench.send("s3", method="GET", path=f"/{bucket}/key", headers=_SIGNED).body == b"x"


@pytest.mark.parametrize("setting", ["tagging", "versioning", "website"])
def test_a_setting_needs_a_body(bench: Bench, bucket: str, setting: str) -> None:
    assert refused(bench, "PUT", f"/{bucket}?{setting}") == "MissingRequestBodyError"


def test_what_is_too_long_or_too_much_or_not_known_is_refused(bench: Bench, bucket: str) -> None:
    assert refused(bench, "PUT", f"/{bucket}/{'é' * 513}", b"x") == "KeyTooLongError"
    assert refused(bench, "GET", f"/{bucket}?encoding-type=punycode") == "InvalidArgument"
    many = b"".join(b"<Object><Key>%d</Key></Object>" % number for number in range(1001))
    assert refused(bench, "POST", f"/{bucket}?delete", b"<Delete>%s</Delete>" % many) == "MalformedXML"
    versioning = "<VersioningConfiguration>{}</VersioningConfiguration>"
    wrong = versioning.format("<Status>Maybe</Status>").encode()
    assert refused(bench, "PUT", f"/{bucket}?versioning", wrong) == "MalformedXML"
    nothing = versioning.format("").encode()
    expected = "IllegalVersioningConfigurationException"
    assert refused(bench, "PUT", f"/{bucket}?versioning", nothing) == expected
    assert refused(bench, "PUT", f"/{bucket}?policy", b"{}") == "MalformedPolicy"


@pytest.mark.parametrize("asked", ["PUT ?tagging", "PUT ?lifecycle", "POST ?delete", "POST /key?uploadId=x"])
def test_documents_that_would_take_long_to_read_are_not_read(bench: Bench, bucket: str, asked: str) -> None:
    method, _, rest = asked.partition(" ")
    path = f"/{bucket}{rest}"
    assert refused(bench, method, path, b"<a>" * 250_001) == "MalformedXML"
    assert refused(bench, method, path, b"x" * (4 * 2**20 + 1)) == "EntityTooLarge"


_CHUNKED = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": "5"}
_TRAILED = {**_CHUNKED, "x-amz-trailer": "x-amz-checksum-crc32"}


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        (_CHUNKED, b"-5\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
        (_CHUNKED, b"", "IncompleteBody"),
        (_CHUNKED, b"6\r\nhello", "IncompleteBody"),
        (_CHUNKED, b"5\r\nhello\r\n", "IncompleteBody"),
        (_CHUNKED, b"4\r\nhell\r\n0\r\n\r\n", "IncompleteBody"),
        (_CHUNKED, b"5\r\nhelloo\r\n0\r\n\r\n", "IncompleteBody"),
        (_TRAILED, b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "BadDigest"),
        (_TRAILED, b"5\r\nhello\r\n0\r\n\r\n", "MalformedTrailerError"),
        ({"x-amz-checksum-sha256": "short"}, b"hello", "InvalidRequest"),
        ({"x-amz-checksum-sha1": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}, b"hello", "BadDigest"),
        ({"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="}, b"hello", "BadDigest"),
        ({"content-md5": "not base64"}, b"hello", "InvalidDigest"),
    ],
)
def test_a_body_that_is_not_what_was_said_overwrites_nothing(
    bench: Bench, bucket: str, headers: dict[str, str], body: bytes, code: str
) -> None:
    assert refused(bench, "PUT", f"/{bucket}/key", body, headers) == code
    assert bench.send("s3", method="GET", path=f"/{bucket}/key", headers=_SIGNED).body == b"x"


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
        b"2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
    ],
)
def test_chunks_with_the_right_digest_are_the_object(bench: Bench, bucket: str, body: bytes) -> None:
    path = f"/{bucket}/chunked"
    assert bench.send("s3", body, method="PUT", path=path, headers={**_SIGNED, **_TRAILED}).status == 200
    assert bench.send("s3", method="GET", path=path, headers=_SIGNED).body == b"hello"
