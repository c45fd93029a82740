"""Contents of S3 that the disk has damaged are given to nobody as whole, copied to nowhere, and named."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError, ResponseStreamingError

from tests.localcloud.api.alone import AloneApi, api_alone
from tests.waiting import eventually

SMALL, LARGE = 100_000, 9 << 20
BUCKET = "contents"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Generator[AloneApi]:
    with api_alone(tmp_path_factory.mktemp("damage") / "home") as api:
        api.start()
        api.client("s3").create_bucket(Bucket=BUCKET)
        yield api


def put(api: AloneApi, key: str, size: int) -> tuple[bytes, Path]:
    content = os.urandom(size)
    api.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    digest = hashlib.sha256(content).hexdigest()
    return content, api.home / "objects" / digest[:2] / digest[2:]


def flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(50_000)
        byte = file.read(1)[0]
        file.seek(50_000)
        file.write(bytes([byte ^ 1]))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ClientError, match=r"InternalError.*damaged") as refusal:
        call()
    answer: Any = refusal.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (flip, "does not hold what was put"),
        (cut, f"has {SMALL // 2} bytes and not {SMALL}"),
        (Path.unlink, "is missing"),
        (lambda path: path.write_bytes(b""), f"has 0 bytes and not {SMALL}"),
    ],
)
def test_damaged_contents_are_no_answer_and_no_copy_until_they_are_whole_again(
    api: AloneApi, damage: Callable[[Path], None], said: str
) -> None:
    s3, key = api.client("s3"), f"key {said}"
    content, path = put(api, key, SMALL)
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == content
    assert api.health["status"] == "ok"
    damage(path)
    there = {"Bucket": BUCKET, "Key": key}
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    copy = {"Bucket": BUCKET, "CopySource": there}
    part = {**copy, "Key": "parts", "UploadId": upload, "PartNumber": 1}
    for _ in range(2):
        refused(lambda: s3.get_object(**there))
        refused(lambda: s3.get_object(**there, Range="bytes=0-4"))
        refused(lambda: s3.get_object(**there, PartNumber=1))
        refused(lambda: s3.copy_object(**copy, Key="copied"))
        refused(lambda: s3.copy_object(**copy, Key="copied", ChecksumAlgorithm="SHA256"))
        refused(lambda: s3.upload_part_copy(**part))
        refused(lambda: s3.upload_part_copy(**part, CopySourceRange="bytes=0-49999"))
    assert [it["Key"] for it in s3.list_objects_v2(Bucket=BUCKET)["Contents"] if it["Key"] == "copied"] == []
    status = api.health["status"]
    assert f"s3://{BUCKET}/{key} are damaged: {path} {said}. " in status, status
    path.write_bytes(content)
    eventually(lambda: s3.get_object(**there)["Body"].read() == content)
    assert api.health["status"] == "ok"
    damage(path)
    refused(lambda: s3.get_object(**there))
    s3.put_object(**there, Body=content)
    assert s3.get_object(**there, Range="bytes=5-9")["Body"].read() == content[5:10]
    assert api.health["status"] == "ok"
    s3.abort_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload)


@pytest.mark.parametrize("asked", [{}, {"Range": "bytes=9000000-"}, {"Range": "bytes=3-3"}])
def test_a_large_answer_that_turns_out_to_be_damaged_ends_before_its_end(
    api: AloneApi, asked: dict[str, str]
) -> None:
    s3, key = api.client("s3"), f"large {asked}"
    content, path = put(api, key, LARGE)
    flip(path)
    with pytest.raises((IncompleteReadError, ResponseStreamingError)):
        s3.get_object(Bucket=BUCKET, Key=key, **asked)["Body"].read()
    refused(lambda: s3.get_object(Bucket=BUCKET, Key=key, **asked))
    assert f"s3://{BUCKET}/{key} are damaged: {path} does not hold" in api.health["status"]
    path.write_bytes(content)
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == content
    assert "Traceback" not in api.log


def test_parts_that_are_damaged_are_not_joined(api: AloneApi) -> None:
    s3 = api.client("s3")
    there = {"Bucket": BUCKET, "Key": "joined"}
    upload = s3.create_multipart_upload(**there)["UploadId"]
    content = os.urandom(SMALL)
    etag = s3.upload_part(**there, UploadId=upload, PartNumber=1, Body=content)["ETag"]
    digest = hashlib.sha256(content).hexdigest()
    path = api.home / "objects" / digest[:2] / digest[2:]
    flip(path)
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    refused(lambda: s3.complete_multipart_upload(**there, UploadId=upload, MultipartUpload=parts))
    assert "part of an upload" in api.health["status"]
    path.write_bytes(content)
    s3.complete_multipart_upload(**there, UploadId=upload, MultipartUpload=parts)
    assert s3.get_object(**there)["Body"].read() == content


def test_what_went_missing_meanwhile_is_named_at_the_next_start(tmp_path: Path) -> None:
    with api_alone(tmp_path / "home") as api:
        api.start()
        api.client("s3").create_bucket(Bucket=BUCKET)
        _, path = put(api, "gone", SMALL)
        api.kill()
        path.unlink()
        api.start()
        eventually(lambda: f"s3://{BUCKET}/gone are damaged: {path} is missing." in api.health["status"])
        api.client("s3").delete_object(Bucket=BUCKET, Key="gone")
        eventually(lambda: api.health["status"] == "ok")
