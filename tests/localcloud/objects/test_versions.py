"""Versions, null versions and delete markers, beside a small model of what S3 says of them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.localcloud.objects.asking import Asking

KEYS = st.sampled_from(["a", "b", "b/c"])


@dataclass
class Kept:
    id: str
    body: bytes | None
    """None for a marker."""


class Versioned(RuleBasedStateMachine):
    """What a bucket has, and what the model says that it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.s3 = Asking(Path(self.folder.name))
        self.model: dict[str, list[Kept]] = {}
        self.bodies = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(status=st.sampled_from(["Enabled", "Suspended"]))
    def set_versioning(self, status: str) -> None:
        self.s3.bucket.versioning = status

    @rule(key=KEYS)
    def put(self, key: str) -> None:
        self.bodies += 1
        body = b"%d" % self.bodies
        told = self.s3.put(key, body)
        self._on_top(key, Kept(told.get("VersionId", "null"), body))

    @rule(key=KEYS, source=KEYS)
    def copy(self, key: str, source: str) -> None:
        there = self._current(source)
        if there is None:
            assert self.s3.refused("CopyObject", Key=key, CopySource=f"bucket/{source}").code == "NoSuchKey"
            return
        told = self.s3.ask("CopyObject", Key=key, CopySource=f"bucket/{source}", MetadataDirective="REPLACE")
        self._on_top(key, Kept(told.get("VersionId", "null"), there.body))

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        told = self.s3.ask("DeleteObject", Key=key)
        if self.s3.bucket.versioning:
            assert told["DeleteMarker"]
            self._on_top(key, Kept(told["VersionId"], None))
        else:
            assert "DeleteMarker" not in told
            self.model.pop(key, None)

    @rule(key=KEYS, place=st.integers(0, 3))
    def delete_version(self, key: str, place: int) -> None:
        kept = self.model.get(key, [])
        if place < len(kept):
            told = self.s3.ask("DeleteObject", Key=key, VersionId=kept[place].id)
            assert told.get("DeleteMarker", False) == (kept[place].body is None)
            del kept[place]
            if not kept:
                del self.model[key]

    @invariant()
    def what_is_read_is_what_should_be(self) -> None:
        for key in ("a", "b", "b/c"):
            there = self._current(key)
            if there is None:
                assert self.s3.refused("GetObject", Key=key).code == "NoSuchKey"
            else:
                assert self.s3.read(key) == there.body
            for kept in self.model.get(key, []):
                if kept.body is None:
                    error = self.s3.refused("HeadObject", Key=key, VersionId=kept.id)
                    assert error.code == "MethodNotAllowed"
                else:
                    assert self.s3.read(key, VersionId=kept.id) == kept.body

    @invariant()
    def what_is_listed_is_what_is_there(self) -> None:
        alive = [key for key in sorted(self.model) if self._current(key)]
        told = self.s3.ask("ListObjectsV2")
        assert [it["Key"] for it in told.get("Contents", [])] == alive
        wanted = [(key, kept.id) for key in sorted(self.model) for kept in self.model[key]]
        for size in (1, 2, 1000):
            assert listed(self.s3, size) == wanted

    def _current(self, key: str) -> Kept | None:
        kept = self.model.get(key)
        return kept[0] if kept and kept[0].body is not None else None

    def _on_top(self, key: str, new: Kept) -> None:
        there = self.model.get(key, [])
        if new.id == "null":
            there = [kept for kept in there if kept.id != "null"]
        self.model[key] = [new, *there]


