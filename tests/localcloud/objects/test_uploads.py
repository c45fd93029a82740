"""Uploads in parts: what they become, by number and by range, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import zlib
from pathlib import Path
from typing import Any

import pytest

from pavedroad.localcloud.objects.digests import ALGORITHMS, counted, types_of
from tests.localcloud.objects.asking import Asking

A, B, C = b"A" * (5 << 20), b"B" * (5 << 20), b"tail"


@pytest.fixture
def s3(tmp_path: Path) -> Asking:
    return Asking(tmp_path)


def md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def test_parts_become_an_object_that_is_read_whole_by_part_and_across(s3: Asking) -> None:
    told = s3.uploaded("k", A, B, C, Metadata={"a": "b"}, ContentType="text/x")
    assert told["ETag"] == f'"{hashlib.md5(md5(A) + md5(B) + md5(C), usedforsecurity=False).hexdigest()}-3"'
    assert s3.read("k") == A + B + C
    size = len(A + B + C)
    for number, part in enumerate((A, B, C), 1):
        found = s3.result("GetObject", Key="k", PartNumber=number)
        assert (found.status, found.members["PartsCount"]) == (206, 3)
        assert found.members["ContentLength"] == len(part)
        assert s3.read("k", PartNumber=number) == part
    start = len(A) - 2
    assert s3.read("k", Range=f"bytes={start}-{start + 3}") == b"AABB"
    assert (
        s3.ask("HeadObject", Key="k", PartNumber=3)["ContentRange"] == f"bytes {size - 4}-{size - 1}/{size}"
    )
    assert s3.ask("HeadObject", Key="k")["Metadata"] == {"a": "b"}
    assert "PartsCount" not in s3.ask("HeadObject", Key="k")
    error: Any = s3.refused("GetObject", Key="k", PartNumber=4)
    assert (error.code, error.status, error.details["ActualPartCount"]) == ("InvalidPartNumber", 416, 3)
    assert s3.refused("GetObject", Key="k", PartNumber=1, Range="bytes=0-1").code == "InvalidRequest"
    assert s3.refused("GetObject", Key="k", PartNumber=10_001).code == "InvalidArgument"


def test_an_object_that_was_put_whole_is_its_first_part(s3: Asking) -> None:
    s3.put("k", b"whole")
    assert s3.read("k", PartNumber=1) == b"whole"
    assert s3.refused("GetObject", Key="k", PartNumber=2).code == "InvalidPartNumber"


def test_an_upload_that_is_completed_again_is_the_same_and_leaves_one_object(s3: Asking) -> None:
    s3.bucket.versioning = "Enabled"
    begun = s3.uploaded("k", b"x", complete=False)
    named = {"Key": "k", "UploadId": begun["UploadId"], "MultipartUpload": {"Parts": begun["Parts"]}}
    first = s3.ask("CompleteMultipartUpload", **named)
    assert s3.ask("CompleteMultipartUpload", **named) == first
    assert len(s3.bucket.keys.versions("k")) == 1
    assert [event.name for event in s3.events] == ["ObjectCreated:CompleteMultipartUpload"]
    other = {**named, "MultipartUpload": {"Parts": [{"PartNumber": 2, "ETag": "x"}]}}
    assert s3.refused("CompleteMultipartUpload", **other).code == "NoSuchUpload"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "MalformedXML"),
        ([{"PartNumber": 1}], "MalformedXML"),
        ([{"PartNumber": 1, "ETag": "other"}], "InvalidPart"),
        ([{"PartNumber": 9, "ETag": "1"}], "InvalidPart"),
        ([2, 1], "InvalidPartOrder"),
        ([1, 1], "InvalidPartOrder"),
        ([1, 2], "EntityTooSmall"),
    ],
)
def test_a_list_of_parts_is_of_those_that_are_there(s3: Asking, parts: list[Any], code: str) -> None:
    begun = s3.uploaded("k", b"small", b"part", complete=False)
    listed = [begun["Parts"][it - 1] if isinstance(it, int) else it for it in parts]
    named = {"Key": "k", "UploadId": begun["UploadId"]}
    assert s3.refused("CompleteMultipartUpload", **named, MultipartUpload={"Parts": listed}).code == code
    assert s3.refused("GetObject", Key="k").code == "NoSuchKey"
    assert s3.ask("ListParts", **named)["Parts"]


def test_what_is_not_asked_of_an_upload_is_refused(s3: Asking) -> None:
    begun = s3.ask("CreateMultipartUpload", Key="k")
    named = {"Key": "k", "UploadId": begun["UploadId"]}
    for number in (0, 10_001):
        assert s3.refused("UploadPart", **named, PartNumber=number).code == "InvalidArgument"
    assert s3.refused("UploadPart", Key="k", UploadId="none", PartNumber=1).code == "NoSuchUpload"
    assert s3.refused("UploadPart", **{**named, "Key": "other"}, PartNumber=1).code == "NoSuchUpload"
    assert s3.result("AbortMultipartUpload", **named).status == 204
    for operation in ("AbortMultipartUpload", "ListParts"):
        assert s3.refused(operation, **named).code == "NoSuchUpload"


def test_a_part_that_is_sent_again_is_another_and_parts_need_no_row(s3: Asking) -> None:
    begun = s3.uploaded("k", b"first", complete=False)
    named = {"Key": "k", "UploadId": begun["UploadId"]}
    s3.ask("UploadPart", **named, PartNumber=1, Body=A)
    first = s3.ask("UploadPart", **named, PartNumber=1, Body=B)["ETag"]
    last = s3.ask("UploadPart", **named, PartNumber=7, Body=C)["ETag"]
    parts = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 7, "ETag": last.strip('"')}]
    s3.ask("CompleteMultipartUpload", **named, MultipartUpload={"Parts": parts})
    assert s3.read("k") == B + C
    assert s3.read("k", PartNumber=7) == C


@pytest.mark.parametrize(
    ("algorithm", "kind"), [(algorithm, kind) for algorithm in ALGORITHMS for kind in types_of(algorithm)]
)
def test_checksums_of_parts_are_that_of_the_object(s3: Asking, algorithm: str, kind: str) -> None:
    told = s3.uploaded("k", A, B, C, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    name = f"Checksum{algorithm}"
    digests = [counted([algorithm], [part])[algorithm] for part in (A, B, C)]
    whole = counted([algorithm], [A, B, C])[algorithm]
    joined = b"".join(map(base64.b64decode, digests))
    composite = f"{counted([algorithm], [joined])[algorithm]}-3"
    assert told[name] == (composite if kind == "COMPOSITE" else whole)
    assert told["ChecksumType"] == kind
    asked = {"Key": "k", "ChecksumMode": "ENABLED"}
    assert s3.ask("HeadObject", **asked)[name] == told[name]
    assert s3.ask("HeadObject", **asked, PartNumber=2)[name] == digests[1]
    assert s3.ask("GetObject", **asked, Range=f"bytes=0-{len(A) - 1}")[name] == digests[0]
    assert name not in s3.ask("GetObject", **asked, Range="bytes=0-9")
    assert name not in s3.ask("HeadObject", Key="k")
    attributes = s3.ask("GetObjectAttributes", Key="k", ObjectAttributes=["Checksum", "ObjectParts"])
    assert attributes["Checksum"] == {name: told[name].partition("-")[0], "ChecksumType": kind}
    assert attributes["ObjectParts"]["TotalPartsCount"] == 3
    if kind == "COMPOSITE":
        assert [it[name] for it in attributes["ObjectParts"]["Parts"]] == digests
    copied = s3.ask("CopyObject", Key="copy", CopySource="bucket/k")["CopyObjectResult"]
    assert (copied[name], copied["ETag"]) == (whole, f'"{md5(A + B + C).hex()}"')


def test_known_values_are_counted() -> None:
    body = b"123456789"
    found = counted(ALGORITHMS, [body[:4], body[4:]])
    known = {
        "CRC32": "cbf43926",
        "CRC32C": "e3069283",
        "CRC64NVME": "ae8b14860a799888",
        "XXHASH64": "8cb841db40e6ae83",
        "SHA1": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
        "SHA256": hashlib.sha256(body).hexdigest(),
    }
    assert {name: base64.b64decode(found[name]).hex() for name in known} == known
    assert found["CRC32"] == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def test_checksums_that_are_not_theirs_are_refused(s3: Asking) -> None:
    bad = base64.b64encode(b"\1\1\1\1").decode()
    begun = s3.uploaded("k", A, C, complete=False, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    named = {"Key": "k", "UploadId": begun["UploadId"], "MultipartUpload": {"Parts": begun["Parts"]}}
    wrong = [*begun["Parts"][:1], {**begun["Parts"][1], "ChecksumCRC32": bad}]
    complete = "CompleteMultipartUpload"
    assert s3.refused(complete, **{**named, "MultipartUpload": {"Parts": wrong}}).code == "InvalidPart"
    assert s3.refused(complete, **named, ChecksumCRC32=bad).code == "BadDigest"
    assert s3.refused(complete, **named, ChecksumType="COMPOSITE").code == "InvalidRequest"
    assert s3.refused(complete, **named, MpuObjectSize=3).code == "InvalidRequest"
    part = {"Key": "k", "UploadId": begun["UploadId"], "PartNumber": 3}
    assert s3.refused("UploadPart", **part, ChecksumAlgorithm="SHA1").code == "InvalidRequest"
    assert s3.refused("UploadPart", **part).code == "InvalidRequest"
    assert s3.ask(complete, **named, MpuObjectSize=len(A + C))["ETag"]
    for algorithm, kind in (("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE"), ("", "COMPOSITE")):
        asked: dict[str, Any] = {"ChecksumAlgorithm": algorithm} if algorithm else {}
        error = s3.refused("CreateMultipartUpload", Key="k", **asked, ChecksumType=kind)
        assert error.code == "InvalidRequest"
    begun = s3.uploaded("k", A, C, complete=False, ChecksumAlgorithm="SHA256")
    bare = [{"PartNumber": it["PartNumber"], "ETag": it["ETag"]} for it in begun["Parts"]]
    named = {"Key": "k", "UploadId": begun["UploadId"], "MultipartUpload": {"Parts": bare}}
    assert s3.refused(complete, **named).code == "InvalidRequest"


def test_parts_are_copied_from_objects_and_from_what_was_in_parts(s3: Asking) -> None:
    s3.uploaded("source", A, B, C)
    upload = s3.ask("CreateMultipartUpload", Key="k")["UploadId"]
    named = {"Key": "k", "UploadId": upload, "CopySource": "/bucket/source"}
    across = f"bytes={len(A) - 10}-{len(A) + len(B) + 1}"
    first = s3.ask("UploadPartCopy", **named, PartNumber=1, CopySourceRange=across)["CopyPartResult"]
    content = (A + B + C)[len(A) - 10 : len(A) + len(B) + 2]
    assert first["ETag"] == f'"{md5(content).hex()}"'
    last = s3.ask("UploadPartCopy", **named, PartNumber=2)["CopyPartResult"]
    parts = [{"PartNumber": 1, "ETag": first["ETag"]}, {"PartNumber": 2, "ETag": last["ETag"]}]
    s3.ask("CompleteMultipartUpload", Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.read("k") == content + A + B + C
    for said in ("0-2", "bytes=0", "bytes=hello-world", "bytes=0-bar", "bytes=hello-", "bytes=0-2,3-5"):
        error = s3.refused("UploadPartCopy", **{**named, "UploadId": upload}, PartNumber=3)
        assert error.code == "NoSuchUpload"
        again = {**named, "UploadId": s3.ask("CreateMultipartUpload", Key="k")["UploadId"]}
        assert (
            s3.refused("UploadPartCopy", **again, PartNumber=1, CopySourceRange=said).code
            == "InvalidArgument"
        )
    size = len(A + B + C)
    beyond = f"bytes=0-{size}"
    assert (
        s3.refused("UploadPartCopy", **again, PartNumber=1, CopySourceRange=beyond).code == "InvalidArgument"
    )
