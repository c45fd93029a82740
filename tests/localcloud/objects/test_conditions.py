"""Conditions of reads, writes, copies and deletes, and ranges."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.objects.asking import Asking

BODY = b"Hello World\n"
SIZE = len(BODY)
OTHER = '"0123456789abcdef0123456789abcdef"'


@pytest.fixture
def s3(tmp_path: Path) -> Asking:
    made = Asking(tmp_path)
    made.put("k", BODY)
    made.later(hours=1)
    return made


def end(s3: Asking, operation: str, **asked: Any) -> tuple[int, str]:
    """The status, and which condition did not hold."""
    call = {"Key": "k", **asked}
    if operation == "PutObject":
        call["Body"] = b"other"
    try:
        return s3.result(operation, **call).status or 200, ""
    except Exception as error:
        refused: Any = error
        return refused.status, refused.details.get("Condition", refused.code)


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject"])
def test_reads_are_decided_by_etags_before_times(s3: Asking, operation: str) -> None:
    etag = s3.ask("HeadObject", Key="k")["ETag"]
    at = s3.ask("HeadObject", Key="k")["LastModified"]
    before, after = at - timedelta(days=1), at + timedelta(seconds=1)
    future = at + timedelta(days=9999)
    for asked, wanted in (
        ({"IfMatch": etag}, (200, "")),
        ({"IfMatch": etag.strip('"')}, (200, "")),
        ({"IfMatch": f"{OTHER}, {etag}"}, (200, "")),
        ({"IfMatch": "*"}, (200, "")),
        ({"IfMatch": OTHER}, (412, "If-Match")),
        ({"IfUnmodifiedSince": before}, (412, "If-Unmodified-Since")),
        ({"IfUnmodifiedSince": at.replace(microsecond=0)}, (200, "")),
        ({"IfMatch": etag, "IfUnmodifiedSince": before}, (200, "")),
        ({"IfNoneMatch": etag}, (304, "")),
        ({"IfNoneMatch": "*"}, (304, "")),
        ({"IfNoneMatch": OTHER}, (200, "")),
        ({"IfModifiedSince": after}, (304, "")),
        ({"IfModifiedSince": before}, (200, "")),
        ({"IfModifiedSince": future}, (200, "")),
        ({"IfNoneMatch": OTHER, "IfModifiedSince": after}, (200, "")),
        ({"IfNoneMatch": etag, "IfModifiedSince": before}, (304, "")),
        ({"IfMatch": OTHER, "IfNoneMatch": etag}, (412, "If-Match")),
    ):
        assert end(s3, operation, **asked) == wanted, asked
    told = s3.ask(operation, Key="k", IfNoneMatch=etag)
    assert told["ETag"] == etag
    assert "Body" not in told


def writes(s3: Asking, operation: str, key: str, **asked: Any) -> tuple[int, str]:
    if operation == "CopyObject":
        asked["CopySource"] = "bucket/source"
    if operation == "CompleteMultipartUpload":
        begun = s3.uploaded(key, b"part", complete=False)
        asked |= {"UploadId": begun["UploadId"], "MultipartUpload": {"Parts": begun["Parts"]}}
    return end(s3, operation, **{"Key": key, **asked})


@pytest.mark.parametrize("operation", ["PutObject", "CopyObject", "CompleteMultipartUpload"])
@pytest.mark.parametrize("versioning", ["", "Enabled", "Suspended"])
def test_writes_are_refused_where_what_is_there_is_not_what_they_expect(
    s3: Asking, operation: str, versioning: str
) -> None:
    s3.bucket.versioning = versioning
    s3.put("source", b"source")
    assert writes(s3, operation, "new", IfMatch="*") == (404, "NoSuchKey")
    assert writes(s3, operation, "new", IfMatch=OTHER) == (404, "NoSuchKey")
    assert writes(s3, operation, "new", IfNoneMatch="*") == (200, "")
    assert writes(s3, operation, "new", IfNoneMatch="*") == (412, "If-None-Match")
    etag = s3.ask("HeadObject", Key="new")["ETag"]
    assert writes(s3, operation, "new", IfMatch=OTHER) == (412, "If-Match")
    assert writes(s3, operation, "new", IfMatch=etag) == (200, "")
    s3.ask("DeleteObject", Key="new")
    assert writes(s3, operation, "new", IfMatch=etag) == (404, "NoSuchKey")
    assert writes(s3, operation, "new", IfNoneMatch="*") == (200, "")


def test_a_source_that_is_not_as_expected_is_not_copied(s3: Asking) -> None:
    etag = s3.ask("HeadObject", Key="k")["ETag"]
    at = s3.ask("HeadObject", Key="k")["LastModified"]
    before, after = at - timedelta(days=1), at + timedelta(seconds=1)
    for asked, wanted in (
        ({"CopySourceIfMatch": etag}, (200, "")),
        ({"CopySourceIfMatch": OTHER}, (412, "x-amz-copy-source-If-Match")),
        ({"CopySourceIfNoneMatch": etag}, (412, "x-amz-copy-source-If-None-Match")),
        ({"CopySourceIfNoneMatch": OTHER}, (200, "")),
        ({"CopySourceIfModifiedSince": after}, (412, "x-amz-copy-source-If-Modified-Since")),
        ({"CopySourceIfModifiedSince": before}, (200, "")),
        ({"CopySourceIfUnmodifiedSince": before}, (412, "x-amz-copy-source-If-Unmodified-Since")),
        ({"CopySourceIfMatch": etag, "CopySourceIfUnmodifiedSince": before}, (200, "")),
        (
            {"CopySourceIfNoneMatch": etag, "CopySourceIfModifiedSince": before},
            (412, "x-amz-copy-source-If-None-Match"),
        ),
    ):
        assert end(s3, "CopyObject", Key="copy", CopySource="bucket/k", **asked) == wanted, asked
        upload = s3.ask("CreateMultipartUpload", Key="large")["UploadId"]
        part = {"Key": "large", "UploadId": upload, "PartNumber": 1, "CopySource": "bucket/k"}
        assert end(s3, "UploadPartCopy", **part, **asked) == wanted, asked


def test_deletes_are_of_what_is_expected(s3: Asking) -> None:
    etag = s3.ask("HeadObject", Key="k")["ETag"]
    assert end(s3, "DeleteObject", IfMatch=OTHER) == (412, "If-Match")
    assert end(s3, "DeleteObject", IfMatchSize=1) == (412, "x-amz-if-match-size")
    many = [{"Key": "k", "ETag": OTHER}, {"Key": "none", "ETag": etag}]
    told = s3.ask("DeleteObjects", Delete={"Objects": many})
    assert [(it["Key"], it["Code"]) for it in told["Errors"]] == [
        ("k", "PreconditionFailed"),
        ("none", "NoSuchKey"),
    ]
    assert s3.read("k") == BODY
    assert end(s3, "DeleteObject", IfMatch=etag) == (204, "")
    assert end(s3, "DeleteObject", IfMatch="*") == (404, "NoSuchKey")
    s3.bucket.versioning = "Enabled"
    s3.put("k", BODY)
    assert end(s3, "DeleteObject", IfMatch="*") == (204, "")
    assert end(s3, "DeleteObject", IfMatch="*") == (412, "If-Match"), "it is a marker now"


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject"])
@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("bytes=0-4", slice(0, 5)),
        ("bytes=6-", slice(6, None)),
        ("bytes=-3", slice(-3, None)),
        ("bytes=-500", slice(0, None)),
        ("bytes=0-500", slice(0, None)),
        ("bytes=0-0", slice(0, 1)),
        ("bytes= 0 - 4 ", slice(0, 5)),
    ],
)
def test_a_range_is_a_part(s3: Asking, operation: str, said: str, part: slice) -> None:
    result = s3.result(operation, Key="k", Range=said)
    told = result.members
    start, stop, _ = part.indices(SIZE)
    assert result.status == 206
    assert told["ContentRange"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert told["ContentLength"] == stop - start
    if operation == "GetObject":
        assert told["Body"] == BODY[part]


@pytest.mark.parametrize(
    "said",
    ["bytes=1-0", "bytes=15-1", "bytes=a-b", "0-4", "items=0-4", "bytes=0-1,3-4", "bytes=-", "bytes=٣-٤"],
)
def test_a_range_that_s3_does_not_understand_is_none(s3: Asking, said: str) -> None:
    result = s3.result("GetObject", Key="k", Range=said)
    assert (result.status, result.members["Body"]) == (0, BODY)
    assert "ContentRange" not in result.members


@pytest.mark.parametrize("said", ["bytes=12-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_is_refused(s3: Asking, said: str) -> None:
    error: Any = s3.refused("GetObject", Key="k", Range=said)
    assert (error.code, error.status) == ("InvalidRange", 416)
    assert error.details == {"RangeRequested": said, "ActualObjectSize": SIZE}
    s3.put("empty")
    assert s3.refused("GetObject", Key="empty", Range="bytes=0-9").code == "InvalidRange"
