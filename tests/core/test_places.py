"""Where things are kept, and what is said when they cannot be."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pavedroad.core.errors import Unavailable
from pavedroad.core.places import Places


def test_home_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAVED_HOME", str(tmp_path / "here"))
    assert Places.default().home == tmp_path / "here"
    monkeypatch.delenv("PAVED_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert Places.default().home == tmp_path / "state" / "pavedroad"


def test_the_folders_are_private(tmp_path: Path) -> None:
    places = Places(tmp_path / "home")
    places.prepare()
    places.prepare()
    assert stat.S_IMODE(places.home.stat().st_mode) == 0o700
    assert places.cloud.is_dir()
    assert places.logs.is_dir()


def test_a_folder_that_was_made_by_hand_is_private_too(tmp_path: Path) -> None:
    places = Places(tmp_path / "home")
    for folder in (places.home, places.cloud):
        folder.mkdir()
        folder.chmod(0o777)
    places.prepare()
    assert [it.stat().st_mode & 0o777 for it in (places.home, places.cloud)] == [0o700, 0o700]


def test_a_folder_that_cannot_be_written_is_said_so_with_a_next_step(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    with pytest.raises(Unavailable, match="cannot be written") as refused:
        Places(in_the_way / "home").prepare()
    assert "PAVED_HOME" in (refused.value.next_step or "")
