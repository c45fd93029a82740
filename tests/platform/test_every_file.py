"""Every file of a home is damaged in every way, and the platform started again: it says which, or goes on for
a reason that is written down here. It never ends in a stack trace, and takes nothing for something else."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from fnmatch import fnmatch
from pathlib import Path

import httpx
import pytest

from tests.platform.damages import (
    Damage,
    emptied,
    files,
    garbled,
    halved,
    linked_to_nothing,
    made_a_folder,
    removed,
    restored,
    used,
)
from tests.running_platform import Platform
from tests.waiting import eventually

_ANY = (emptied, halved, garbled, removed)
_LOG = "a log: nothing stops for one"
_ANEW = "it says what runs now, and is made anew"
_LOCK = "a lock is the kernel's, whatever is in its file"
_NEW_KEY = "where there is none one is made, and who has the old one is refused"

HARMLESS: list[tuple[str, tuple[Damage, ...], str]] = [
    ("logs/*", (*_ANY, made_a_folder, linked_to_nothing), _LOG),
    ("lock", _ANY, _LOCK),
    ("*/lock", _ANY, _LOCK),
    ("*.lock", _ANY, _LOCK),
    ("running.json", _ANY, _ANEW),
    ("cloud/cloud.json", _ANY, _ANEW),
    ("cloud/cgroups.json", _ANY, "what it lists has a name that the home gives; " + _ANEW),
    ("*.db-shm", _ANY, "SQLite makes it anew out of the log"),
    ("*.db-wal", (emptied, halved, garbled), "SQLite cannot tell it from one that a crash has cut"),
    ("*.db", (halved,), "its log has all that was written since it was last copied over"),
    ("token", (removed,), _NEW_KEY),
    ("cloud/key.json", (removed,), _NEW_KEY),
    (
        "cloud/metrics/*",
        (emptied, halved, removed),
        "one that nothing comes after ends as a crash may end it",
    ),
]
"""By which files, damages, and why the platform starts all the same."""

NAMED_BY_THE_HEALTH: list[tuple[str, tuple[Damage, ...]]] = [
    ("cloud/objects/*", (*_ANY, made_a_folder, linked_to_nothing)),
    ("cloud/metrics/*", (garbled, made_a_folder, linked_to_nothing)),
]
"""The cloud runs without them, and says so."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Platform, Path]]:
    folder = tmp_path_factory.mktemp("damaged")
    platform, whole = Platform(folder / "home"), folder / "whole"
    used(platform)
    shutil.copytree(platform.home, whole)
    yield platform, whole
    platform.stop()


def listed(table: list[tuple[str, tuple[Damage, ...]]], name: str, damage: Damage) -> bool:
    return any(fnmatch(name, pattern) and damage in damages for pattern, damages in table)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("damage", [halved, garbled, removed])
def test_every_file_that_is_damaged_is_named_or_harmless_by_design(
    home: tuple[Platform, Path], damage: Damage
) -> None:
    platform, whole = home
    wrong: list[str] = []
    for name in files(whole):
        if not (whole / name).stat().st_size and damage in (emptied, halved):
            continue
        restored(whole, platform.home)
        damage(platform.home / name)
        if said := _wrong(platform, name, damage):
            wrong.append(f"{name} {damage.__name__}: {said}")
    assert wrong == []


def _status(platform: Platform) -> str:
    return httpx.get(f"{platform.endpoint}/_pavedroad/health", trust_env=False).json()["status"]


def _wrong(platform: Platform, name: str, damage: Damage) -> str:
    """What the start does that it should not."""
    up = platform.paved("up", "--detach", check=False)
    try:
        logs = "".join(it.read_text(errors="replace") for it in (platform.home / "logs").glob("*.log"))
        if "Traceback" in up.stderr + logs:
            return "a stack trace"
        harmless = [(pattern, damages) for pattern, damages, _ in HARMLESS]
        if up.returncode == 0:
            if listed(harmless, name, damage):
                return ""
            if not listed(NAMED_BY_THE_HEALTH, name, damage):
                return "it starts"
            eventually(lambda: Path(name).name in _status(platform))
            return ""
        return "" if Path(name).name in up.stderr else f"it is not named: {up.stderr}"
    finally:
        platform.paved("down")
