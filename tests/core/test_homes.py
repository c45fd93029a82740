"""What stands in the place of a home's files and folders is said before anything is opened."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pavedroad.core.errors import StateUnreadable
from pavedroad.core.homes import check_home
from pavedroad.core.places import Places


def check(home: Path) -> None:
    check_home(home, kept=("kept",), made_anew=("anew",), folders=("folder",))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "anew").write_text("anew")
    (tmp_path / "folder").mkdir()
    check(tmp_path)
    return tmp_path


def test_nothing_is_for_others_to_miss(tmp_path: Path) -> None:
    check(tmp_path)
    check(tmp_path / "not there")


@pytest.mark.parametrize(
    ("name", "put", "why"),
    [
        ("kept", Path.mkdir, "it is a folder"),
        ("anew", Path.mkdir, "it is a folder"),
        ("kept", os.mkfifo, "it is no file"),
        ("kept", lambda path: path.symlink_to("nowhere"), "it is a link to nowhere, where nothing is"),
        ("kept", lambda path: path.symlink_to("kept"), "Too many levels of symbolic links"),
        ("folder", Path.touch, "it is no folder"),
        ("folder", lambda path: path.symlink_to("nowhere"), "it is a link to nowhere, where nothing is"),
        ("folder", lambda path: path.symlink_to("kept"), "it is no folder"),
    ],
)
def test_what_is_something_else_is_named(
    home: Path, name: str, put: Callable[[Path], None], why: str
) -> None:
    place = home / name
    place.rmdir() if place.is_dir() else place.unlink()
    put(place)
    with pytest.raises(StateUnreadable) as refusal:
        check(home)
    assert refusal.value.sentence == f"{place} cannot be used: {why}."
    assert refusal.value.next_step


def test_links_to_what_is_of_the_kind_are_as_good(home: Path) -> None:
    for name in ("kept", "folder"):
        (home / name).rename(home / f"{name} elsewhere")
        (home / name).symlink_to(home / f"{name} elsewhere")
    check(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user here")
@pytest.mark.parametrize("name", ["kept", "anew", "folder"])
def test_what_this_user_may_not_open_is_named(home: Path, name: str) -> None:
    for other in {"kept", "anew", "folder"} - {name}:
        place = home / other
        place.rmdir() if place.is_dir() else place.unlink()
    os.setreuid(65534, 0)  # the real user is whom `access` asks for
    try:
        with pytest.raises(StateUnreadable, match=f"{home / name} cannot be used: this user may not read"):
            check(home)
    finally:
        os.setreuid(0, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount a file system")
def test_a_home_that_is_mounted_for_reading_alone_is_said_to_be(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system may be mounted here")
    try:
        Places(tmp_path).prepare()
        Places(tmp_path).prepare()
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
        with pytest.raises(StateUnreadable, match="its file system is read-only"):
            Places(tmp_path).prepare()
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)
