"""Pages of lists, beside a sorted list of the same keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.localcloud.objects.asking import Asking

PIECES = st.sampled_from(["a", "b", "/", "//", "é", "+", " ", "\U0001f600", "z"])
NAMES = st.lists(PIECES, min_size=1, max_size=5).map("".join)


def wanted(keys: list[str], prefix: str, delimiter: str, after: str = "") -> list[tuple[str, str]]:
    """Keys and prefixes in their order, each once."""
    found: dict[tuple[str, str], None] = {}
    for key in sorted(keys, key=str.encode):
        if key.startswith(prefix):
            rest = key[len(prefix) :]
            if delimiter and delimiter in rest:
                common = prefix + rest[: rest.index(delimiter) + len(delimiter)]
                if common.encode() > after.encode() and not after.startswith(common):
                    found["prefix", common] = None
            elif key.encode() > after.encode():
                found["key", key] = None
    return list(found)


def items(told: dict[str, Any]) -> list[tuple[str, str]]:
    shown = [("key", it["Key"]) for it in told.get("Contents", [])]
    shown += [("prefix", it["Prefix"]) for it in told.get("CommonPrefixes", [])]
    return sorted(shown, key=lambda it: it[1].encode())


def pages(s3: Asking, size: int, **asked: Any) -> Iterator[list[tuple[str, str]]]:
    token: dict[str, str] = {}
    while True:
        told = s3.ask("ListObjectsV2", MaxKeys=size, **asked, **token)
        shown = items(told)
        assert told["KeyCount"] == len(shown) <= size
        yield shown
        if not told["IsTruncated"]:
            return
        assert len(shown) == size
        token = {"ContinuationToken": told["NextContinuationToken"]}


def older_pages(s3: Asking, size: int, **asked: Any) -> Iterator[list[tuple[str, str]]]:
    marker: dict[str, str] = {}
    while True:
        told = s3.ask("ListObjects", MaxKeys=size, **asked, **marker)
        yield items(told)
        if not told["IsTruncated"]:
            assert "NextMarker" not in told
            return
        assert ("NextMarker" in told) == bool(asked.get("Delimiter"))
        marker = {"Marker": told.get("NextMarker") or told["Contents"][-1]["Key"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists")


@given(
    keys=st.lists(NAMES, max_size=25, unique=True),
    gone=st.lists(NAMES, max_size=5, unique=True),
    prefix=st.sampled_from(["", "a", "a/", "/"]),
    delimiter=st.sampled_from(["", "/", "b", "//", "é"]),
    after=st.one_of(st.just(""), NAMES),
    size=st.integers(1, 5),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_page_is_of_the_sorted_list(
    folder: Path, keys: list[str], gone: list[str], prefix: str, delimiter: str, after: str, size: int
) -> None:
    s3 = Asking(folder, "Enabled")
    for key in keys:
        s3.put(key)
    for key in gone:
        s3.ask("DeleteObject", Key=key)
    alive = [key for key in keys if key not in gone]
    asked = {"Prefix": prefix, "Delimiter": delimiter}
    whole = wanted(alive, prefix, delimiter, after)
    start = {"StartAfter": after} if after else {}
    assert [it for page in pages(s3, size, **asked, **start) for it in page] == whole
    if not after:
        assert [it for page in older_pages(s3, size, **asked) for it in page] == whole


@pytest.fixture
def s3(tmp_path: Path) -> Asking:
    return Asking(tmp_path)


def test_no_keys_are_asked_for_and_no_more_are_to_come(s3: Asking) -> None:
    s3.put("a")
    for operation in ("ListObjects", "ListObjectsV2", "ListObjectVersions"):
        told = s3.ask(operation, MaxKeys=0)
        assert not told["IsTruncated"]
        assert not told.keys() & {"Contents", "Versions"}
        assert told["MaxKeys"] == 0
        assert s3.refused(operation, MaxKeys=-1).code == "InvalidArgument"
        assert s3.ask(operation, MaxKeys=5000)["MaxKeys"] == 1000


def test_names_are_encoded_where_that_is_asked_for(s3: Asking) -> None:
    for key in ("foo+1/bar", "foo/bar", "quux ab/thud", "asdf+b", "x%y"):
        s3.put(key)
    told = s3.ask("ListObjectsV2", Delimiter="/", EncodingType="url")
    assert [it["Key"] for it in told["Contents"]] == ["asdf%2Bb", "x%25y"]
    assert [it["Prefix"] for it in told["CommonPrefixes"]] == ["foo%2B1/", "foo/", "quux%20ab/"]
    assert s3.refused("ListObjects", EncodingType="punycode").code == "InvalidArgument"


def test_a_token_is_what_a_page_gave_and_empty_texts_are_none(s3: Asking) -> None:
    s3.put("a")
    assert s3.refused("ListObjectsV2", ContinuationToken="?").code == "InvalidArgument"
    told = s3.ask("ListObjectsV2", ContinuationToken="", Delimiter="", Prefix="", StartAfter="")
    assert [it["Key"] for it in told["Contents"]] == ["a"]
    assert told["ContinuationToken"] == ""
    assert "Delimiter" not in told


def test_owners_are_told_to_who_asks(s3: Asking) -> None:
    s3.put("a")
    assert "Owner" in s3.ask("ListObjects")["Contents"][0]
    assert "Owner" not in s3.ask("ListObjectsV2")["Contents"][0]
    assert "Owner" in s3.ask("ListObjectsV2", FetchOwner=True)["Contents"][0]


def test_uploads_are_listed_by_pages_too(s3: Asking) -> None:
    begun = [
        (key, s3.ask("CreateMultipartUpload", Key=key)["UploadId"])
        for key in ("b", "a/1", "a/2", "c", "b", "b")
    ]
    for size in (1, 2, 10):
        found: list[tuple[str, str]] = []
        marker: dict[str, Any] = {}
        while True:
            told = s3.ask("ListMultipartUploads", MaxUploads=size, **marker)
            found += [(it["Key"], it["UploadId"]) for it in told.get("Uploads", [])]
            if not told["IsTruncated"]:
                break
            marker = {"KeyMarker": told["NextKeyMarker"], "UploadIdMarker": told["NextUploadIdMarker"]}
        assert found == sorted(begun, key=lambda it: it[0]), "by key, and as they were begun"
    told = s3.ask("ListMultipartUploads", Delimiter="/")
    assert [it["Prefix"] for it in told["CommonPrefixes"]] == ["a/"]
    assert [it["Key"] for it in told["Uploads"]] == ["b", "b", "b", "c"]


def test_parts_are_listed_by_pages(s3: Asking) -> None:
    begun = s3.uploaded("k", b"1", b"22", b"333", complete=False)
    named = {"Key": "k", "UploadId": begun["UploadId"]}
    told = s3.ask("ListParts", **named, MaxParts=2)
    assert [(it["PartNumber"], it["Size"]) for it in told["Parts"]] == [(1, 1), (2, 2)]
    assert (told["IsTruncated"], told["NextPartNumberMarker"]) == (True, 2)
    told = s3.ask("ListParts", **named, PartNumberMarker=2)
    assert [it["PartNumber"] for it in told["Parts"]] == [3]
    assert not told["IsTruncated"]


def test_a_page_of_many_keys_is_found_without_looking_at_the_others(s3: Asking) -> None:
    """By the keys that are looked at: of a hundred thousand in a folder none, when only folders are shown."""
    for key in (*(f"folder/{number:05}" for number in range(2000)), "last"):
        s3.put(key)
    looked_at: list[str] = []
    keys = s3.bucket.keys
    versions = keys.versions

    class Watched(type(keys)):
        def versions(self, key: str) -> Any:
            looked_at.append(key)
            return versions(key)

    s3.bucket.keys = Watched({key: versions(key) for key in keys})
    told = s3.ask("ListObjectsV2", Delimiter="/")
    assert items(told) == [("prefix", "folder/"), ("key", "last")]
    assert len(looked_at) < 10
    looked_at.clear()
    told = s3.ask("ListObjectsV2", StartAfter="folder/01500", MaxKeys=10)
    assert len(items(told)) == 10
    assert len(looked_at) < 30