def listed(s3: Asking, size: int) -> list[tuple[str, str]]:
    """Every version and marker, by pages."""
    found: list[tuple[str, str, int]] = []
    places = {key: [it.id for it in s3.bucket.keys.versions(key)] for key in s3.bucket.keys}
    marker: dict[str, Any] = {}
    while True:
        told = s3.ask("ListObjectVersions", MaxKeys=size, **marker)
        items = [*told.get("Versions", []), *told.get("DeleteMarkers", [])]
        assert len(items) <= size
        items.sort(key=lambda it: (it["Key"], places[it["Key"]].index(it["VersionId"])))
        found += [(it["Key"], it["VersionId"], it["IsLatest"]) for it in items]
        if not told["IsTruncated"]:
            break
        marker = {"KeyMarker": told["NextKeyMarker"], "VersionIdMarker": told["NextVersionIdMarker"]}
    latest = [key for key, _, is_latest in found if is_latest]
    assert latest == sorted({key for key, _, _ in found}), "one latest for each key"
    return [(key, version) for key, version, _ in found]


TestVersioned = Versioned.TestCase
TestVersioned.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


@pytest.fixture
def s3(tmp_path: Path) -> Asking:
    return Asking(tmp_path, "Enabled")


def test_a_deleted_key_says_that_it_has_a_marker(s3: Asking) -> None:
    s3.put("k", b"x")
    marker = s3.ask("DeleteObject", Key="k")["VersionId"]
    error: Any = s3.refused("GetObject", Key="k")
    assert (error.code, error.status) == ("NoSuchKey", 404)
    assert error.headers == {"x-amz-delete-marker": "true", "x-amz-version-id": marker}
    error = s3.refused("GetObject", Key="k", VersionId=marker)
    assert (error.code, error.status) == ("MethodNotAllowed", 405)
    assert error.headers["x-amz-delete-marker"] == "true"
    assert error.headers["last-modified"] == "Mon, 04 May 2026 03:02:01 GMT"


def test_ids_that_are_none_are_refused_and_others_are_not_found(s3: Asking) -> None:
    s3.put("k", b"x")
    assert s3.refused("GetObject", Key="k", VersionId="").code == "InvalidArgument"
    assert s3.refused("GetObject", Key="k", VersionId="no").code == "InvalidArgument"
    assert s3.refused("GetObject", Key="k", VersionId="null").code == "NoSuchVersion"
    assert s3.refused("GetObject", Key="k", VersionId="x" * 32).code == "NoSuchVersion"
    assert s3.ask("DeleteObject", Key="k", VersionId="x" * 32) == {"VersionId": "x" * 32}
    assert s3.read("k") == b"x"


def test_what_is_written_while_suspended_tells_no_id_and_is_read_as_null(s3: Asking) -> None:
    s3.bucket.versioning = "Suspended"
    assert "VersionId" not in s3.put("k", b"x")
    assert s3.ask("HeadObject", Key="k")["VersionId"] == "null"
    assert s3.ask("DeleteObject", Key="k") == {"DeleteMarker": True, "VersionId": "null"}


def test_many_are_deleted_at_once_each_with_its_end(s3: Asking) -> None:
    first = s3.put("a", b"1")["VersionId"]
    s3.put("b", b"2")
    wanted = [{"Key": "a", "VersionId": first}, {"Key": "b"}, {"Key": "none", "VersionId": "bad"}]
    told = s3.ask("DeleteObjects", Delete={"Objects": wanted})
    marker = s3.bucket.keys.versions("b")[0].id
    assert told["Deleted"] == [
        {"Key": "a", "VersionId": first},
        {"Key": "b", "DeleteMarker": True, "DeleteMarkerVersionId": marker},
    ]
    assert [(it["Key"], it["Code"]) for it in told["Errors"]] == [("none", "InvalidArgument")]
    again = s3.ask("DeleteObjects", Delete={"Objects": [{"Key": "b", "VersionId": marker}]})["Deleted"]
    assert again == [{"Key": "b", "VersionId": marker, "DeleteMarker": True, "DeleteMarkerVersionId": marker}]
    quiet = s3.ask("DeleteObjects", Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    assert quiet == {}
    assert s3.refused("DeleteObjects", Delete={"Objects": []}).code == "MalformedXML"
