"""Files that cannot be read are named in one sentence with the next step, and stay as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from pavedroad.core.errors import StateUnreadable
from pavedroad.database.engine import Database, open_engine, parse_url, sqlite_url
from pavedroad.database.migrating import migrate
from pavedroad.delivery.composing import workflows_url
from pavedroad.platform.services import build
from pavedroad.platform.settings import Settings

_REMEDY = "move"


def _used_home(home: Path) -> Settings:
    """A home in which a control process has served."""
    settings = Settings.model_validate({"home": home, "endpoint_url": "http://127.0.0.1:1"})
    settings.places.prepare()
    database = Database(sqlite_url(settings.places.database))
    migrate(database)
    database.close()
    workflows = open_engine(workflows_url(parse_url(sqlite_url(settings.places.database))))
    with workflows.begin() as connection:
        connection.execute(sa.text("CREATE TABLE kept (x)"))
        for number in range(200):
            connection.execute(sa.text("INSERT INTO kept VALUES (:x)"), {"x": f"{number}" * 100})
    workflows.dispose()
    settings.places.token.write_text("paved_" + "x" * 43 + "\n")
    return settings


def _garbage(path: Path) -> None:
    path.write_bytes(b"\x00\xffgarbage\n" * 1000)


def _truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def _folder(path: Path) -> None:
    path.rename(path.with_name(f"{path.name}.moved"))
    path.mkdir()


_DAMAGES = [_garbage, _truncated, _folder]


def _left(home: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(home)): path.read_bytes() if path.is_file() else None
        for path in sorted(home.rglob("*"))
        if not path.name.endswith(("-wal", "-shm", ".lock"))
    }


@pytest.mark.parametrize("damage", _DAMAGES)
@pytest.mark.parametrize("name", ["platform.db", "workflows.db", "token"])
def test_a_damaged_file_of_the_platform_is_named_and_left_as_it_is(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    settings = _used_home(tmp_path)
    damage(tmp_path / name)
    before = _left(tmp_path)
    with pytest.raises(StateUnreadable) as refusal:
        build(settings)
    assert f"{tmp_path / name} cannot be read: " in refusal.value.sentence
    assert refusal.value.sentence.count("\n") == 0
    assert _REMEDY in (refusal.value.next_step or "")
    assert _left(tmp_path) == before


@pytest.mark.parametrize("name", ["platform.db", "workflows.db"])
@pytest.mark.parametrize("left", ["nothing", "no bytes", "no tables"])
def test_a_missing_database_in_a_home_that_had_one_is_not_begun_anew(
    tmp_path: Path, name: str, left: str
) -> None:
    """Without tables is what SQLite leaves where the log beside its file is lost."""
    settings = _used_home(tmp_path)
    path = tmp_path / name
    path.unlink()
    if left != "nothing":
        path.touch()
    if left == "no tables":
        open_engine(parse_url(sqlite_url(path))).connect().close()
    empty = left != "nothing"
    with pytest.raises(StateUnreadable, match=f"The database {path} is missing or empty") as refusal:
        build(settings)
    assert path.exists() == empty
    assert str(settings.places.token) in (refusal.value.next_step or "")


def test_it_ends_with_a_status_for_scripts_and_one_line(tmp_path: Path) -> None:
    settings = _used_home(tmp_path)
    _garbage(settings.places.database)
    ended = subprocess.run(
        [sys.executable, "-m", "pavedroad.platform.control"],
        env={**os.environ, "PAVED_HOME": str(tmp_path), "PAVED_ENDPOINT_URL": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, len(ended.stderr.splitlines())) == (8, 1), ended.stderr
    assert str(settings.places.database) in ended.stderr
