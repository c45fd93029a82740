"""Buckets as they are written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from pavedroad.localcloud.codec import DecodeError
from pavedroad.localcloud.objects import document
from pavedroad.localcloud.objects.document import FORM, Writer
from pavedroad.localcloud.objects.model import Store
from tests.localcloud.objects.asking import Asking


def saved(writer: Writer, store: Store) -> bytes:
    return FORM.encode(writer.dump(store))


def same(one: Store, other: Store) -> None:
    assert list(one.buckets) == list(other.buckets)
    for name, bucket in one.buckets.items():
        found = other.buckets[name]
        assert list(bucket.keys) == list(found.keys)
        for key in bucket.keys:
            assert bucket.keys.versions(key) == found.keys.versions(key)
        for part in ("uploads", "configuration", "created", "versioning", "locks_objects", "number"):
            assert getattr(bucket, part) == getattr(found, part)


@pytest.fixture
def s3(tmp_path: Path) -> Asking:
    """With something of everything."""
    s3 = Asking(tmp_path, "Enabled", locks_objects=True)
    s3.made("other").configuration["BucketCors"] = {"Rules": [{"MaxAge": 3, "At": s3.now}]}
    s3.put("a", b"\0\xff small", Metadata={"m": "\U0001f600"}, ACL="public-read", Tagging="a=b")
    s3.put("a", b"x" * 20_000, ObjectLockLegalHoldStatus="ON", ChecksumAlgorithm="CRC32")
    s3.uploaded("b/ü", b"p" * (5 << 20), b"q", ChecksumAlgorithm="SHA256")
    s3.ask("DeleteObject", Key="a")
    s3.put("gone", b"")
    s3.uploaded("going on", b"one", b"two", complete=False)
    return s3


def test_what_is_read_is_what_was_written(s3: Asking) -> None:
    found = FORM.decode(saved(Writer(), s3.store), FORM.version)
    same(s3.store, found)
    assert saved(Writer(), found) == saved(Writer(), s3.store)


def test_changes_are_written_and_the_rest_is_as_it_was(s3: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer()
    saved(writer, s3.store)
    written: list[object] = []
    text = document._text  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(document, "_text", lambda it, kind: written.append(it) or text(it, kind))
    s3.put("new", b"")
    gone = s3.bucket.keys.versions("gone")[0].id
    s3.ask("DeleteObject", Key="gone", VersionId=gone)
    upload = next(iter(s3.bucket.uploads))
    s3.ask(
        "UploadPart",
        Key="going on",
        UploadId=upload,
        PartNumber=2,
        Body=b"again",
    )
    body = saved(writer, s3.store)
    same(s3.store, FORM.decode(body, FORM.version))
    kinds = [type(it).__name__ for it in written]
    assert sorted(kinds) == ["Part", "Upload", "_Head", "_Head", "tuple"]
    del s3.store.buckets["bucket"]
    s3.made("bucket")
    same(s3.store, FORM.decode(saved(writer, s3.store), FORM.version))


def test_a_newer_version_is_not_read(s3: Asking) -> None:
    body = saved(Writer(), s3.store)
    with pytest.raises(DecodeError, match="version 2"):
        FORM.decode(body, "2")
    with pytest.raises(DecodeError, match="novelty"):
        FORM.decode(body.replace(b'"etag"', b'"novelty":1,"etag"', 1), FORM.version)
