"""Large objects over the wire: sent as their readers take them, and whole whatever happens meanwhile."""

from __future__ import annotations

import hashlib
import os

from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

SIZE = 30 << 20


def test_a_slow_reader_gets_all_of_an_object_that_is_overwritten_and_deleted(cloud: RunningCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="large-objects")
    content = os.urandom(SIZE)
    s3.put_object(Bucket="large-objects", Key="key", Body=content)
    body = s3.get_object(Bucket="large-objects", Key="key")["Body"]
    read = hashlib.sha256(body.read(1))
    s3.put_object(Bucket="large-objects", Key="key", Body=b"other")
    assert s3.get_object(Bucket="large-objects", Key="key")["Body"].read() == b"other"
    s3.delete_object(Bucket="large-objects", Key="key")
    while piece := body.read(1 << 20):
        read.update(piece)
    assert read.digest() == hashlib.sha256(content).digest()
    s3.delete_bucket(Bucket="large-objects")


def test_who_hangs_up_in_the_middle_stops_nobody(cloud: RunningCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="half-read")
    content = os.urandom(SIZE)
    s3.put_object(Bucket="half-read", Key="key", Body=content)
    for _ in range(60):
        s3.get_object(Bucket="half-read", Key="key")["Body"].close()
    assert s3.get_object(Bucket="half-read", Key="key", Range="bytes=-5")["Body"].read() == content[-5:]
    api = cloud.part("api")
    eventually(lambda: not [file for file in api.open_files() if "/objects/" in file.path])
    s3.delete_object(Bucket="half-read", Key="key")
    s3.delete_bucket(Bucket="half-read")
