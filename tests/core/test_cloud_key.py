"""The key of the private cloud: made once, whole, for one user; never replaced."""

from __future__ import annotations

import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pavedroad.core import cloud_key
from pavedroad.core.errors import Unavailable
from pavedroad.core.places import Places


def test_it_is_made_once_for_its_user_alone(tmp_path: Path) -> None:
    path = Places(tmp_path / "home").cloud_key
    key = cloud_key.ensure(path)
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key.access_key_id)
    assert len(key.secret_access_key) == 40
    assert key.secret_access_key not in repr(key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert cloud_key.ensure(path) == cloud_key.read(path) == key
    assert [it.name for it in path.parent.iterdir()] == [path.name]
    assert cloud_key.ensure(tmp_path / "other" / "key.json") != key


def test_several_who_make_it_at_once_have_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: cloud_key.ensure(tmp_path / "key.json"), range(32)))
    assert len(found) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 1}',
        json.dumps({"version": 2, "access_key_id": "a", "secret_access_key": "b"}).encode(),
        json.dumps({"version": 1, "access_key_id": "a", "secret_access_key": ""}).encode(),
    ],
)
def test_what_is_there_and_is_no_key_is_said_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(Unavailable, match=re.escape(str(path))) as refused:
        cloud_key.ensure(path)
    assert "move it away" in (refused.value.next_step or "")
    assert path.read_bytes() == content


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_one_that_others_may_read_is_not_taken(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.json"
    cloud_key.ensure(path)
    path.chmod(mode)
    with pytest.raises(Unavailable, match="open to other users") as refused:
        cloud_key.ensure(path)
    assert f"chmod 600 {path}" in (refused.value.next_step or "")


def test_a_folder_or_a_dead_link_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("folder", "link"):
        with pytest.raises(Unavailable):
            cloud_key.ensure(tmp_path / name)


def test_where_none_is_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="is not there") as refused:
        cloud_key.read(tmp_path / "key.json")
    assert "paved cloud up" in (refused.value.next_step or "")
